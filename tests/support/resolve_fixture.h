/* Models as YAML, checked and resolved, for unit tests. */
#ifndef ISOCOST_TESTS_RESOLVE_FIXTURE_H
#define ISOCOST_TESTS_RESOLVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "resolve.h"

/* A decimal from a literal with few places: D(1.5). */
#define D(number) ((iso_decimal)((number)*1e9 + ((number) < 0 ? -0.5 : 0.5)))

struct fixture {
    struct iso_arena *arena;
    struct iso_violations violations;
    Isocost__V1__Model *model;
    struct iso_resolved *resolved; /* NULL: refused */
    const struct iso_problem *problem;
    struct iso_error error;
};

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->arena = iso_arena_new((size_t)1 << 30);
    assert_non_null(f->arena);
    f->violations.arena = f->arena;
}

static inline void fixture_fini(struct fixture *f)
{
    iso_arena_free(f->arena);
}

static inline void fixture_read(struct fixture *f, const char *yaml)
{
    ProtobufCMessage *message = NULL;

    if (iso_yaml_read(&isocost__v1__model__descriptor, yaml, strlen(yaml), f->arena, &f->violations,
                      &message, &f->error) != ISO_OK)
        fail_msg("%s: %s", f->error.field, f->error.text);
    f->model = (Isocost__V1__Model *)message;
}

/* Checks and resolves on a day, in days since 1970; f->resolved is NULL when there are violations.
 */
static inline void fixture_resolve_on(struct fixture *f, const char *yaml,
                                      const struct iso_snapshot *snapshot, int32_t today)
{
    fixture_init(f);
    fixture_read(f, yaml);
    iso_model_check(f->model, "model", &f->violations);
    if (iso_violations_status(&f->violations, &f->error) != ISO_OK)
        return;
    if (iso_resolve(f->model, snapshot, today, NULL, f->arena, &f->violations, &f->resolved,
                    &f->error) == ISO_OK &&
        iso_resolve_digests(f->model, "", f->resolved, &f->error) == ISO_OK)
        f->problem = &f->resolved->problem;
}

static inline void fixture_resolve(struct fixture *f, const char *yaml,
                                   const struct iso_snapshot *snapshot)
{
    fixture_resolve_on(f, yaml, snapshot, 0);
}

/* The same for a model that must be right. */
static inline void fixture_good(struct fixture *f, const char *yaml,
                                const struct iso_snapshot *snapshot)
{
    fixture_resolve(f, yaml, snapshot);
    if (!f->resolved)
        fail_msg("%s: %s", f->error.field, f->error.text);
}

/* Fails unless one violation has this path and a text that contains `part`. */
static inline void fixture_expect(const struct fixture *f, const char *path, const char *part)
{
    for (int i = 0; i < f->violations.n; i++)
        if (strcmp(f->violations.items[i].field, path) == 0 &&
            strstr(f->violations.items[i].text, part))
            return;
    for (int i = 0; i < f->violations.n; i++)
        print_message("have %s: %s\n", f->violations.items[i].field, f->violations.items[i].text);
    fail_msg("no violation of %s with \"%s\"", path, part);
}

static inline bool fixture_warned(const struct fixture *f, const char *part)
{
    for (int32_t i = 0; i < f->resolved->n_warnings; i++)
        if (strstr(f->resolved->warnings[i], part))
            return true;
    return false;
}

/* Fails one allocation after the other until a model is resolved: each failure must be reported. */
static inline void fixture_survives_failed_allocations(const char *yaml,
                                                       const struct iso_snapshot *snapshot)
{
    enum iso_status status = ISO_E_NOMEM;

    for (long nth = 0; status != ISO_OK; nth++) {
        struct fixture f;
        fixture_init(&f);
        fixture_read(&f, yaml);
        iso_alloc_fail_at(nth);
        status =
            iso_resolve(f.model, snapshot, 0, NULL, f.arena, &f.violations, &f.resolved, &f.error);
        iso_alloc_fail_at(-1);
        if (status != ISO_OK)
            assert_true(status == ISO_E_NOMEM || status == ISO_E_LIMIT);
        fixture_fini(&f);
        assert_true(nth < 1000);
    }
}

/* A model that is refused, with the field that a violation names and a part of its text. */
struct fixture_refusal {
    const char *yaml, *path, *part;
};

/* Fails unless each model, `before` and its own YAML, is refused as it says. */
static inline void fixture_refuses(const char *before, const struct fixture_refusal *refusals,
                                   size_t n)
{
    char yaml[8192];

    for (size_t i = 0; i < n; i++) {
        struct fixture f;
        snprintf(yaml, sizeof(yaml), "%s%s", before, refusals[i].yaml);
        fixture_resolve(&f, yaml, NULL);
        assert_null(f.resolved);
        fixture_expect(&f, refusals[i].path, refusals[i].part);
        fixture_fini(&f);
    }
}

/* What a filter removed for a workload; 0 when it is not listed. */
static inline int64_t fixture_filtered(const struct fixture *f, const char *workload,
                                       const char *filter)
{
    for (int32_t i = 0; i < f->resolved->n_filters; i++)
        if (strcmp(f->resolved->filters[i]->workload, workload) == 0 &&
            strcmp(f->resolved->filters[i]->filter, filter) == 0)
            return f->resolved->filters[i]->count;
    return 0;
}

static inline int32_t fixture_offering(const struct fixture *f, const char *id)
{
    for (int32_t o = 0; o < f->problem->n_offerings; o++)
        if (strcmp(f->problem->offerings[o].id, id) == 0)
            return o;
    return -1;
}

#endif
