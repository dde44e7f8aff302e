#include "names.h"

#include <string.h>

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static uint32_t find_slot(const struct iso_names *names, const char *text)
{
    uint32_t at = hash_text(text) & (names->n_slots - 1);

    while (names->slots[at] != 0 && strcmp(names->texts[names->slots[at] - 1], text) != 0)
        at = (at + 1) & (names->n_slots - 1);
    return at;
}

static bool grow(struct iso_names *names)
{
    int32_t capacity = names->capacity ? 2 * names->capacity : 16;
    const char **texts = iso_arena_calloc(names->arena, (size_t)capacity, sizeof(*texts));
    int32_t *slots = iso_arena_calloc(names->arena, 2 * (size_t)capacity, sizeof(*slots));

    if (!texts || !slots)
        return false;
    if (names->n > 0)
        memcpy(texts, names->texts, (size_t)names->n * sizeof(*texts));
    names->texts = texts;
    names->slots = slots;
    names->capacity = capacity;
    names->n_slots = 2 * (uint32_t)capacity;
    for (int32_t i = 0; i < names->n; i++)
        slots[find_slot(names, texts[i])] = i + 1;
    return true;
}

int32_t iso_names_find(const struct iso_names *names, const char *text)
{
    return names->n == 0 ? -1 : names->slots[find_slot(names, text)] - 1;
}

int32_t iso_names_add(struct iso_names *names, const char *text)
{
    if (names->n == names->capacity && !grow(names))
        return -1;
    uint32_t slot = find_slot(names, text);
    if (names->slots[slot] == 0) {
        names->texts[names->n] = text;
        names->slots[slot] = ++names->n;
    }
    return names->slots[slot] - 1;
}

bool iso_names_add_new(struct iso_names *names, const char *text)
{
    int32_t n_before = names->n, number = iso_names_add(names, text);

    return number < 0 || number == n_before;
}
