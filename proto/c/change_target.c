/* Targets of changes: ids, places and selectors. */
#include <string.h>

#include "change_text.h"

enum iso_status iso_change_id(const struct change_reader *reader, struct part part, bool product,
                              char **ret_id)
{
    const char *letters = product ? "abcdefghijklmnopqrstuvwxyz0123456789_.:/-"
                                  : "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t most = product ? 128 : 64;
    char *id;

    ISO_TRY(iso_part_copy(reader, part, &id));
    size_t n = strlen(id);
    if (n == 0)
        return iso_change_fail(reader, part, "an id is missing; a change is KIND.TARGET=VALUE");
    if (n > most || strspn(id, letters) != n || strspn(id, "_.:/-") > 0)
        return iso_change_fail(reader, part,
                               "\"%.*s\" is not an id; [a-z0-9][a-z0-9%s]{0,%zu} is "
                               "allowed",
                               ISO_PART(part), product ? "_.:/-" : "_-", most - 1);
    *ret_id = id;
    return ISO_OK;
}

static size_t count(struct part part, char c)
{
    size_t n = 1;

    for (const char *at = iso_part_first(part, c); at; n++)
        at = iso_part_first((struct part){at + 1, part.end}, c);
    return n;
}

enum iso_status iso_change_ids(const struct change_reader *reader, struct part *target,
                               size_t *ret_n, char ***ret_ids)
{
    const char *at = iso_part_last(*target, '@');
    struct part rest, id;
    char **ids;
    size_t n = 0;

    if (!at)
        return ISO_OK;
    rest = (struct part){at + 1, target->end};
    ids = iso_arena_calloc(reader->arena, count(rest, '|'), sizeof(*ids));
    if (!ids)
        return iso_change_full(reader);
    while (iso_part_next(&rest, '|', &id))
        ISO_TRY(iso_change_id(reader, id, /* product= */ false, &ids[n++]));
    *target = iso_part_trim((struct part){target->begin, at});
    *ret_ids = ids;
    *ret_n = n;
    return ISO_OK;
}

/* --- selectors --- */

/* `provider`, `provider/region` or the six parts of an offering's id. */
static enum iso_status read_place(const struct change_reader *reader, struct part part,
                                  Isocost__V1__SelectorTerm *term)
{
    char **texts = iso_arena_calloc(reader->arena, 2, sizeof(*texts));
    size_t n = count(part, '/');
    struct part rest = part, piece;

    if (!texts)
        return iso_change_full(reader);
    while (iso_part_next(&rest, '/', &piece))
        if (piece.begin == piece.end)
            return iso_change_fail(reader, part, "\"%.*s\" has an empty part between slashes",
                                   ISO_PART(part));
    if (n == 6) {
        term->offering = texts;
        term->n_offering = 1;
        return iso_part_copy(reader, part, &texts[0]);
    }
    if (n > 2)
        return iso_change_fail(reader, part,
                               "\"%.*s\" has %zu parts between slashes; a provider has 1, a region "
                               "2 (provider/region), an offering 6 "
                               "(provider/region/zone/type/os/purchase)",
                               ISO_PART(part), n);
    rest = part;
    iso_part_next(&rest, '/', &piece);
    term->provider = texts;
    term->n_provider = 1;
    ISO_TRY(iso_part_copy(reader, piece, &texts[0]));
    if (!iso_part_next(&rest, '/', &piece))
        return ISO_OK;
    term->region = texts + 1;
    term->n_region = 1;
    return iso_part_copy(reader, piece, &texts[1]);
}

struct text_field {
    const char *name;
    size_t n_at, texts_at; /* offsets of the members */
};

#define TEXT_FIELD(name)                                      \
    {                                                         \
#name, offsetof(Isocost__V1__SelectorTerm, n_##name), \
            offsetof(Isocost__V1__SelectorTerm, name)         \
    }

static const struct text_field text_fields[] = {
    TEXT_FIELD(provider), TEXT_FIELD(region), TEXT_FIELD(zone), TEXT_FIELD(family),
    TEXT_FIELD(type),     TEXT_FIELD(arch),   TEXT_FIELD(os),   TEXT_FIELD(offering)};

static enum iso_status twice(const struct change_reader *reader, struct part name)
{
    return iso_change_fail(reader, name, "%.*s is there twice; join its values by |",
                           ISO_PART(name));
}

static enum iso_status read_texts(const struct change_reader *reader, struct part name,
                                  struct part values, const struct text_field *field,
                                  Isocost__V1__SelectorTerm *term)
{
    size_t *n = (size_t *)(void *)((char *)term + field->n_at);
    char ***texts = (char ***)(void *)((char *)term + field->texts_at);
    struct part value;

    if (*n > 0)
        return twice(reader, name);
    *texts = iso_arena_calloc(reader->arena, count(values, '|'), sizeof(**texts));
    if (!*texts)
        return iso_change_full(reader);
    while (iso_part_next(&values, '|', &value)) {
        if (value.begin == value.end)
            return iso_change_fail(reader, name, "%.*s has an empty value", ISO_PART(name));
        ISO_TRY(iso_part_copy(reader, value, &(*texts)[(*n)++]));
    }
    return ISO_OK;
}

struct word {
    const char *text;
    int value;
};

static enum iso_status read_words(const struct change_reader *reader, struct part values,
                                  const struct word *words, const char *allowed, size_t *n,
                                  int *numbers)
{
    struct part value;

    while (iso_part_next(&values, '|', &value)) {
        const struct word *word = words;
        while (word->text && !iso_part_is(value, word->text))
            word++;
        if (!word->text)
            return iso_change_fail(reader, value, "\"%.*s\" is none of %s", ISO_PART(value),
                                   allowed);
        numbers[(*n)++] = word->value;
    }
    return ISO_OK;
}

static enum iso_status read_purchase(const struct change_reader *reader, struct part name,
                                     struct part values, Isocost__V1__SelectorTerm *term)
{
    static const struct word words[] = {{"on-demand", ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND},
                                        {"spot", ISOCOST__V1__PURCHASE__PURCHASE_SPOT},
                                        {NULL, 0}};
    int *numbers = iso_arena_calloc(reader->arena, count(values, '|'), sizeof(*numbers));

    if (term->n_purchase > 0)
        return twice(reader, name);
    if (!numbers)
        return iso_change_full(reader);
    ISO_TRY(read_words(reader, values, words, "on-demand, spot", &term->n_purchase, numbers));
    term->purchase = (Isocost__V1__Purchase *)(void *)numbers;
    return ISO_OK;
}

static enum iso_status read_kind(const struct change_reader *reader, struct part name,
                                 struct part values, Isocost__V1__SelectorTerm *term)
{
    static const struct word words[] = {{"vm", ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM},
                                        {"disk", ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_DISK},
                                        {"gpu", ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_GPU},
                                        {"host", ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_HOST},
                                        {"other", ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_OTHER},
                                        {NULL, 0}};
    int *numbers = iso_arena_calloc(reader->arena, count(values, '|'), sizeof(*numbers));

    if (term->n_kind > 0)
        return twice(reader, name);
    if (!numbers)
        return iso_change_full(reader);
    ISO_TRY(
        read_words(reader, values, words, "vm, disk, gpu, host, other", &term->n_kind, numbers));
    term->kind = (Isocost__V1__OfferingKind *)(void *)numbers;
    return ISO_OK;
}

static enum iso_status read_label(const struct change_reader *reader, struct part key,
                                  struct part value, size_t n_most, Isocost__V1__SelectorTerm *term)
{
    Isocost__V1__SelectorTerm__LabelsEntry *entry =
        iso_change_message(reader, &isocost__v1__selector_term__labels_entry__descriptor);

    if (!term->labels)
        term->labels = iso_arena_calloc(reader->arena, n_most, sizeof(*term->labels));
    if (!entry || !term->labels)
        return iso_change_full(reader);
    if (key.begin == key.end || value.begin == value.end || iso_part_first(value, '|'))
        return iso_change_fail(reader, key, "a label is label.KEY:VALUE with one value");
    ISO_TRY(iso_part_copy(reader, key, &entry->key));
    ISO_TRY(iso_part_copy(reader, value, &entry->value));
    term->labels[term->n_labels++] = entry;
    return ISO_OK;
}

static enum iso_status read_field(const struct change_reader *reader, struct part field,
                                  size_t n_fields, Isocost__V1__SelectorTerm *term)
{
    const char *colon = iso_part_first(field, ':');
    struct part name, values;

    if (!colon)
        return iso_change_fail(reader, field, "\"%.*s\" is not FIELD:VALUE", ISO_PART(field));
    name = iso_part_trim((struct part){field.begin, colon});
    values = iso_part_trim((struct part){colon + 1, field.end});
    if (values.begin == values.end)
        return iso_change_fail(reader, field, "\"%.*s\": a value must follow", ISO_PART(field));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(text_fields); i++)
        if (iso_part_is(name, text_fields[i].name))
            return read_texts(reader, name, values, &text_fields[i], term);
    if (iso_part_is(name, "purchase"))
        return read_purchase(reader, name, values, term);
    if (iso_part_is(name, "kind"))
        return read_kind(reader, name, values, term);
    if (name.end - name.begin > 6 && strncmp(name.begin, "label.", 6) == 0)
        return read_label(reader, (struct part){name.begin + 6, name.end}, values, n_fields, term);
    return iso_change_fail(reader, name,
                           "\"%.*s\" is none of provider, region, zone, family, type, arch, os, "
                           "purchase, kind, offering, label.KEY",
                           ISO_PART(name));
}

enum iso_status iso_change_selector(const struct change_reader *reader, struct part part,
                                    Isocost__V1__SelectorTerm **ret_term)
{
    Isocost__V1__SelectorTerm *term =
        iso_change_message(reader, &isocost__v1__selector_term__descriptor);
    struct part rest = part, field;

    if (!term)
        return iso_change_full(reader);
    *ret_term = term;
    if (iso_part_is(part, "*"))
        return ISO_OK;
    if (!iso_part_first(part, ':'))
        return read_place(reader, part, term);
    while (iso_part_next(&rest, '&', &field))
        ISO_TRY(read_field(reader, field, count(part, '&'), term));
    return ISO_OK;
}
