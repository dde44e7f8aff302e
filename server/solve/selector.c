#include "selector.h"

#include <string.h>

#include "provider_alias.h"
#include "selector_parts.h"

static char *lower_copy(const char *text, struct iso_arena *arena)
{
    char *copy = iso_arena_strdup(arena, text);

    for (char *c = copy; c && *c; c++)
        *c = iso_lower(*c);
    return copy;
}

static bool pattern_matches(const struct iso_pattern *pattern, const char *text)
{
    for (uint32_t i = 0; i < pattern->length; i++)
        if (iso_lower(text[i]) != pattern->text[i]) /* also at the end of `text` */
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

static bool compile_patterns(char **values, size_t n, enum iso_selector_field field,
                             struct iso_patterns *patterns, struct iso_arena *arena)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];

    if (n == 0)
        return true;
    patterns->n = n;
    patterns->items = iso_arena_calloc(arena, n, sizeof(*patterns->items));
    if (!patterns->items)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = values[i], *folded = NULL;
        if (field == ISO_FIELD_PROVIDER)
            folded = iso_provider_fold(text, buffer);
        else if (field == ISO_FIELD_OFFERING)
            folded = iso_offering_id_fold(text, arena);
        text = lower_copy(folded ? folded : text, arena);
        if (!text)
            return false;
        uint32_t length = (uint32_t)strlen(text);
        bool prefix = length > 0 && text[length - 1] == '*';
        patterns->items[i] = (struct iso_pattern){text, length - prefix, prefix};
    }
    return true;
}

static bool compile_labels(const Isocost__V1__SelectorTerm *message, struct iso_selector_term *term,
                           struct iso_arena *arena)
{
    if (message->n_labels == 0)
        return true;
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

static bool compile_term(const Isocost__V1__SelectorTerm *message, struct iso_selector_term *term,
                         struct iso_arena *arena)
{
    const struct {
        char **values;
        size_t n;
    } fields[ISO_N_FIELDS] = {
        [ISO_FIELD_PROVIDER] = {message->provider, message->n_provider},
        [ISO_FIELD_REGION] = {message->region, message->n_region},
        [ISO_FIELD_ZONE] = {message->zone, message->n_zone},
        [ISO_FIELD_FAMILY] = {message->family, message->n_family},
        [ISO_FIELD_TYPE] = {message->type, message->n_type},
        [ISO_FIELD_ARCH] = {message->arch, message->n_arch},
        [ISO_FIELD_OS] = {message->os, message->n_os},
        [ISO_FIELD_OFFERING] = {message->offering, message->n_offering},
    };

    for (int f = 0; f < ISO_N_FIELDS; f++)
        if (!compile_patterns(fields[f].values, fields[f].n, (enum iso_selector_field)f,
                              &term->fields[f], arena))
            return false;
    for (size_t i = 0; i < message->n_purchase; i++)
        term->purchases |= 1u << ((uint32_t)message->purchase[i] & 31u);
    for (size_t i = 0; i < message->n_kind; i++)
        term->kinds |= 1u << ((uint32_t)message->kind[i] & 31u);
    return compile_labels(message, term, arena);
}

static struct iso_selector_term *compile_terms(Isocost__V1__SelectorTerm **messages, size_t n,
                                               struct iso_arena *arena)
{
    struct iso_selector_term *terms = iso_arena_calloc(arena, n, sizeof(*terms));

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
    if (message->n_exclude > 0)
        selector->exclude = compile_terms(message->exclude, message->n_exclude, arena);
    selector->n_exclude = message->n_exclude;
    return selector->include && (selector->exclude || selector->n_exclude == 0) ? selector : NULL;
}

static bool has_label(const char *lines, const struct iso_selector_label *label)
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

static bool any_matches(const struct iso_patterns *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (pattern_matches(&patterns->items[i], text))
            return true;
    return patterns->n == 0;
}

const char *iso_selector_text(const struct iso_snapshot_offering *offering,
                              enum iso_selector_field field)
{
    switch (field) {
    case ISO_FIELD_PROVIDER:
        return offering->provider;
    case ISO_FIELD_REGION:
        return offering->region;
    case ISO_FIELD_ZONE:
        return offering->zone;
    case ISO_FIELD_FAMILY:
        return offering->family;
    case ISO_FIELD_TYPE:
        return offering->type;
    case ISO_FIELD_ARCH:
        return offering->arch;
    case ISO_FIELD_OS:
        return offering->os;
    default:
        return offering->id;
    }
}

static bool term_matches(const struct iso_selector_term *term,
                         const struct iso_snapshot_offering *offering)
{
    /* An offering that does not say what it is, is a virtual machine. */
    uint32_t kind = offering->kind == 0 ? ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM
                                        : (uint32_t)offering->kind;

    if (term->purchases != 0 && !(term->purchases >> offering->purchase & 1u))
        return false;
    if (term->kinds != 0 && !(term->kinds >> kind & 1u))
        return false;
    for (int f = 0; f < ISO_N_FIELDS; f++)
        if (!any_matches(&term->fields[f], iso_selector_text(offering, (enum iso_selector_field)f)))
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
