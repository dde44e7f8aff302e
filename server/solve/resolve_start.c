/* The plan to start from: checks of the message, and what it becomes. What the model does not have
 * is left out with a warning, because an earlier plan may know what is gone. */
#include <string.h>

#include "isocost/plan.h"
#include "model_check.h"
#include "provider_alias.h"
#include "resolve_internal.h"

#define MOST_INSTANCES 1000000
#define MOST_COUNT 1e9
#define MOST_USES 10000000

static void check_count(struct iso_model_check *check, const char *place, const char *field,
                        double count)
{
    iso_check_whole(check, place, field, count);
    if (count > MOST_COUNT)
        iso_check_fail(check, place, field, "%g; at most %g is allowed", count, MOST_COUNT);
}

void iso_check_start(struct iso_model_check *check, const char *path,
                     const Isocost__V1__StartPlan *start)
{
    char place[ISO_PATH_SIZE];

    if (start->n_instances > MOST_INSTANCES)
        iso_check_fail(check, path, "instances", "%zu; at most %d are allowed", start->n_instances,
                       MOST_INSTANCES);
    for (size_t i = 0; i < start->n_instances; i++) {
        const Isocost__V1__StartInstances *instances = start->instances[i];
        iso_check_path(place, path, "instances", i);
        if (!iso_offering_id_fold(instances->offering, check->violations->arena))
            iso_check_fail(check, place, "offering",
                           "\"%.128s\" is not an id provider/region/zone/type/os/purchase",
                           instances->offering);
        check_count(check, place, "count", instances->count);
        if (instances->periods < 0)
            iso_check_fail(check, place, "periods", "is %d; it must not be negative",
                           instances->periods);
    }
    for (size_t i = 0; i < start->n_purchases; i++) {
        const Isocost__V1__StartPurchase *purchase = start->purchases[i];
        iso_check_path(place, path, "purchases", i);
        check_count(check, place, "quantity", purchase->quantity);
    }
}

/* The period of that id; -1 when there is none. */
static int32_t find_period(const struct iso_problem *problem, const char *id)
{
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (strcmp(problem->periods[t].id, id) == 0)
            return t;
    return -1;
}

/* The periods that a message names: from *ret_first to before the one returned; none when it names
 * nothing that is here. */
static int32_t end_of(const struct iso_problem *problem,
                      const Isocost__V1__StartInstances *instances, int32_t *ret_first)
{
    *ret_first = *instances->period ? find_period(problem, instances->period) : 0;
    if (!*instances->period)
        return problem->n_periods;
    if (*ret_first < 0)
        return *ret_first = 0;
    int32_t left = problem->n_periods - *ret_first;
    int32_t n = instances->periods > 1 ? instances->periods : 1;
    return *ret_first + (n < left ? n : left);
}

/* The option that a message names; the workload is -1 when it is not here. */
static struct iso_use find_use(struct iso_resolve *r, const struct iso_names *ids,
                               const Isocost__V1__StartInstances *instances)
{
    int32_t workload = iso_names_find(&r->workloads, instances->workload);
    const char *id = iso_offering_id_fold(instances->offering, r->arena);
    int32_t offering = id ? iso_names_find(ids, id) : -1;

    if (workload < 0 || offering < 0 || r->problem->workloads[workload].replicas ||
        iso_workload_find_option(&r->problem->workloads[workload], offering) < 0)
        workload = -1;
    return (struct iso_use){workload, offering, 0, (int64_t)instances->count};
}

static enum iso_status fill_uses(struct iso_resolve *r, struct iso_start_point *start,
                                 struct iso_error *reterr)
{
    const Isocost__V1__StartPlan *message = r->model->start;
    struct iso_names ids = {.arena = r->arena};
    size_t unknown = 0, n = 0;
    struct iso_use *uses = NULL;

    for (size_t i = 0; i < r->n_kept; i++)
        if (iso_names_add(&ids, r->kept[i].view.id) < 0)
            return iso_resolve_full(reterr);
    for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
        for (size_t i = 0; i < message->n_instances; i++) {
            struct iso_use use = find_use(r, &ids, message->instances[i]);
            int32_t first, end = end_of(r->problem, message->instances[i], &first);
            unknown += pass == 0 && (use.workload < 0 || first == end);
            if (use.workload < 0 || use.count < 1)
                continue;
            for (use.period = first; use.period < end; use.period++) {
                if (pass == 1)
                    uses[start->n_uses++] = use;
                n++;
            }
        }
        if (pass == 0 && n > MOST_USES)
            return iso_fail(reterr, ISO_E_INVALID, "model.start",
                            "says %zu counts of instances and periods; at most %d are allowed", n,
                            MOST_USES);
        if (pass == 0 && !(uses = iso_arena_calloc(r->arena, n + 1, sizeof(*uses))))
            return iso_resolve_full(reterr);
    }
    start->uses = uses;
    if (unknown > 0)
        iso_resolve_warn(r,
                         "start: %zu of %zu instances name a workload, offering or period that the "
                         "model does not have, or replicas; they are left out",
                         unknown, message->n_instances);
    return ISO_OK;
}

static int32_t find_start(const struct iso_problem *problem, int32_t product, const char *period)
{
    const struct iso_product *of = &problem->products[product];

    for (int32_t s = 0; s < of->n_starts; s++)
        if (!*period || strcmp(problem->periods[of->starts[s].period].id, period) == 0)
            return s;
    return -1;
}

static enum iso_status fill_purchases(struct iso_resolve *r, struct iso_start_point *start,
                                      struct iso_error *reterr)
{
    const Isocost__V1__StartPlan *message = r->model->start;
    struct iso_names ids = {.arena = r->arena};
    struct iso_purchase *purchases =
        iso_arena_calloc(r->arena, message->n_purchases, sizeof(*purchases));

    if (!purchases)
        return iso_resolve_full(reterr);
    for (int32_t c = 0; c < r->problem->n_products; c++)
        if (iso_names_add(&ids, r->problem->products[c].id) < 0)
            return iso_resolve_full(reterr);
    for (size_t i = 0; i < message->n_purchases; i++) {
        const Isocost__V1__StartPurchase *from = message->purchases[i];
        int32_t product = iso_names_find(&ids, from->product);
        int32_t at = product >= 0 ? find_start(r->problem, product, from->start_period) : -1;
        if (at < 0)
            iso_resolve_warn(r, "start: %.128s cannot be bought here from \"%.64s\" on; left out",
                             from->product, from->start_period);
        else if (from->quantity >= 1)
            purchases[start->n_purchases++] =
                (struct iso_purchase){product, at, (int64_t)from->quantity};
    }
    start->purchases = purchases;
    return ISO_OK;
}

enum iso_status iso_resolve_start(struct iso_resolve *r, struct iso_error *reterr)
{
    if (!r->model->start)
        return ISO_OK;
    ISO_TRY(fill_uses(r, &r->problem->start, reterr));
    return fill_purchases(r, &r->problem->start, reterr);
}
