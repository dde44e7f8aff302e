#include "changes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "changes_internal.h"
#include "message_new.h"

/* --- what the kinds share --- */

void iso_change_wrong(struct iso_change_run *run, enum iso_change_part part, const char *format,
                      ...)
{
    struct iso_text_place place = iso_change_place(run->change->text, part);
    char field[160], text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bool before = run->index < run->changes->n_before;
    snprintf(field, sizeof(field), "%s[%zu]%s", before ? "session.changes" : run->changes->path,
             run->index - (before ? 0 : run->changes->n_before), place.column > 0 ? ".text" : "");
    if (place.column > 0)
        iso_violations_add(run->violations, field, "column %d: %s", place.column, text);
    else
        iso_violations_add(run->violations, field, "%s", text);
}

void iso_change_unknown(struct iso_change_run *run, const char *what, const char *id,
                        const void *list, size_t n, size_t id_offset)
{
    char *const *messages;
    char known[240] = "";

    memcpy(&messages, list, sizeof(messages));
    for (size_t i = 0; i < n; i++) {
        const char *known_id = *(char *const *)(const void *)(messages[i] + id_offset);
        size_t used = strlen(known);
        if (used + strlen(known_id) + 8 > sizeof(known)) {
            snprintf(known + used, sizeof(known) - used, ", ...");
            break;
        }
        snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", known_id);
    }
    if (n == 0)
        iso_change_wrong(run, ISO_CHANGE_TARGET, "no %s has the id \"%.64s\"; the model has none",
                         what, id);
    else
        iso_change_wrong(run, ISO_CHANGE_TARGET, "no %s has the id \"%.64s\"; there %s %s", what,
                         id, n > 1 ? "are" : "is", known);
}

enum iso_status iso_change_no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a changed model");
}

void *iso_change_copy(struct iso_change_run *run, const void *bytes, size_t n)
{
    void *copy = iso_arena_calloc(run->arena, n ? n : 1, 1);

    if (copy && n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

void *iso_change_own(struct iso_change_run *run, void *list, size_t n, size_t i)
{
    ProtobufCMessage **messages, **copy;

    memcpy(&messages, list, sizeof(messages));
    copy = iso_change_copy(run, messages, n * sizeof(*copy));
    if (!copy)
        return NULL;
    copy[i] = iso_change_copy(run, messages[i], messages[i]->descriptor->sizeof_message);
    memcpy(list, &copy, sizeof(copy));
    return copy[i];
}

bool iso_change_append(struct iso_change_run *run, void *list, size_t *n, void *message)
{
    void **messages, **copy = iso_arena_calloc(run->arena, *n + 1, sizeof(*copy));

    if (!copy || !message)
        return false;
    memcpy(&messages, list, sizeof(messages));
    if (*n > 0)
        memcpy(copy, messages, *n * sizeof(*copy));
    copy[(*n)++] = message;
    memcpy(list, &copy, sizeof(copy));
    return true;
}

Isocost__V1__Catalog *iso_change_catalog(struct iso_change_run *run)
{
    Isocost__V1__Catalog *catalog = run->model->catalog;

    if (run->catalog_owned)
        return catalog;
    catalog = catalog ? iso_change_copy(run, catalog, sizeof(*catalog))
                      : iso_message_new(run->arena, &isocost__v1__catalog__descriptor);
    run->model->catalog = catalog;
    run->catalog_owned = catalog != NULL;
    return catalog;
}

Isocost__V1__Selector *iso_change_selector_of(struct iso_change_run *run,
                                              Isocost__V1__SelectorTerm *term)
{
    Isocost__V1__Selector *selector =
        iso_message_new(run->arena, &isocost__v1__selector__descriptor);

    if (!term)
        term = iso_message_new(run->arena, &isocost__v1__selector_term__descriptor);
    if (!selector || !iso_change_append(run, &selector->include, &selector->n_include, term))
        return NULL;
    return selector;
}

bool iso_change_multiply(struct iso_change_run *run, double value, double factor,
                         enum iso_round round, double *ret_product)
{
    iso_decimal a, b, product;

    if (iso_decimal_from_double(value, &a, NULL) != ISO_OK ||
        iso_decimal_from_double(factor, &b, NULL) != ISO_OK ||
        !iso_decimal_multiply(a, b, round, &product)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE,
                         "%.17g times %.17g is out of range; numbers have at most 9 places and are "
                         "at most 9223372036",
                         value, factor);
        return false;
    }
    *ret_product = iso_decimal_to_double(product);
    return true;
}

/* --- reading --- */

enum iso_status iso_changes_read(Isocost__V1__Change *const *given, size_t n, const char *path,
                                 struct iso_violations *violations,
                                 Isocost__V1__Change ***ret_changes, struct iso_error *reterr)
{
    Isocost__V1__Change **changes = iso_arena_calloc(violations->arena, n + 1, sizeof(*changes));
    char field[160];

    if (!changes)
        return iso_change_no_memory(reterr);
    for (size_t i = 0; i < n; i++) {
        struct iso_error error = {0};
        changes[i] = given[i];
        snprintf(field, sizeof(field), "%s[%zu]", path, i);
        if (given[i]->change_case != ISOCOST__V1__CHANGE__CHANGE__NOT_SET)
            continue; /* a text beside it is what people see of it */
        if (!given[i]->text[0]) {
            iso_violations_add(violations, field, "is empty; give a text or a change");
            continue;
        }
        enum iso_status status =
            iso_change_read(given[i]->text, violations->arena, &changes[i], NULL, &error);
        if (status == ISO_E_INVALID) {
            snprintf(field, sizeof(field), "%s[%zu].text", path, i);
            iso_violations_add(violations, field, "%s", error.text);
        } else if (status != ISO_OK) {
            return iso_fail(reterr, status, "", "%s", error.text);
        }
    }
    *ret_changes = changes;
    return iso_violations_status(violations, reterr);
}

/* --- changes that take back others --- */

static bool same_message(const ProtobufCMessage *a, const ProtobufCMessage *b,
                         struct iso_arena *arena)
{
    size_t n_a = a ? protobuf_c_message_get_packed_size(a) : 0;
    size_t n_b = b ? protobuf_c_message_get_packed_size(b) : 0;

    if (n_a != n_b)
        return false;
    unsigned char *bytes = iso_arena_calloc(arena, 2 * n_a + 1, 1);
    if (!bytes)
        return false;
    if (n_a > 0) {
        protobuf_c_message_pack(a, bytes);
        protobuf_c_message_pack(b, bytes + n_a);
    }
    return memcmp(bytes, bytes + n_a, n_a) == 0;
}

static bool same_ids(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static const ProtobufCMessage *base_of(const Isocost__V1__SelectorTerm *term)
{
    return term ? &term->base : NULL;
}

/* Whether `later` takes the place of `earlier`, which then does not count. */
static bool takes_back(const Isocost__V1__Change *later, const Isocost__V1__Change *earlier,
                       struct iso_arena *arena)
{
    if (later->change_case != earlier->change_case)
        return false;
    switch (later->change_case) {
    case ISOCOST__V1__CHANGE__CHANGE_OUTAGE:
        return strcmp(later->outage->provider, earlier->outage->provider) == 0 &&
               strcmp(later->outage->region, earlier->outage->region) == 0;
    case ISOCOST__V1__CHANGE__CHANGE_FORBID:
        return same_message(base_of(later->forbid->offerings), base_of(earlier->forbid->offerings),
                            arena) &&
               same_ids(later->forbid->workloads, later->forbid->n_workloads,
                        earlier->forbid->workloads, earlier->forbid->n_workloads);
    case ISOCOST__V1__CHANGE__CHANGE_REQUIRE:
        return same_message(base_of(later->require->offerings),
                            base_of(earlier->require->offerings), arena) &&
               same_ids(later->require->periods, later->require->n_periods,
                        earlier->require->periods, earlier->require->n_periods);
    case ISOCOST__V1__CHANGE__CHANGE_RULE:
        return strcmp(later->rule->rule, earlier->rule->rule) == 0;
    case ISOCOST__V1__CHANGE__CHANGE_OFFERING:
        return later->offering->change_case == ISOCOST__V1__OFFERING_CHANGE__CHANGE_RESTORE &&
               earlier->offering->change_case == ISOCOST__V1__OFFERING_CHANGE__CHANGE_REMOVE &&
               same_message(base_of(later->offering->restore), base_of(earlier->offering->remove),
                            arena);
    default:
        return false;
    }
}

/* Leaves out what later changes take back, and what nothing but takes back. */
static bool *find_active(struct iso_change_run *run)
{
    Isocost__V1__Change *const *changes = run->changes->items;
    size_t n = run->changes->n;
    bool *active = iso_arena_calloc(run->arena, n + 1, sizeof(*active));

    for (size_t i = 0; active && i < n; i++) {
        const Isocost__V1__Change *change = changes[i];
        bool found = false;

        active[i] = true;
        for (size_t k = 0; k < i; k++)
            if (active[k] && takes_back(change, changes[k], run->arena)) {
                active[k] = false;
                found = true;
            }
        bool only_back =
            (change->change_case == ISOCOST__V1__CHANGE__CHANGE_OUTAGE && change->outage->over) ||
            (change->change_case == ISOCOST__V1__CHANGE__CHANGE_FORBID && change->forbid->lifted) ||
            (change->change_case == ISOCOST__V1__CHANGE__CHANGE_REQUIRE &&
             change->require->minimum == 0);
        if (only_back) {
            active[i] = false;
            run->change = change;
            run->index = i;
            if (!found)
                iso_change_wrong(run, ISO_CHANGE_TARGET,
                                 "no change before it put this, so it cannot be taken back");
        } else if (found && change->change_case == ISOCOST__V1__CHANGE__CHANGE_OFFERING) {
            active[i] = false; /* it is as it was; not made available beyond that */
        }
    }
    return active;
}

/* --- applying --- */

static iso_change_apply_one *const appliers[] = {
    [ISOCOST__V1__CHANGE__CHANGE_PRICE] = iso_apply_price,
    [ISOCOST__V1__CHANGE__CHANGE_DEMAND] = iso_apply_demand,
    [ISOCOST__V1__CHANGE__CHANGE_LIMIT] = iso_apply_limit,
    [ISOCOST__V1__CHANGE__CHANGE_BUDGET] = iso_apply_budget,
    [ISOCOST__V1__CHANGE__CHANGE_RATE] = iso_apply_rate,
    [ISOCOST__V1__CHANGE__CHANGE_OUTAGE] = iso_apply_outage,
    [ISOCOST__V1__CHANGE__CHANGE_OFFERING] = iso_apply_offering,
    [ISOCOST__V1__CHANGE__CHANGE_FORBID] = iso_apply_forbid,
    [ISOCOST__V1__CHANGE__CHANGE_REQUIRE] = iso_apply_require,
    [ISOCOST__V1__CHANGE__CHANGE_WORKLOAD] = iso_apply_workload,
    [ISOCOST__V1__CHANGE__CHANGE_COMMITMENT] = iso_apply_commitment,
    [ISOCOST__V1__CHANGE__CHANGE_RULE] = iso_apply_rule,
};

enum iso_status iso_changes_apply(const Isocost__V1__Model *base, const struct iso_changes *changes,
                                  const struct iso_product_source *source,
                                  struct iso_violations *violations, Isocost__V1__Model **ret_model,
                                  struct iso_error *reterr)
{
    struct iso_change_run run = {
        .arena = violations->arena, .violations = violations, .source = source, .changes = changes};
    bool *active;

    if (changes->n > ISO_CHANGES_MAX) {
        iso_violations_add(violations, changes->path, "%zu changes in all; at most %d are allowed",
                           changes->n, ISO_CHANGES_MAX);
        return iso_violations_status(violations, reterr);
    }
    run.model = iso_change_copy(&run, base, sizeof(*base));
    active = run.model ? find_active(&run) : NULL;
    if (!active)
        return iso_change_no_memory(reterr);
    for (size_t i = 0; i < changes->n; i++) {
        run.change = changes->items[i];
        run.index = i;
        if (active[i])
            ISO_TRY(appliers[run.change->change_case](&run, reterr));
        if (iso_arena_full(run.arena))
            return iso_change_no_memory(reterr);
    }
    ISO_TRY(iso_violations_status(violations, reterr));
    *ret_model = run.model;
    return ISO_OK;
}
