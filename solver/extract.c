/* From a point of the plain MIP to a plan in exact numbers. Whole columns are rounded (they are
 * whole up to 1e-5); covered instances are cut until they fit commitments and instances; unserved
 * demand is computed from what is served, rounded up. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/ledger.h"
#include "search.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
}

/* A fill under construction: instances with the same counts of the team's workloads. */
struct draft {
    int32_t team, offering, period;
    int64_t instances;
    int32_t *counts; /* of the team's workloads; owned */
};

struct drafts {
    int32_t n;
    struct draft *items;
};

static void drafts_fini(struct drafts *drafts)
{
    for (int32_t i = 0; i < drafts->n; i++)
        free(drafts->items[i].counts);
    free(drafts->items);
}

static bool add_draft(struct drafts *drafts, struct draft draft, const int32_t *counts, int32_t n)
{
    draft.counts = iso_calloc((size_t)n, sizeof(*counts));
    if (!draft.counts)
        return false;
    memcpy(draft.counts, counts, (size_t)n * sizeof(*counts));
    if (iso_append(&drafts->items, &drafts->n, sizeof(draft), &draft))
        return true;
    free(draft.counts);
    return false;
}

static int by_fill(const void *left, const void *right)
{
    const struct draft *a = left, *b = right;

    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    if (a->team != b->team)
        return a->team < b->team ? -1 : 1;
    return (a->offering > b->offering) - (a->offering < b->offering);
}

/* Takes `surplus` copies of team workload i out of the fills of one (team, offering, period). */
static bool take_out(struct drafts *drafts, const struct draft *place, int32_t i, int32_t n,
                     int64_t surplus)
{
    for (int32_t d = 0; d < drafts->n && surplus > 0; d++) {
        struct draft *draft = &drafts->items[d];
        if (draft->team != place->team || draft->offering != place->offering ||
            draft->period != place->period || draft->counts[i] == 0)
            continue;
        int32_t each = draft->counts[i];
        int64_t whole = surplus / each < draft->instances ? surplus / each : draft->instances;
        int64_t rest = whole < draft->instances ? surplus - whole * each : 0;
        struct draft other = *draft;
        draft->counts[i] = 0;
        int32_t *reduced = draft->counts; /* what `whole` instances hold now */
        if (whole > 0) {
            other.instances = whole;
            if (!add_draft(drafts, other, reduced, n))
                return false;
            draft = &drafts->items[d];
        }
        surplus -= whole * each;
        draft->instances -= whole;
        if (rest > 0) {
            draft->counts[i] = each - (int32_t)rest;
            other.instances = 1;
            if (!add_draft(drafts, other, draft->counts, n))
                return false;
            draft = &drafts->items[d];
            draft->instances--;
            surplus -= rest;
        }
        draft->counts[i] = each;
    }
    return true;
}

/* Workloads with a cap on a share must not be placed more often than their columns say. */
static bool trim(const struct iso_formulation *f, const double *x, struct drafts *drafts)
{
    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        if (column->kind != ISO_COLUMN_PLACE)
            continue;
        const struct iso_workload *workload = &f->problem->workloads[column->a];
        const struct iso_pattern_set *set = &f->pools[workload->team];
        struct draft place = {workload->team, workload->options[column->b].offering, column->c, 0,
                              NULL};
        int64_t placed = 0;
        int32_t i = 0;
        while (set->workloads[i] != column->a)
            i++;
        for (int32_t d = 0; d < drafts->n; d++)
            if (drafts->items[d].team == place.team &&
                drafts->items[d].offering == place.offering &&
                drafts->items[d].period == place.period)
                placed += drafts->items[d].instances * drafts->items[d].counts[i];
        if (!take_out(drafts, &place, i, set->n_workloads, placed - llround(x[j])))
            return false;
    }
    return true;
}

static enum iso_status extract_fills(const struct iso_formulation *f, const double *x,
                                     struct iso_plan *plan, struct iso_error *reterr)
{
    struct drafts drafts __attribute__((cleanup(drafts_fini))) = {0};

    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        if (column->kind != ISO_COLUMN_PATTERN || llround(x[j]) <= 0)
            continue;
        const struct iso_pattern_set *set = &f->pools[column->a];
        const struct iso_pattern_list *list = &set->lists[column->b];
        struct draft draft = {column->a, list->offering, column->c, llround(x[j]), NULL};
        if (!add_draft(&drafts, draft, &list->counts[column->d * set->n_workloads],
                       set->n_workloads))
            return no_memory(reterr);
    }
    if (!trim(f, x, &drafts))
        return no_memory(reterr);
    if (drafts.n > 0)
        qsort(drafts.items, (size_t)drafts.n, sizeof(*drafts.items), by_fill);
    for (int32_t d = 0; d < drafts.n; d++) {
        const struct draft *draft = &drafts.items[d];
        const struct iso_pattern_set *set = &f->pools[draft->team];
        struct iso_fill fill = {draft->team,      draft->offering, draft->period,
                                draft->instances, plan->n_entries, 0};
        for (int32_t i = 0; i < set->n_workloads && draft->instances > 0; i++) {
            struct iso_fill_entry entry = {set->workloads[i], draft->counts[i]};
            if (entry.count == 0)
                continue;
            if (!iso_append(&plan->entries, &plan->n_entries, sizeof(entry), &entry))
                return no_memory(reterr);
            fill.n_entries++;
        }
        if (draft->instances > 0 && !iso_append(&plan->fills, &plan->n_fills, sizeof(fill), &fill))
            return no_memory(reterr);
    }
    return ISO_OK;
}

/* --- coverage --- */

static int64_t instances_of(const struct iso_problem *problem, const struct iso_plan *plan,
                            const struct iso_cover *cover)
{
    int64_t n = 0;

    for (int32_t i = 0; i < plan->n_uses; i++)
        if (plan->uses[i].workload == cover->cell && plan->uses[i].offering == cover->offering &&
            plan->uses[i].period == cover->period)
            n += plan->uses[i].count;
    for (int32_t i = 0; i < plan->n_fills; i++)
        if (problem->n_workloads + plan->fills[i].team == cover->cell &&
            plan->fills[i].offering == cover->offering && plan->fills[i].period == cover->period)
            n += plan->fills[i].instances;
    return n;
}

/* What product c gives in period t, in units or money an hour, times 1e9 twice. */
static iso_wide available(const struct iso_problem *problem, const struct iso_plan *plan, int32_t c,
                          int32_t t)
{
    const struct iso_product *product = &problem->products[c];
    iso_wide quantity = product->existing[t];

    for (int32_t i = 0; i < plan->n_purchases; i++)
        if (plan->purchases[i].product == c && product->starts[plan->purchases[i].start].window[t])
            quantity += (iso_wide)plan->purchases[i].quantity * ISO_DECIMAL_ONE;
    return quantity * product->lot;
}

static iso_decimal use_of(const struct iso_product *product, int32_t offering)
{
    for (int32_t i = 0; i < product->n_eligible; i++)
        if (product->eligible[i].offering == offering)
            return product->eligible[i].use;
    return 0;
}

/* Cuts the last cover so that neither its product nor its instances are exceeded. */
static void cut(const struct iso_problem *problem, const struct iso_plan *plan,
                struct iso_cover *cover)
{
    const struct iso_product *product = &problem->products[cover->product];
    iso_wide left = available(problem, plan, cover->product, cover->period);
    iso_wide room = (iso_wide)instances_of(problem, plan, cover) * ISO_DECIMAL_ONE;
    iso_decimal use = use_of(product, cover->offering);

    for (int32_t i = 0; i < plan->n_covers; i++) {
        const struct iso_cover *other = &plan->covers[i];
        if (other->period != cover->period)
            continue;
        if (other->product == cover->product)
            left -= (iso_wide)use_of(product, other->offering) * other->instances;
        if (other->cell == cover->cell && other->offering == cover->offering)
            room -= other->instances;
    }
    iso_wide most = left > 0 && use > 0 ? left / use : 0;
    if (most > room)
        most = room;
    if (cover->instances > most)
        cover->instances = (iso_decimal)(most > 0 ? most : 0);
}

static enum iso_status extract_covers(const struct iso_formulation *f, const double *x,
                                      struct iso_plan *plan, struct iso_error *reterr)
{
    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        if (column->kind != ISO_COLUMN_COVER || x[j] < 1e-9)
            continue;
        double value = fabs(x[j] - round(x[j])) < 1e-6 ? round(x[j]) : x[j];
        struct iso_cover cover = {column->a, column->b, column->c, column->d,
                                  (iso_decimal)floor(value * 1e9 + 0.5)};
        cut(f->problem, plan, &cover);
        if (cover.instances > 0 &&
            !iso_append(&plan->covers, &plan->n_covers, sizeof(cover), &cover))
            return no_memory(reterr);
    }
    return ISO_OK;
}

/* --- unserved demand --- */

/* sum over the options for which counts(option) holds of what they serve in period t. */
struct service {
    const struct iso_problem *problem;
    const struct iso_workload *workload;
    iso_decimal *served; /* [option], of one (workload, period) */
};

static void gather(const struct iso_plan *plan, int32_t a, int32_t t, struct service *service)
{
    const struct iso_workload *workload = service->workload;

    memset(service->served, 0, (size_t)workload->n_options * sizeof(*service->served));
    for (int32_t i = 0; i < plan->n_uses; i++) {
        const struct iso_use *use = &plan->uses[i];
        if (use->workload != a || use->period != t)
            continue;
        int32_t option = iso_workload_find_option(workload, use->offering);
        service->served[option] += use->count * workload->options[option].served;
    }
    for (int32_t i = 0; i < plan->n_fills; i++) {
        const struct iso_fill *fill = &plan->fills[i];
        for (int32_t e = 0; e < fill->n_entries && fill->period == t; e++) {
            const struct iso_fill_entry *entry = &plan->entries[fill->first_entry + e];
            if (entry->workload == a)
                service->served[iso_workload_find_option(workload, fill->offering)] +=
                    fill->instances * entry->count * ISO_DECIMAL_ONE;
        }
    }
}

/* The least u with  served + factor u >= factor D. */
static iso_decimal least(iso_wide served, iso_decimal factor, iso_decimal demand)
{
    if (factor == 0)
        return 0;
    iso_wide reached = iso_wide_divide(served * ISO_DECIMAL_ONE, factor, ISO_ROUND_DOWN);
    return reached >= demand ? 0 : (iso_decimal)(demand - reached);
}

static void raise_to(iso_decimal *value, iso_decimal other)
{
    if (other > *value)
        *value = other;
}

static iso_decimal unserved_of(const struct iso_formulation *f, const double *x, int32_t a,
                               int32_t t, const struct service *service)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_workload *workload = service->workload;
    iso_decimal demand = workload->demand[t], unserved = 0;
    iso_wide all = 0;

    for (int32_t i = 0; i < workload->n_options; i++)
        all += service->served[i];
    raise_to(&unserved, least(all, ISO_DECIMAL_ONE, workload->required[t]));
    for (int32_t s = 0; s < workload->n_shares; s++) {
        iso_wide inside = 0;
        for (int32_t i = 0; i < workload->n_options; i++)
            inside += workload->shares[s].member[i] ? service->served[i] : 0;
        if (workload->shares[s].has_minimum)
            raise_to(&unserved, least(inside, workload->shares[s].minimum, demand));
    }
    for (int32_t row = f->survive_row[a]; row < f->spread_row[a]; row += problem->n_periods) {
        const struct iso_survive *rule = &workload->survive[f->mip.rows[row].b];
        iso_wide left = 0;
        for (int32_t i = 0; i < workload->n_options; i++)
            if (!problem->offerings[workload->options[i].offering].spot &&
                !iso_problem_falls_with(problem, workload->options[i].offering, rule->level,
                                        f->mip.rows[row].d))
                left += service->served[i];
        raise_to(&unserved, demand > 0 ? least(left, rule->share, demand) : 0);
    }
    for (int32_t j = 0; j < f->mip.n_columns && workload->n_spread > 0; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        if (column->kind != ISO_COLUMN_DOMAIN || column->a != a || x[j] < 0.5)
            continue;
        const struct iso_spread *rule = &workload->spread[column->b];
        iso_wide inside = 0;
        for (int32_t i = 0; i < workload->n_options; i++) {
            int32_t offering = workload->options[i].offering;
            if (iso_problem_domain(problem, offering, rule->level) == column->c &&
                iso_problem_spread_counts(problem, workload, offering, rule->level))
                inside += service->served[i];
        }
        raise_to(&unserved, demand > 0 ? least(inside, rule->minimum_share, demand) : 0);
    }
    return unserved < workload->required[t] ? unserved : workload->required[t];
}

static enum iso_status extract_unserved(const struct iso_formulation *f, const double *x,
                                        struct iso_plan *plan, struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;
    ISO_AUTO_MEM iso_decimal *served = iso_calloc((size_t)problem->n_offerings, sizeof(*served));

    if (!served)
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct service service = {problem, &problem->workloads[a], served};
        if (problem->workloads[a].service == ISO_SERVICE_MUST)
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++) {
            gather(plan, a, t, &service);
            struct iso_unserved unserved = {a, t, unserved_of(f, x, a, t, &service)};
            if (unserved.amount > 0 &&
                !iso_append(&plan->unserved, &plan->n_unserved, sizeof(unserved), &unserved))
                return no_memory(reterr);
        }
    }
    return ISO_OK;
}

enum iso_status iso_extract(const struct iso_formulation *f, const double *x, struct iso_plan *plan,
                            struct iso_error *reterr)
{
    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        int64_t count = column->integer ? llround(x[j]) : 0;
        bool ok = true;
        if (column->kind == ISO_COLUMN_USE && count > 0) {
            struct iso_use use = {column->a,
                                  f->problem->workloads[column->a].options[column->b].offering,
                                  column->c, count};
            ok = iso_append(&plan->uses, &plan->n_uses, sizeof(use), &use);
        } else if (column->kind == ISO_COLUMN_BUY && count > 0) {
            struct iso_purchase purchase = {column->a, column->b, count};
            ok = iso_append(&plan->purchases, &plan->n_purchases, sizeof(purchase), &purchase);
        }
        if (!ok)
            return no_memory(reterr);
    }
    iso_plan_sort(plan); /* fills come in order */
    ISO_TRY(extract_fills(f, x, plan, reterr));
    ISO_TRY(extract_covers(f, x, plan, reterr));
    ISO_TRY(extract_unserved(f, x, plan, reterr));
    ISO_TRY(iso_extract_flows(f, x, plan, reterr));
    plan->has_solution = true;
    return iso_plan_account(f->problem, plan, reterr);
}
