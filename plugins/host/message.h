/* An HTTP request as it is signed and sent: a method, a path, what is asked, headers, a body. */
#ifndef ISOCOST_PLUGIN_HOST_MESSAGE_H
#define ISOCOST_PLUGIN_HOST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "isocost/base/status.h"

struct iso_pair {
    char *name, *value; /* owned */
};

/* A list of pairs in the order they came. Zero-initialise; free with iso_pairs_fini(). */
struct iso_pairs {
    struct iso_pair *list;
    size_t n, room;
};

/* Copies both texts behind the others. Errors: ISO_E_NOMEM. */
enum iso_status iso_pairs_add(struct iso_pairs *pairs, const char *name, const char *value,
                              struct iso_error *reterr);

/* The same in the place of all pairs of that name, compared without case. */
enum iso_status iso_pairs_set(struct iso_pairs *pairs, const char *name, const char *value,
                              struct iso_error *reterr);

/* Takes all pairs of that name out. */
void iso_pairs_remove(struct iso_pairs *pairs, const char *name);

/* The first value of that name, compared without case, or NULL. */
const char *iso_pairs_get(const struct iso_pairs *pairs, const char *name);

/* Clears the texts, which may be secrets, and frees them. */
void iso_pairs_fini(struct iso_pairs *pairs);

/* Zero-initialise; free with iso_message_fini(). */
struct iso_message {
    const char *method;       /* borrowed; "GET" or "POST" */
    char *origin;             /* scheme and authority, "https://host" */
    char *host;               /* authority as the Host header says it */
    char *path;               /* as sent: percent-encoded, begins with '/' */
    struct iso_pairs query;   /* decoded */
    struct iso_pairs headers; /* beside those that every request has */
    const void *body;         /* borrowed */
    size_t n_body_bytes;
};
void iso_message_fini(struct iso_message *message);

/* Takes a URL apart: origin, host, path and query; what is there of them is replaced. Fragments
 * are dropped. Errors: ISO_E_INVALID (not an http or https URL, or one with a user or password),
 * ISO_E_NOMEM. */
enum iso_status iso_message_set_url(struct iso_message *message, const char *url,
                                    struct iso_error *reterr);

/* The URL that `reference` means on `base`'s page, RFC 3986 section 5. NULL: it is none, or out of
 * memory. The caller frees it. */
char *iso_url_resolve(const char *base, const char *reference);

/* The URL with its query encoded by RFC 3986; the caller frees it. NULL: out of memory. */
char *iso_message_url(const struct iso_message *message);

/* Prints a text that the caller frees. *ret_text is NULL on failure. Errors: ISO_E_NOMEM. */
__attribute__((format(printf, 3, 4))) enum iso_status
iso_text_make(char **ret_text, struct iso_error *reterr, const char *format, ...);

/* ---- Texts that signatures are made of; the caller frees them, NULL is out of memory ---- */

/* Percent-encodes all but RFC 3986's unreserved characters and, if asked, '/'. */
char *iso_percent_encode(const char *text, bool keep_slash);

/* name=value with '&' between, encoded, in order of encoded names, then of encoded values. */
char *iso_canonical_query(const struct iso_pairs *query);

/* name=value with '&' between, encoded, in the order of the list: a form's body. */
char *iso_form(const struct iso_pairs *fields);

/* The path without "." and ".." segments and without empty ones, by RFC 3986 section 5.2.4. */
char *iso_normal_path(const char *path);

/* "name:value\n" for each header that `is_signed` takes (NULL: all), names in lower case and in
 * order, values trimmed and with inner white space as one space, values of one name joined by ','
 * in the order they came; and the names with ';' between. Errors: ISO_E_NOMEM. */
enum iso_status iso_canonical_headers(const struct iso_pairs *headers,
                                      bool (*is_signed)(const char *name), char **ret_lines,
                                      char **ret_names, struct iso_error *reterr);

#endif
