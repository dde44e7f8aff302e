/* Words of the contract, times, and the encoding of text. */
#ifndef ISOCOST_SDK_WORDS_H
#define ISOCOST_SDK_WORDS_H

#include "isocost/plugin.h"

/* A list of words and what they stand for. */
struct iso_words {
    const char *prefix; /* of the long form, e.g. "PURCHASE_" */
    const char *words;  /* of the values 1, 2, ..., with '|' between them, e.g. "on-demand|spot" */
};

extern const struct iso_words iso_words_purchase, iso_words_kind, iso_words_status,
    iso_words_price_unit, iso_words_resource, iso_words_commitment;

/* Reads a word in any case, "-" and " " as good as "_", with or without the prefix. NULL and ""
 * give 0. Errors: ISO_E_INVALID, which lists the words. */
enum iso_status iso_word_read(const struct iso_words *words, const char *text, int32_t *ret_value,
                              struct iso_error *reterr);

/* Reads "true", "false", "yes", "no", "1" or "0" in any case; NULL and "" give false. Errors:
 * ISO_E_INVALID. */
enum iso_status iso_bool_read(const char *text, bool *ret_value, struct iso_error *reterr);

/* Reads a time of RFC 3339, e.g. "2026-03-01T00:00:00Z", with its zone; NULL and "" give 0.
 * In [1970, 2262). Errors: ISO_E_INVALID. */
enum iso_status iso_time_read(const char *text, int64_t *ret_ns, struct iso_error *reterr);

#define ISO_TIME_TEXT_SIZE 24 /* bytes that iso_time_write() may write, NUL included */

/* Writes a time as iso_time_read() reads it, e.g. "2026-03-01T00:00:00Z", without what is less than
 * a second, and returns `buffer`. A date is its first ten bytes. */
char *iso_time_write(int64_t ns, char buffer[ISO_TIME_TEXT_SIZE]);

/* Whether the text is UTF-8: no surrogates, nothing overlong, no NUL before the end. */
bool iso_text_is_utf8(const char *text);

/* Reads a currency's code of three letters in any case; "" gives `otherwise`. False: it is none. */
bool iso_currency_read(const char *said, const char *otherwise, char ret_code[4]);

/* Whether a text begins with one of `heads`, which have commas or blanks between them; heads of ""
 * are those of any text. */
bool iso_begins_with_any(const char *text, const char *heads);

/* Whether two names are equal, by the rules of words. */
bool iso_name_equal(const char *a, const char *b);

#endif
