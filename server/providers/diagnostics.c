#include "diagnostics.h"

#include "host_process.h"
#include "hygiene.h"

#include <stdbool.h>

enum { MAX_CODES = 64 };
#define ARENA_BYTES ((size_t)128 << 20)

struct iso_diagnostics {
    struct iso_arena *arena;
    int max_examples;
    int64_t n_quarantined;
    size_t n_counts;
    Isocost__V1__DiagnosticCount *counts[MAX_CODES];
    int kept[MAX_CODES];
    size_t n_examples, capacity;
    Isocost__V1__Diagnostic **examples;
    const Isocost__V1__Diagnostic *first;
};

struct iso_diagnostics *iso_diagnostics_new(int max_examples)
{
    struct iso_diagnostics *diagnostics = iso_calloc(1, sizeof(*diagnostics));

    if (!diagnostics)
        return NULL;
    diagnostics->max_examples = max_examples;
    diagnostics->arena = iso_arena_new(ARENA_BYTES);
    if (!diagnostics->arena) {
        free(diagnostics);
        return NULL;
    }
    return diagnostics;
}

void iso_diagnostics_free(struct iso_diagnostics *diagnostics)
{
    if (!diagnostics)
        return;
    iso_arena_free(diagnostics->arena);
    free(diagnostics->examples);
    free(diagnostics);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for diagnostics");
}

static bool is_code(const char *code)
{
    size_t n = strlen(code);

    return n >= 1 && n <= 64 && strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* Rows that were left out and rows that stayed are counted apart, also under one code. */
static size_t find(const struct iso_diagnostics *diagnostics, const char *code, bool quarantined)
{
    size_t i = 0;

    while (i < diagnostics->n_counts && (strcmp(diagnostics->counts[i]->code, code) != 0 ||
                                         diagnostics->counts[i]->quarantined != quarantined))
        i++;
    return i;
}

static enum iso_status find_or_add(struct iso_diagnostics *diagnostics, const char *code,
                                   bool quarantined, size_t *ret_at, struct iso_error *reterr)
{
    size_t at = find(diagnostics, code, quarantined);

    /* The last two places are for "other". */
    if (!is_code(code) || (at == diagnostics->n_counts && at >= MAX_CODES - 2)) {
        code = "other";
        at = find(diagnostics, code, quarantined);
    }
    if (at == diagnostics->n_counts) {
        Isocost__V1__DiagnosticCount *count =
            iso_arena_calloc(diagnostics->arena, 1, sizeof(*count));
        char *copy = iso_arena_strdup(diagnostics->arena, code);
        if (!count || !copy)
            return no_memory(reterr);
        isocost__v1__diagnostic_count__init(count);
        count->code = copy;
        count->quarantined = quarantined;
        count->severity = iso_hygiene_severity(code, quarantined);
        diagnostics->counts[diagnostics->n_counts++] = count;
    }
    *ret_at = at;
    return ISO_OK;
}

static enum iso_status keep(struct iso_diagnostics *diagnostics, const char *code, bool quarantined,
                            const char *place, const char *text, struct iso_error *reterr)
{
    Isocost__V1__Diagnostic *example = iso_arena_calloc(diagnostics->arena, 1, sizeof(*example));

    if (diagnostics->n_examples == diagnostics->capacity) {
        size_t capacity = 2 * diagnostics->capacity + 16;
        Isocost__V1__Diagnostic **larger =
            iso_realloc(diagnostics->examples, capacity, sizeof(*larger));
        if (!larger)
            return no_memory(reterr);
        diagnostics->examples = larger;
        diagnostics->capacity = capacity;
    }
    if (!example)
        return no_memory(reterr);
    isocost__v1__diagnostic__init(example);
    example->code = (char *)code;
    example->quarantined = quarantined;
    example->severity = iso_hygiene_severity(code, quarantined);
    example->place = iso_arena_printf(diagnostics->arena, "%.400s", place);
    example->text = iso_arena_printf(diagnostics->arena, "%.400s", text);
    if (!example->place || !example->text)
        return no_memory(reterr);
    diagnostics->examples[diagnostics->n_examples++] = example;
    if (quarantined && !diagnostics->first)
        diagnostics->first = example;
    return ISO_OK;
}

enum iso_status iso_diagnostics_add(struct iso_diagnostics *diagnostics, const char *code,
                                    bool quarantined, const char *place, const char *text,
                                    struct iso_error *reterr)
{
    size_t at = 0;

    ISO_TRY(find_or_add(diagnostics, code, quarantined, &at, reterr));
    diagnostics->counts[at]->count++;
    if (quarantined)
        diagnostics->n_quarantined++;
    if (diagnostics->kept[at] >= diagnostics->max_examples)
        return ISO_OK;
    diagnostics->kept[at]++;
    return keep(diagnostics, diagnostics->counts[at]->code, quarantined, place, text, reterr);
}

int64_t iso_diagnostic_rows(const Isocost__V1__Diagnostic *told)
{
    return told->count > 1 && told->count < ISO_HOST_MAX_ROWS ? told->count : 1;
}

enum iso_status iso_diagnostics_take(struct iso_diagnostics *diagnostics,
                                     const Isocost__V1__Diagnostic *told, struct iso_error *reterr)
{
    int64_t n = iso_diagnostic_rows(told);
    size_t at = 0;

    if (told->count == 0)
        return iso_diagnostics_add(diagnostics, told->code, told->quarantined, told->place,
                                   told->text, reterr);
    ISO_TRY(find_or_add(diagnostics, told->code, told->quarantined, &at, reterr));
    diagnostics->counts[at]->count += n;
    diagnostics->n_quarantined += told->quarantined ? n : 0;
    return ISO_OK;
}

int64_t iso_diagnostics_quarantined(const struct iso_diagnostics *diagnostics)
{
    return diagnostics->n_quarantined;
}

const Isocost__V1__Diagnostic *iso_diagnostics_first(const struct iso_diagnostics *diagnostics)
{
    return diagnostics->first;
}

void iso_diagnostics_counts(const struct iso_diagnostics *diagnostics,
                            Isocost__V1__DiagnosticCount ***ret_counts, size_t *ret_n_counts)
{
    *ret_counts = (Isocost__V1__DiagnosticCount **)diagnostics->counts;
    *ret_n_counts = diagnostics->n_counts;
}

void iso_diagnostics_examples(const struct iso_diagnostics *diagnostics,
                              Isocost__V1__Diagnostic ***ret_examples, size_t *ret_n_examples)
{
    *ret_examples = diagnostics->examples;
    *ret_n_examples = diagnostics->n_examples;
}
