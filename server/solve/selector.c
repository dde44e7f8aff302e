#include "selector.h"

#include <string.h>

#include "provider_alias.h"

struct pattern {
    const char *text; /* lower case, without the `*` */
    uint32_t length;
    bool prefix; /* any rest may follow */
};

struct patterns {
    size_t n; /* 0: everything */
    struct pattern *items;
};

enum field {
    FIELD_PROVIDER,
    FIELD_REGION,
    FIELD_ZONE,
    FIELD_FAMILY,
    FIELD_TYPE,
    FIELD_ARCH,
    FIELD_OS,
    FIELD_OFFERING,
    N_FIELDS
};

struct label {
    const char *line; /* "key=value\n", or "key=prefix" */
    bool prefix;
};

struct term {
    struct patterns fields[N_FIELDS];
    uint32_t purchases, kinds; /* bit sets of enum values; 0: everything */
    size_t n_labels;
    struct label *labels;
};

struct iso_selector {
    size_t n_include, n_exclude;
    struct term *include, *exclude;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char *lower_copy(const char *text, struct iso_arena *arena)
{
    char *copy = iso_arena_strdup(arena, text);

    for (char *c = copy; c && *c; c++)
        *c = lower(*c);
    return copy;
}

static bool pattern_matches(const struct pattern *pattern, const char *text)
{
    for (uint32_t i = 0; i < pattern->length; i++)
        if (lower(text[i]) != pattern->text[i]) /* also at the end of `text` */
            return false;
    return pattern->prefix || text[pattern->length] == '\0';
}

bool iso_pattern_matches(const char *pattern, const char *text)
{
    size_t length = strlen(pattern);

    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, text, length - 1) == 0;
    return strcmp(pattern, text) == 0;
}

char *iso_offering_id_fold(const char *text, struct iso_arena *arena)
{
    char provider[ISO_PROVIDER_BUFFER_SIZE], buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *rest = strchr(text, '/'), *folded;
    size_t length = rest ? (size_t)(rest - text) : 0;
    int n_parts = 1;

    for (const char *c = text; *c; c++)
        if (*c == '/') {
            n_parts++;
            if (c[1] == '/' || c[1] == '\0')
                return NULL;
        }
    if (n_parts != 6 || length == 0 || length >= sizeof(provider))
        return NULL;
    memcpy(provider, text, length);
    provider[length] = '\0';
    folded = iso_provider_fold(provider, buffer);
    if (!folded)
        return NULL;
    char *lowered = lower_copy(rest, arena);
    return lowered ? iso_arena_printf(arena, "%s%s", folded, lowered) : NULL;
}

static bool compile_patterns(char **values, size_t n, enum field field, struct patterns *patterns,
                             struct iso_arena *arena)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];

    patterns->n = n;
    patterns->items = iso_arena_calloc(arena, n, sizeof(*patterns->items));
    if (!patterns->items)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = values[i], *folded = NULL;
        if (field == FIELD_PROVIDER)
            folded = iso_provider_fold(text, buffer);
        else if (field == FIELD_OFFERING)
            folded = iso_offering_id_fold(text, arena);
        text = lower_copy(folded ? folded : text, arena);
        if (!text)
            return false;
        uint32_t length = (uint32_t)strlen(text);
        bool prefix = length > 0 && text[length - 1] == '*';
        patterns->items[i] = (struct pattern){text, length - prefix, prefix};
    }
    return true;
}

static bool compile_labels(const Isocost__V1__SelectorTerm *message, struct term *term,
                           struct iso_arena *arena)
{
    term->n_labels = message->n_labels;
    term->labels = iso_arena_calloc(arena, message->n_labels, sizeof(*term->labels));
    if (!term->labels)
        return false;
    for (size_t i = 0; i < message->n_labels; i++) {
        const char *value = message->labels[i]->value;
        size_t length = strlen(value);
        bool prefix = length > 0 && value[length - 1] == '*';
        term->labels[i].prefix = prefix;
        term->labels[i].line = iso_arena_printf(arena, "%s=%.*s%s", message->labels[i]->key,
                                                (int)(length - prefix), value, prefix ? "" : "\n");
        if (!term->labels[i].line)
            return false;
    }
    return true;
}

static bool compile_term(const Isocost__V1__SelectorTerm *message, struct term *term,
                         struct iso_arena *arena)
{
    const struct {
        char **values;
        size_t n;
    } fields[N_FIELDS] = {
        [FIELD_PROVIDER] = {message->provider, message->n_provider},
        [FIELD_REGION] = {message->region, message->n_region},
        [FIELD_ZONE] = {message->zone, message->n_zone},
        [FIELD_FAMILY] = {message->family, message->n_family},
        [FIELD_TYPE] = {message->type, message->n_type},
        [FIELD_ARCH] = {message->arch, message->n_arch},
        [FIELD_OS] = {message->os, message->n_os},
        [FIELD_OFFERING] = {message->offering, message->n_offering},
    };

    for (int f = 0; f < N_FIELDS; f++)
        if (!compile_patterns(fields[f].values, fields[f].n, (enum field)f, &term->fields[f],
                              arena))
            return false;
    for (size_t i = 0; i < message->n_purchase; i++)
        term->purchases |= 1u << ((uint32_t)message->purchase[i] & 31u);
    for (size_t i = 0; i < message->n_kind; i++)
        term->kinds |= 1u << ((uint32_t)message->kind[i] & 31u);
    return compile_labels(message, term, arena);
}

static struct term *compile_terms(Isocost__V1__SelectorTerm **messages, size_t n,
                                  struct iso_arena *arena)
{
    struct term *terms = iso_arena_calloc(arena, n, sizeof(*terms));

    for (size_t i = 0; terms && i < n; i++)
        if (!compile_term(messages[i], &terms[i], arena))
            return NULL;
    return terms;
}

const struct iso_selector *iso_selector_compile(const Isocost__V1__Selector *message,
                                                struct iso_arena *arena)
{
    struct iso_selector *selector = iso_arena_calloc(arena, 1, sizeof(*selector));

    if (!selector || !message)
        return selector;
    selector->n_include = message->n_include;
    selector->include = compile_terms(message->include, message->n_include, arena);
    selector->n_exclude = message->n_exclude;
    selector->exclude = compile_terms(message->exclude, message->n_exclude, arena);
    return selector->include && selector->exclude ? selector : NULL;
}

static bool has_label(const char *lines, const struct label *label)
{
    size_t length = strlen(label->line);

    while (lines && *lines) {
        if (strncmp(lines, label->line, length) == 0)
            return true;
        lines = strchr(lines, '\n');
        lines = lines ? lines + 1 : NULL;
    }
    return false;
}

static bool any_matches(const struct patterns *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (pattern_matches(&patterns->items[i], text))
            return true;
    return patterns->n == 0;
}

static bool term_matches(const struct term *term, const struct iso_snapshot_offering *offering)
{
    const char *const texts[N_FIELDS] = {
        [FIELD_PROVIDER] = offering->provider,
        [FIELD_REGION] = offering->region,
        [FIELD_ZONE] = offering->zone,
        [FIELD_FAMILY] = offering->family,
        [FIELD_TYPE] = offering->type,
        [FIELD_ARCH] = offering->arch,
        [FIELD_OS] = offering->os,
        [FIELD_OFFERING] = offering->id,
    };
    /* An offering that does not say what it is, is a virtual machine. */
    uint32_t kind = offering->kind == 0 ? ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM
                                        : (uint32_t)offering->kind;

    if (term->purchases != 0 && !(term->purchases >> offering->purchase & 1u))
        return false;
    if (term->kinds != 0 && !(term->kinds >> kind & 1u))
        return false;
    for (int f = 0; f < N_FIELDS; f++)
        if (!any_matches(&term->fields[f], texts[f]))
            return false;
    for (size_t i = 0; i < term->n_labels; i++)
        if (!has_label(offering->labels, &term->labels[i]))
            return false;
    return true;
}

bool iso_selector_matches(const struct iso_selector *selector,
                          const struct iso_snapshot_offering *offering)
{
    bool included = selector->n_include == 0;

    for (size_t i = 0; i < selector->n_include && !included; i++)
        included = term_matches(&selector->include[i], offering);
    for (size_t i = 0; i < selector->n_exclude && included; i++)
        included = !term_matches(&selector->exclude[i], offering);
    return included;
}
