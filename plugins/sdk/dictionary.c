/* A hash table with open addressing (Knuth, The Art of Computer Programming 3, section 6.4). */
#include "isocost/sdk/dictionary.h"

#include <stdint.h>

#define FIRST_PLACES ((size_t)64)

struct entry {
    uint64_t hash;
    char *key; /* behind the record */
    _Alignas(max_align_t) unsigned char record[];
};

struct iso_dictionary {
    size_t record_bytes;
    struct entry **entries; /* in the order in which they came */
    size_t n_entries, capacity;
    size_t *places; /* index of an entry + 1; 0: empty */
    size_t n_places;
};

struct iso_dictionary *iso_dictionary_new(size_t record_bytes)
{
    struct iso_dictionary *dictionary = iso_calloc(1, sizeof(*dictionary));

    if (dictionary)
        dictionary->record_bytes = record_bytes;
    return dictionary;
}

void iso_dictionary_free(struct iso_dictionary *dictionary)
{
    if (!dictionary)
        return;
    for (size_t i = 0; i < dictionary->n_entries; i++)
        free(dictionary->entries[i]);
    free(dictionary->entries);
    free(dictionary->places);
    free(dictionary);
}

/* FNV-1a, 64 bits (draft-eastlake-fnv). */
static uint64_t hash_of(const char *key)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (; *key; key++)
        value = (value ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return value;
}

/* The place of a key, or the empty one where it would be. */
static size_t place_of(const struct iso_dictionary *dictionary, const char *key, uint64_t hash)
{
    size_t place = (size_t)(hash % dictionary->n_places);

    for (; dictionary->places[place]; place = (place + 1) % dictionary->n_places) {
        const struct entry *entry = dictionary->entries[dictionary->places[place] - 1];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            break;
    }
    return place;
}

/* Keeps at least half of the places empty, so that searches end soon. */
static bool grow(struct iso_dictionary *dictionary)
{
    if (2 * (dictionary->n_entries + 1) <= dictionary->n_places)
        return true;
    size_t n_places = dictionary->n_places ? 2 * dictionary->n_places : FIRST_PLACES;
    size_t *places = iso_calloc(n_places, sizeof(*places));
    struct entry **entries = iso_realloc(dictionary->entries, n_places / 2, sizeof(*entries));
    if (entries)
        dictionary->entries = entries;
    if (!places || !entries) {
        free(places);
        return false;
    }
    free(dictionary->places);
    dictionary->places = places;
    dictionary->n_places = n_places;
    for (size_t i = 0; i < dictionary->n_entries; i++) {
        const struct entry *entry = dictionary->entries[i];
        places[place_of(dictionary, entry->key, entry->hash)] = i + 1;
    }
    return true;
}

void *iso_dictionary_add(struct iso_dictionary *dictionary, const char *key)
{
    void *found = iso_dictionary_find(dictionary, key);
    size_t n_key = strlen(key) + 1;

    if (found)
        return found;
    if (!grow(dictionary))
        return NULL;
    struct entry *entry = iso_calloc(1, sizeof(*entry) + dictionary->record_bytes + n_key);
    if (!entry)
        return NULL;
    entry->hash = hash_of(key);
    entry->key = memcpy(entry->record + dictionary->record_bytes, key, n_key);
    size_t place = place_of(dictionary, key, entry->hash);
    dictionary->entries[dictionary->n_entries] = entry;
    dictionary->places[place] = ++dictionary->n_entries;
    return entry->record;
}

void *iso_dictionary_find(const struct iso_dictionary *dictionary, const char *key)
{
    if (dictionary->n_places == 0)
        return NULL;
    size_t index = dictionary->places[place_of(dictionary, key, hash_of(key))];
    return index ? dictionary->entries[index - 1]->record : NULL;
}

size_t iso_dictionary_count(const struct iso_dictionary *dictionary)
{
    return dictionary->n_entries;
}

const char *iso_dictionary_key(const struct iso_dictionary *dictionary, size_t i)
{
    return dictionary->entries[i]->key;
}

void *iso_dictionary_record(const struct iso_dictionary *dictionary, size_t i)
{
    return dictionary->entries[i]->record;
}
