#include "selector_index.h"

#include <stdlib.h>
#include <string.h>

#include "selector_parts.h"

/* A selector filed under a value of a field. */
struct entry {
    const char *text; /* lower case; empty for terms that name nothing */
    int32_t selector;
};

struct iso_selector_index {
    const struct iso_selector *const *selectors;
    struct list {
        size_t n;
        struct entry *entries; /* by text, then by number */
    } lists[ISO_SELECTOR_LISTS];
};

_Static_assert(ISO_SELECTOR_LISTS == ISO_N_FIELDS + 1, "a list for each field and one more");

#define UNNAMED ISO_N_FIELDS /* the list of terms that name nothing */

/* Fields by how few offerings share a value. */
static const enum iso_selector_field by_sharpness[ISO_N_FIELDS] = {
    ISO_FIELD_OFFERING, ISO_FIELD_TYPE,     ISO_FIELD_FAMILY, ISO_FIELD_ZONE,
    ISO_FIELD_REGION,   ISO_FIELD_PROVIDER, ISO_FIELD_OS,     ISO_FIELD_ARCH,
};

/* Whether an offering must have one of the listed values, letter by letter. */
static bool names_values(const struct iso_patterns *patterns)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (patterns->items[i].prefix)
            return false;
    return patterns->n > 0;
}

static int list_of(const struct iso_selector_term *term)
{
    for (int i = 0; i < ISO_N_FIELDS; i++)
        if (names_values(&term->fields[by_sharpness[i]]))
            return (int)by_sharpness[i];
    return UNNAMED;
}

static void file(struct iso_selector_index *index, int list, const char *text, int32_t selector)
{
    struct list *to = &index->lists[list];

    if (to->entries)
        to->entries[to->n] = (struct entry){text, selector};
    to->n++;
}

/* Files all selectors; only counts them while the lists have no entries. */
static void file_all(struct iso_selector_index *index, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct iso_selector *selector = index->selectors[i];
        if (selector->n_include == 0)
            file(index, UNNAMED, "", (int32_t)i);
        for (size_t k = 0; k < selector->n_include; k++) {
            const struct iso_selector_term *term = &selector->include[k];
            int list = list_of(term);
            if (list == UNNAMED)
                file(index, list, "", (int32_t)i);
            else
                for (size_t v = 0; v < term->fields[list].n; v++)
                    file(index, list, term->fields[list].items[v].text, (int32_t)i);
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = strcmp(left->text, right->text);

    return order != 0 ? order
                      : (left->selector > right->selector) - (left->selector < right->selector);
}

const struct iso_selector_index *iso_selector_index_new(const struct iso_selector *const *selectors,
                                                        size_t n, struct iso_arena *arena)
{
    struct iso_selector_index *index = iso_arena_calloc(arena, 1, sizeof(*index));

    if (!index)
        return NULL;
    index->selectors = selectors;
    file_all(index, n);
    for (int l = 0; l < ISO_SELECTOR_LISTS; l++) {
        struct list *list = &index->lists[l];
        list->entries = iso_arena_calloc(arena, list->n, sizeof(*list->entries));
        if (!list->entries)
            return NULL;
        list->n = 0;
    }
    file_all(index, n);
    for (int l = 0; l < ISO_SELECTOR_LISTS; l++)
        qsort(index->lists[l].entries, index->lists[l].n, sizeof(struct entry), compare_entries);
    return index;
}

/* Orders a value, in lower case, and an offering's text in any. */
static int compare_folded(const char *value, const char *text)
{
    while (*value && *value == iso_lower(*text)) {
        value++;
        text++;
    }
    return (unsigned char)*value - (unsigned char)iso_lower(*text);
}

/* The first entry whose text is at or after `text`; with `after`, after it. */
static size_t search(const struct list *list, const char *text, bool after)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_folded(list->entries[middle].text, text);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct iso_selector_walk iso_selector_walk(const struct iso_selector_index *index,
                                           const struct iso_snapshot_offering *offering)
{
    struct iso_selector_walk walk = {.index = index, .offering = offering};

    for (int l = 0; l < ISO_SELECTOR_LISTS; l++) {
        const struct list *list = &index->lists[l];
        if (list->n == 0)
            continue;
        const char *text =
            l == UNNAMED ? "" : iso_selector_text(offering, (enum iso_selector_field)l);
        walk.lists[l].at = search(list, text, /* after= */ false);
        walk.lists[l].end = search(list, text, /* after= */ true);
    }
    return walk;
}

/* The smallest number that the lists hold next, taken out of all of them; -1: none. */
static int32_t take_smallest(struct iso_selector_walk *walk)
{
    int32_t smallest = -1;

    for (int l = 0; l < ISO_SELECTOR_LISTS; l++) {
        if (walk->lists[l].at == walk->lists[l].end)
            continue;
        int32_t number = walk->index->lists[l].entries[walk->lists[l].at].selector;
        if (smallest < 0 || number < smallest)
            smallest = number;
    }
    for (int l = 0; l < ISO_SELECTOR_LISTS; l++)
        while (walk->lists[l].at < walk->lists[l].end &&
               walk->index->lists[l].entries[walk->lists[l].at].selector == smallest)
            walk->lists[l].at++;
    return smallest;
}

int32_t iso_selector_walk_next(struct iso_selector_walk *walk)
{
    int32_t number = take_smallest(walk);

    while (number >= 0 && !iso_selector_matches(walk->index->selectors[number], walk->offering))
        number = take_smallest(walk);
    return number;
}

int32_t iso_selector_index_first(const struct iso_selector_index *index,
                                 const struct iso_snapshot_offering *offering)
{
    struct iso_selector_walk walk = iso_selector_walk(index, offering);

    return iso_selector_walk_next(&walk);
}
