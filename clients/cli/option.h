/* Options of commands as table rows that parse, check and document themselves. */
#ifndef ISOCOST_CLI_OPTION_H
#define ISOCOST_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "isocost/base/status.h"

enum iso_option_kind {
    ISO_OPTION_FLAG,    /* bool */
    ISO_OPTION_TEXT,    /* const char *, borrowed from argv */
    ISO_OPTION_COUNT,   /* long, >= 0 */
    ISO_OPTION_SHARE,   /* struct iso_share: "0.001" or "0.1%" */
    ISO_OPTION_SECONDS, /* double > 0: "60", "60s", "2m", "1h" or "500ms" */
    ISO_OPTION_LIST,    /* struct iso_texts: one more each time that it is given */
};

#define ISO_TEXTS_MAX 64

struct iso_texts {
    size_t n;
    const char *items[ISO_TEXTS_MAX]; /* borrowed from argv */
};

struct iso_share {
    bool given;
    double value; /* in [0, 1] */
};

struct iso_option {
    const char *name; /* long name */
    char letter;      /* short name, or 0 */
    enum iso_option_kind kind;
    size_t offset;       /* of the member in the struct that is filled */
    const char *value;   /* what the value is, for help; NULL for a flag */
    const char *summary; /* one sentence without full stop */
};

/* Fills `values` (already holding the defaults) from argv[1...]; operands are moved to the end and
 * *ret_operands is the index of the first of them. `options` ends with a row without name. Errors:
 * ISO_E_INVALID, with the option as field. */
enum iso_status iso_options_parse(const struct iso_option *options, int argc, char **argv,
                                  void *values, int *ret_operands, struct iso_error *reterr);

/* Writes one line an option. */
void iso_options_print(const struct iso_option *options, FILE *stream);

#endif
