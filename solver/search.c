#include "search.h"

#include <math.h>
#include <string.h>

#include "unlisted.h"

bool iso_search_stops(struct iso_search *search)
{
    if (search->stopped)
        return true;
    if (search->control->stop)
        search->stopped = search->control->stop(search->control->context);
    if (!search->stopped && iso_search_left(search) <= 0)
        search->stopped = ISO_STOP_TIME;
    if (!search->stopped && search->problem->options.work_limit > 0 &&
        search->iterations + search->nodes > search->problem->options.work_limit)
        search->stopped = ISO_STOP_WORK;
    return search->stopped != 0;
}

bool iso_has_throughput(const struct iso_problem *problem)
{
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (!problem->workloads[a].replicas)
            return true;
    return false;
}

double iso_search_left(const struct iso_search *search)
{
    if (search->problem->options.deterministic)
        return 1e6;
    double left = search->end_s - search->control->now(search->control->context);
    return left > 0 ? left : 0;
}

static double now_of(void *context)
{
    struct iso_search *search = context;
    return search->control->now(search->control->context);
}

static enum iso_stop stop_of(void *context)
{
    struct iso_search *search = context;
    return iso_search_stops(search) ? search->stopped : (enum iso_stop)0;
}

struct iso_control iso_search_control(struct iso_search *search)
{
    return (struct iso_control){.context = search, .now = now_of, .stop = stop_of};
}

void iso_search_tell(const struct iso_search *search)
{
    struct iso_progress progress = {.tier = search->tier,
                                    .priority = search->stage.priority,
                                    .has_value = search->has_best,
                                    .value = search->best_value,
                                    .bound = search->tier_bound,
                                    .iterations = search->iterations,
                                    .nodes = search->nodes};

    if (search->control->progress)
        search->control->progress(search->control->context, &progress);
}

/* A point that cannot be written down exactly is not reported; the verifier would refuse it. */
enum iso_status iso_search_report(struct iso_search *search, struct iso_error *reterr)
{
    iso_search_tell(search);
    if (!search->control->incumbent || search->tier != ISO_TIER_MONEY)
        return ISO_OK;
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_extract(search->formulation, search->best, plan, reterr));
    ISO_TRY(iso_incumbent_tiers(search, plan, reterr));
    search->control->incumbent(search->control->context, plan);
    return ISO_OK;
}

/* New columns count in the rows that hold earlier tiers. */
static bool freeze_new(struct iso_search *search, int32_t before)
{
    struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM double *coefficients = iso_calloc((size_t)mip->n_columns, sizeof(*coefficients));

    for (int32_t k = 0; k < search->plan->n_tiers && coefficients; k++) {
        const struct iso_tier *tier = &search->plan->tiers[k];
        for (int32_t j = before; j < mip->n_columns; j++)
            coefficients[j] =
                iso_formulation_coefficient(search->formulation, &mip->columns[j], tier);
        if (search->freeze_row[k] >= 0 &&
            !iso_mip_fill_row(mip, search->freeze_row[k], coefficients))
            return false;
    }
    return coefficients;
}

enum iso_status iso_search_grow(struct iso_search *search, int32_t before, struct iso_error *reterr)
{
    const struct iso_tier money = {.kind = ISO_TIER_MONEY};
    struct iso_mip *mip = &search->formulation->mip;
    double **arrays[] = {&search->best, &search->money};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++) {
        double *moved = iso_realloc(*arrays[i], (size_t)mip->n_columns, sizeof(double));
        if (!moved)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a search");
        *arrays[i] = moved;
    }
    for (int32_t j = before; j < mip->n_columns; j++) {
        search->best[j] = 0;
        search->money[j] = iso_formulation_average(search->formulation, &mip->columns[j], &money);
        mip->objective[j] =
            iso_formulation_coefficient(search->formulation, &mip->columns[j], &search->stage);
    }
    return freeze_new(search, before) ? ISO_OK
                                      : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a search");
}

enum iso_status iso_search_new_point(struct iso_search *search, int32_t before, double **ret_x,
                                     struct iso_error *reterr)
{
    ISO_TRY(iso_search_grow(search, before, reterr));
    if (search->unlisted)
        ISO_TRY(iso_unlisted_see(search->unlisted, reterr));
    *ret_x = iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(**ret_x));
    return *ret_x ? ISO_OK : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a search");
}

enum iso_status iso_search_grow_duals(const struct iso_search *search, int32_t before,
                                      double **io_duals, struct iso_error *reterr)
{
    int32_t n_rows = search->formulation->mip.n_rows;
    double *moved = iso_realloc(*io_duals, (size_t)n_rows, sizeof(*moved));

    if (!moved)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a search");
    *io_duals = moved;
    for (int32_t i = before; i < n_rows; i++)
        moved[i] = 0;
    return ISO_OK;
}

bool iso_append(void *array_pointer, int32_t *n, size_t size, const void *element)
{
    void *array;
    memcpy(&array, array_pointer, sizeof(array));
    if ((*n & (*n - 1)) == 0) { /* room doubles at powers of two */
        void *moved = iso_realloc(array, *n ? 2 * (size_t)*n : 1, size);
        if (!moved)
            return false;
        array = moved;
        memcpy(array_pointer, &array, sizeof(array));
    }
    memcpy((char *)array + (size_t)*n * size, element, size);
    ++*n;
    return true;
}
