#include "isocost/sdk/selector.h"

#include <stdio.h>

#include "isocost/sdk/number.h"
#include "isocost/sdk/words.h"

#define OFFERING_SLASHES 5 /* provider/region/zone/type/os/purchase */

static const char *const field_names[] = {
    [ISO_PLUGIN_FIELD_PROVIDER] = "provider",
    [ISO_PLUGIN_FIELD_REGION] = "region",
    [ISO_PLUGIN_FIELD_ZONE] = "zone",
    [ISO_PLUGIN_FIELD_FAMILY] = "family",
    [ISO_PLUGIN_FIELD_TYPE] = "type",
    [ISO_PLUGIN_FIELD_ARCH] = "arch",
    [ISO_PLUGIN_FIELD_OS] = "os",
    [ISO_PLUGIN_FIELD_OFFERING] = "offering",
    [ISO_PLUGIN_FIELD_PURCHASE] = "purchase",
    [ISO_PLUGIN_FIELD_KIND] = "kind",
};

int32_t iso_field_by_name(const char *name, size_t n_bytes)
{
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(field_names); i++)
        if (strlen(field_names[i]) == n_bytes && memcmp(field_names[i], name, n_bytes) == 0)
            return (int32_t)i;
    return -1;
}

enum iso_status iso_condition_value(int32_t field, const char *value, const char **ret_value,
                                    struct iso_error *reterr)
{
    static const char *const purchases[] = {"", "on-demand", "spot"};
    static const char *const kinds[] = {"", "vm", "disk", "gpu", "host", "other"};
    int32_t word = 0;

    if (!value[0])
        return iso_fail(reterr, ISO_E_INVALID, "", "a condition on %s has no value",
                        field == ISO_PLUGIN_FIELD_LABEL ? "a label" : field_names[field]);
    if (field == ISO_PLUGIN_FIELD_PURCHASE) {
        ISO_TRY(iso_word_read(&iso_words_purchase, value, &word, reterr));
        value = purchases[word];
    } else if (field == ISO_PLUGIN_FIELD_KIND) {
        ISO_TRY(iso_word_read(&iso_words_kind, value, &word, reterr));
        value = kinds[word];
    }
    *ret_value = value;
    return ISO_OK;
}

/* The conditions of the term under way. */
struct builder {
    struct iso_scratch *scratch;
    struct iso_plugin_condition *conditions;
    size_t n;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a selector");
}

static size_t count(const char *text, size_t n_bytes, const char *of)
{
    size_t n = 0;

    for (size_t i = 0; i < n_bytes; i++)
        n += strchr(of, text[i]) != NULL;
    return n;
}

static enum iso_status add(struct builder *builder, int32_t field, const char *key,
                           const char *value, size_t n_bytes, struct iso_error *reterr)
{
    const char *copy = iso_scratch_text(builder->scratch, value, n_bytes);

    if (!copy)
        return no_memory(reterr);
    ISO_TRY(iso_condition_value(field, copy, &copy, reterr));
    builder->conditions[builder->n++] =
        (struct iso_plugin_condition){.field = field, .key = key, .value = copy};
    return ISO_OK;
}

/* provider/region/type, each a value or "*". */
static enum iso_status add_path(struct builder *builder, const char *text, size_t n_bytes,
                                struct iso_error *reterr)
{
    static const int32_t fields[] = {ISO_PLUGIN_FIELD_PROVIDER, ISO_PLUGIN_FIELD_REGION,
                                     ISO_PLUGIN_FIELD_TYPE};
    const char *end = text + n_bytes;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(fields); i++) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        size_t n = (size_t)((slash ? slash : end) - text);
        if (n != 1 || text[0] != '*')
            ISO_TRY(add(builder, fields[i], NULL, text, n, reterr));
        text += n + 1;
    }
    return ISO_OK;
}

static enum iso_status add_condition(struct builder *builder, const char *text, size_t n_bytes,
                                     struct iso_error *reterr)
{
    const char *end = text + n_bytes, *key = NULL;
    const char *colon = memchr(text, ':', n_bytes), *slash = memchr(text, '/', n_bytes);
    size_t n_slashes = count(text, n_bytes, "/");

    if (n_bytes == 1 && text[0] == '*')
        return ISO_OK;
    if (slash && (!colon || slash < colon)) {
        if (n_slashes == 2)
            return add_path(builder, text, n_bytes, reterr);
        if (n_slashes == OFFERING_SLASHES)
            return add(builder, ISO_PLUGIN_FIELD_OFFERING, NULL, text, n_bytes, reterr);
    }
    if (!colon)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.*s\" is not a condition; field:value, provider/region/type or a whole "
                        "offering id is",
                        (int)(n_bytes < 64 ? n_bytes : 64), text);
    size_t n_name = (size_t)(colon - text);
    int32_t field = iso_field_by_name(text, n_name);
    if (n_name > 6 && memcmp(text, "label.", 6) == 0) {
        field = ISO_PLUGIN_FIELD_LABEL;
        key = iso_scratch_text(builder->scratch, text + 6, n_name - 6);
        if (!key)
            return no_memory(reterr);
    }
    if (field < 0)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.*s\" is not a field; provider, region, zone, family, type, arch, os, "
                        "purchase, kind, offering and label.KEY are",
                        (int)(n_name < 64 ? n_name : 64), text);
    for (const char *value = colon + 1;;) {
        const char *bar = memchr(value, '|', (size_t)(end - value));
        ISO_TRY(add(builder, field, key, value, (size_t)((bar ? bar : end) - value), reterr));
        if (!bar)
            return ISO_OK;
        value = bar + 1;
    }
}

static enum iso_status read_term(const char *text, size_t n_bytes, struct iso_scratch *scratch,
                                 struct iso_plugin_term *term, struct iso_error *reterr)
{
    struct builder builder = {.scratch = scratch};
    const char *end = text + n_bytes;
    size_t n_most = count(text, n_bytes, " |") + 3; /* a path has three conditions */
    bool any = false;

    n_most += 2 * count(text, n_bytes, " ");
    builder.conditions = iso_scratch_calloc(scratch, n_most, sizeof(*builder.conditions));
    if (!builder.conditions)
        return no_memory(reterr);
    while (text < end) {
        size_t n = 0;
        while (text + n < end && text[n] != ' ')
            n++;
        if (n > 0)
            ISO_TRY(add_condition(&builder, text, n, reterr));
        any |= n > 0;
        text += n + 1;
    }
    if (!any)
        return iso_fail(reterr, ISO_E_INVALID, "", "an empty term; \"*\" stands for everything");
    *term = (struct iso_plugin_term){builder.conditions, builder.n};
    return ISO_OK;
}

enum iso_status iso_terms_read(const char *text, struct iso_scratch *scratch,
                               const struct iso_plugin_term **ret_terms, size_t *ret_n,
                               struct iso_error *reterr)
{
    size_t n = 0;

    if (!text || !text[0]) {
        *ret_terms = NULL;
        *ret_n = 0;
        return ISO_OK;
    }
    struct iso_plugin_term *terms =
        iso_scratch_calloc(scratch, count(text, strlen(text), ";") + 1, sizeof(*terms));
    if (!terms)
        return no_memory(reterr);
    for (;;) {
        size_t n_bytes = strcspn(text, ";");
        ISO_TRY(read_term(text, n_bytes, scratch, &terms[n++], reterr));
        if (!text[n_bytes])
            break;
        text += n_bytes + 1;
    }
    *ret_terms = terms;
    *ret_n = n;
    return ISO_OK;
}

static enum iso_status read_rate(const char *text, size_t n_bytes, bool ratio,
                                 struct iso_scratch *scratch, struct iso_plugin_rate *rate,
                                 struct iso_error *reterr)
{
    const char *equals = memchr(text, '=', n_bytes), *number = equals ? equals + 1 : text;
    struct iso_amount amount = {0};

    if (equals) {
        struct iso_plugin_term *term = iso_scratch_calloc(scratch, 1, sizeof(*term));
        if (!term)
            return no_memory(reterr);
        ISO_TRY(read_term(text, (size_t)(equals - text), scratch, term, reterr));
        if (term->n_conditions > 0)
            rate->offerings = (struct iso_plugin_selector){.include = term, .n_include = 1};
    }
    number += strspn(number, " ");
    size_t n = (size_t)(text + n_bytes - number);
    while (n > 0 && number[n - 1] == ' ')
        n--;
    const char *copy = iso_scratch_text(scratch, number, n);
    if (!copy)
        return no_memory(reterr);
    enum iso_number how = iso_number_read(copy, &amount, reterr);
    if (how == ISO_NUMBER_MISSING)
        return iso_fail(reterr, ISO_E_INVALID, "", "a rate has no number");
    if (how != ISO_NUMBER_READ)
        return ISO_E_INVALID;
    *(ratio ? &rate->price_ratio : &rate->units) = amount;
    return ISO_OK;
}

enum iso_status iso_rates_read(const char *text, bool ratio, struct iso_scratch *scratch,
                               const struct iso_plugin_rate **ret_rates, size_t *ret_n,
                               struct iso_error *reterr)
{
    size_t n = 0;

    if (!text || !text[0]) {
        *ret_rates = NULL;
        *ret_n = 0;
        return ISO_OK;
    }
    struct iso_plugin_rate *rates =
        iso_scratch_calloc(scratch, count(text, strlen(text), ";") + 1, sizeof(*rates));
    if (!rates)
        return no_memory(reterr);
    for (;;) {
        size_t n_bytes = strcspn(text, ";");
        ISO_TRY(read_rate(text, n_bytes, ratio, scratch, &rates[n++], reterr));
        if (!text[n_bytes])
            break;
        text += n_bytes + 1;
    }
    *ret_rates = rates;
    *ret_n = n;
    return ISO_OK;
}
