/* Records by a text: the types of a region, the prices of a file, what is joined with what. */
#ifndef ISOCOST_SDK_DICTIONARY_H
#define ISOCOST_SDK_DICTIONARY_H

#include <stdbool.h>

#include "isocost/base/memory.h"

struct iso_dictionary;

/* Makes one whose records have `record_bytes`. NULL when memory is short. */
struct iso_dictionary *iso_dictionary_new(size_t record_bytes);
void iso_dictionary_free(struct iso_dictionary *dictionary); /* accepts NULL */
ISO_DEFINE_FREEP(iso_dictionary)

/* The record of a key, made and zeroed if there is none; NULL when memory is short. A record stays
 * where it is until the dictionary is freed. */
void *iso_dictionary_add(struct iso_dictionary *dictionary, const char *key);

/* The record of a key, or NULL. */
void *iso_dictionary_find(const struct iso_dictionary *dictionary, const char *key);

/* The records in the order in which they came. */
size_t iso_dictionary_count(const struct iso_dictionary *dictionary);
const char *iso_dictionary_key(const struct iso_dictionary *dictionary, size_t i);
void *iso_dictionary_record(const struct iso_dictionary *dictionary, size_t i);

#endif
