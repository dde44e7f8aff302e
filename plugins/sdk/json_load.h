/* Reading with the JSON library, which does not say reliably when it ran out of memory. */
#ifndef ISOCOST_SDK_JSON_LOAD_H
#define ISOCOST_SDK_JSON_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* json_loadb() of this one thread. NULL: *ret_no_memory tells whether memory was short; only if it
 * was not, *ret_why tells what is wrong with the text. Free with json_decref(). */
json_t *iso_json_load(const char *bytes, size_t n_bytes, size_t flags, json_error_t *ret_why,
                      bool *ret_no_memory);

#endif
