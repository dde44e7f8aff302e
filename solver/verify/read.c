/* The plan, read once: every index, sign and order is checked before anything is looked up. */
#include "column_classes.h"
#include "verifier.h"

#include <stdarg.h>
#include <stdio.h>

/* Most whole things of one kind: as a decimal they must stay in range. */
#define MOST_COUNT (ISO_DECIMAL_MAX / ISO_DECIMAL_ONE)

enum iso_status iso_verify_fail(const struct iso_verifier *v, const char *array, int64_t index,
                                const char *member, const char *format, ...)
{
    char field[sizeof(v->reterr->field)], text[sizeof(v->reterr->text)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (index < 0)
        snprintf(field, sizeof(field), "%s", array);
    else
        snprintf(field, sizeof(field), "%s[%lld]%s%s", array, (long long)index, *member ? "." : "",
                 member);
    return iso_fail(v->reterr, ISO_E_INVALID, field, "%s", text);
}

static enum iso_status no_memory(const struct iso_verifier *v)
{
    return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify a plan");
}

static enum iso_status check_index(const struct iso_verifier *v, const char *array, int64_t i,
                                   const char *member, int32_t index, int32_t n)
{
    if (index >= 0 && index < n)
        return ISO_OK;
    return iso_verify_fail(v, array, i, member, "is %d; it must be at least 0 and below %d", index,
                           n);
}

static int compare3(int32_t a, int32_t b, int32_t c, int32_t other_a, int32_t other_b,
                    int32_t other_c)
{
    if (a != other_a)
        return a < other_a ? -1 : 1;
    if (b != other_b)
        return b < other_b ? -1 : 1;
    return (c > other_c) - (c < other_c);
}

static enum iso_status check_count(const struct iso_verifier *v, const char *array, int64_t i,
                                   const char *member, int64_t count)
{
    if (count >= 1 && count <= MOST_COUNT)
        return ISO_OK;
    return iso_verify_fail(v, array, i, member, "is %lld; it must be in [1, %lld]",
                           (long long)count, (long long)MOST_COUNT);
}

static enum iso_status read_uses(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->plan->n_uses; i++) {
        const struct iso_use *use = &v->plan->uses[i], *before = use - 1;
        ISO_TRY(check_index(v, "uses", i, "workload", use->workload, problem->n_workloads));
        ISO_TRY(check_index(v, "uses", i, "offering", use->offering, problem->n_offerings));
        ISO_TRY(check_index(v, "uses", i, "period", use->period, problem->n_periods));
        ISO_TRY(check_count(v, "uses", i, "count", use->count));
        if (i > 0 && compare3(before->period, before->workload, before->offering, use->period,
                              use->workload, use->offering) >= 0)
            return iso_verify_fail(v, "uses", i, "", "is out of order or there twice");
        if (problem->workloads[use->workload].replicas)
            return iso_verify_fail(v, "uses", i, "workload", "workload %s runs as replicas",
                                   problem->workloads[use->workload].id);
    }
    return ISO_OK;
}

/* Whether an idle instance may stand in the team's pool: it could hold a replica of some workload.
 */
static bool may_hold(const struct iso_problem *problem, const struct iso_fill *fill)
{
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas && problem->workloads[w].team == fill->team &&
            iso_workload_find_option(&problem->workloads[w], fill->offering) >= 0)
            return true;
    return false;
}

/* Each entry belongs to one fill, and no fill names a workload twice. */
static enum iso_status read_fills(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_plan *plan = v->plan;
    ISO_AUTO_MEM uint8_t *taken = iso_calloc((size_t)plan->n_entries, 1);
    ISO_AUTO_MEM int32_t *last_fill = iso_calloc((size_t)problem->n_workloads, sizeof(*last_fill));

    if (!taken || !last_fill)
        return no_memory(v);
    for (int32_t i = 0; i < plan->n_fills; i++) {
        const struct iso_fill *fill = &plan->fills[i], *before = fill - 1;
        ISO_TRY(check_index(v, "fills", i, "team", fill->team, problem->n_teams));
        ISO_TRY(check_index(v, "fills", i, "offering", fill->offering, problem->n_offerings));
        ISO_TRY(check_index(v, "fills", i, "period", fill->period, problem->n_periods));
        ISO_TRY(check_count(v, "fills", i, "instances", fill->instances));
        if (i > 0 && compare3(before->period, before->team, before->offering, fill->period,
                              fill->team, fill->offering) > 0)
            return iso_verify_fail(v, "fills", i, "", "is out of order");
        if (fill->n_entries < 0 || fill->first_entry < 0 ||
            fill->n_entries > plan->n_entries - fill->first_entry)
            return iso_verify_fail(
                v, "fills", i, "n_entries",
                "is %d from %d; it must not be negative and stay inside the %d entries",
                fill->n_entries, fill->first_entry, plan->n_entries);
        if (fill->n_entries == 0 && !may_hold(problem, fill))
            return iso_verify_fail(v, "fills", i, "offering", "%d can hold nothing of the team",
                                   fill->offering);
        for (int32_t e = fill->first_entry; e < fill->first_entry + fill->n_entries; e++) {
            const struct iso_fill_entry *entry = &plan->entries[e];
            ISO_TRY(
                check_index(v, "entries", e, "workload", entry->workload, problem->n_workloads));
            ISO_TRY(check_count(v, "entries", e, "count", entry->count));
            if (taken[e]++)
                return iso_verify_fail(v, "entries", e, "", "belongs to two fills");
            if (last_fill[entry->workload] == i + 1)
                return iso_verify_fail(v, "entries", e, "workload", "is twice in one fill");
            last_fill[entry->workload] = i + 1;
        }
    }
    for (int32_t e = 0; e < plan->n_entries; e++)
        if (!taken[e])
            return iso_verify_fail(v, "entries", e, "", "belongs to no fill");
    return ISO_OK;
}

static enum iso_status read_commitments(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_plan *plan = v->plan;

    for (int32_t i = 0; i < plan->n_covers; i++) {
        const struct iso_cover *cover = &plan->covers[i];
        ISO_TRY(check_index(v, "covers", i, "product", cover->product, problem->n_products));
        ISO_TRY(check_index(v, "covers", i, "cell", cover->cell, iso_problem_n_cells(problem)));
        ISO_TRY(check_index(v, "covers", i, "offering", cover->offering, problem->n_offerings));
        ISO_TRY(check_index(v, "covers", i, "period", cover->period, problem->n_periods));
        if (cover->instances <= 0)
            return iso_verify_fail(v, "covers", i, "instances", "must be above 0");
    }
    for (int32_t i = 0; i < plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &plan->purchases[i];
        ISO_TRY(check_index(v, "purchases", i, "product", purchase->product, problem->n_products));
        ISO_TRY(check_index(v, "purchases", i, "start", purchase->start,
                            problem->products[purchase->product].n_starts));
        ISO_TRY(check_count(v, "purchases", i, "quantity", purchase->quantity));
    }
    return ISO_OK;
}

static enum iso_status read_unserved(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->plan->n_unserved; i++) {
        const struct iso_unserved *row = &v->plan->unserved[i];
        ISO_TRY(check_index(v, "unserved", i, "workload", row->workload, problem->n_workloads));
        ISO_TRY(check_index(v, "unserved", i, "period", row->period, problem->n_periods));
        iso_decimal *amount = &v->unserved[iso_verify_at(v, row->workload, row->period)];
        if (row->amount <= 0)
            return iso_verify_fail(v, "unserved", i, "amount", "must be above 0");
        if (*amount != 0)
            return iso_verify_fail(v, "unserved", i, "", "is there twice");
        *amount = row->amount;
    }
    return ISO_OK;
}

/* Adds what an option serves; amounts must fit a decimal, so that sums of them fit iso_wide. */
static enum iso_status add_part(struct iso_verifier *v, const char *array, int32_t i,
                                int32_t workload, int32_t offering, int32_t period, iso_wide count,
                                int32_t *next_part, iso_wide *ret_served)
{
    const struct iso_workload *data = &v->problem->workloads[workload];
    int32_t option = iso_workload_find_option(data, offering);
    iso_decimal served;

    if (option < 0)
        return iso_verify_fail(v, array, i, "offering", "%s is not allowed for workload %s",
                               v->problem->offerings[offering].id, data->id);
    if (count > MOST_COUNT || !iso_wide_to_decimal(count * data->options[option].served, &served))
        return iso_verify_fail(v, array, i, "count", "what it serves is out of range");
    size_t at = iso_verify_at(v, workload, period);
    v->parts[next_part[at]++] = (struct iso_verify_part){option, served};
    v->served[at] += served;
    *ret_served = served;
    return ISO_OK;
}

static void add_usage(struct iso_verifier *v, struct iso_verify_usage usage)
{
    struct iso_verify_usage *last = v->n_usages > 0 ? &v->usages[v->n_usages - 1] : NULL;

    if (last && compare3(last->period, last->cell, last->offering, usage.period, usage.cell,
                         usage.offering) == 0) {
        last->count += usage.count;
        last->served += usage.served;
    } else {
        v->usages[v->n_usages++] = usage;
    }
}

static enum iso_status add_use(struct iso_verifier *v, int32_t i, int32_t *next_part)
{
    const struct iso_use *use = &v->plan->uses[i];
    struct iso_verify_usage usage = {.period = use->period,
                                     .cell = use->workload,
                                     .offering = use->offering,
                                     .count = use->count};

    ISO_TRY(add_part(v, "uses", i, use->workload, use->offering, use->period, use->count, next_part,
                     &usage.served));
    add_usage(v, usage);
    return ISO_OK;
}

static enum iso_status add_fill(struct iso_verifier *v, int32_t i, int32_t *next_part)
{
    const struct iso_fill *fill = &v->plan->fills[i];
    struct iso_verify_usage usage = {.period = fill->period,
                                     .cell = v->problem->n_workloads + fill->team,
                                     .offering = fill->offering,
                                     .count = fill->instances};

    for (int32_t e = fill->first_entry; e < fill->first_entry + fill->n_entries; e++) {
        const struct iso_fill_entry *entry = &v->plan->entries[e];
        const struct iso_workload *workload = &v->problem->workloads[entry->workload];
        iso_wide served = 0;
        if (!workload->replicas || workload->team != fill->team)
            return iso_verify_fail(v, "entries", e, "workload",
                                   "workload %s is not one of the replicas of team %s",
                                   workload->id, v->problem->teams[fill->team].id);
        ISO_TRY(add_part(v, "fills", i, entry->workload, fill->offering, fill->period,
                         (iso_wide)entry->count * fill->instances, next_part, &served));
        usage.served += served;
    }
    add_usage(v, usage);
    return ISO_OK;
}

/* Merges uses and fills, both sorted, into usages; spreads what they serve over the parts. */
static enum iso_status read_usages(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;
    size_t n_rows = (size_t)v->problem->n_workloads * (size_t)v->problem->n_periods;
    ISO_AUTO_MEM int32_t *next_part = iso_calloc(n_rows + 1, sizeof(*next_part));
    int32_t use = 0, fill = 0;

    if (!next_part)
        return no_memory(v);
    for (int32_t i = 0; i < plan->n_uses; i++)
        v->first_part[iso_verify_at(v, plan->uses[i].workload, plan->uses[i].period) + 1]++;
    for (int32_t i = 0; i < plan->n_fills; i++)
        for (int32_t e = 0; e < plan->fills[i].n_entries; e++)
            v->first_part[iso_verify_at(v, plan->entries[plan->fills[i].first_entry + e].workload,
                                        plan->fills[i].period) +
                          1]++;
    for (size_t row = 0; row < n_rows; row++) {
        v->first_part[row + 1] += v->first_part[row];
        next_part[row + 1] = v->first_part[row + 1];
    }
    while (use < plan->n_uses || fill < plan->n_fills) {
        if (use < plan->n_uses &&
            (fill == plan->n_fills || plan->uses[use].period <= plan->fills[fill].period))
            ISO_TRY(add_use(v, use++, next_part));
        else
            ISO_TRY(add_fill(v, fill++, next_part));
    }
    for (int32_t i = 0; i < v->n_usages; i++)
        if (v->usages[i].count > MOST_COUNT || v->usages[i].served > ISO_DECIMAL_MAX)
            return iso_verify_fail(v, "fills", -1, "", "an amount is out of range");
    return ISO_OK;
}

/* Turns counts by offering into the ends of their rows. */
static void find_ends(int32_t *rows, int32_t n)
{
    for (int32_t o = 1; o <= n; o++)
        rows[o] += rows[o - 1];
}

/* Turns "limit -> offerings" and "product -> offerings" round, once. Rows are filled from the back,
 * so that each end becomes the row's beginning. */
static void read_links(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t i = 0; i < problem->limits[l].n_terms; i++)
            v->first_limit[problem->limits[l].terms[i].offering]++;
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t i = 0; i < problem->products[c].n_eligible; i++)
            v->first_product[problem->products[c].eligible[i].offering]++;
    find_ends(v->first_limit, problem->n_offerings);
    find_ends(v->first_product, problem->n_offerings);
    for (int32_t l = problem->n_limits - 1; l >= 0; l--)
        for (int32_t i = 0; i < problem->limits[l].n_terms; i++) {
            const struct iso_limit_term *term = &problem->limits[l].terms[i];
            v->limits[--v->first_limit[term->offering]] = (struct iso_verify_link){l, term->weight};
        }
    for (int32_t c = problem->n_products - 1; c >= 0; c--)
        for (int32_t i = 0; i < problem->products[c].n_eligible; i++) {
            const struct iso_eligible *eligible = &problem->products[c].eligible[i];
            v->products[--v->first_product[eligible->offering]] =
                (struct iso_verify_link){c, eligible->use};
        }
}

static enum iso_status allocate(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_plan *plan = v->plan;
    size_t n_periods = (size_t)problem->n_periods, n_offerings = (size_t)problem->n_offerings;
    size_t n_rows = (size_t)problem->n_workloads * n_periods;
    size_t n_usages = (size_t)plan->n_uses + (size_t)plan->n_fills;
    size_t n_limits = 0, n_products = 0, n_starts = 0, n_windows = 0;

    for (int32_t l = 0; l < problem->n_limits; l++)
        n_limits += (size_t)problem->limits[l].n_terms;
    for (int32_t c = 0; c < problem->n_products; c++)
        n_products += (size_t)problem->products[c].n_eligible;
    for (int32_t c = 0; c < problem->n_products; c++)
        n_starts += (size_t)problem->products[c].n_starts;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        n_windows += (size_t)problem->budgets[b].n_windows;
    v->usages = iso_calloc(n_usages, sizeof(*v->usages));
    v->cover_order = iso_calloc((size_t)plan->n_covers, sizeof(*v->cover_order));
    v->parts = iso_calloc((size_t)plan->n_uses + (size_t)plan->n_entries, sizeof(*v->parts));
    v->first_part = iso_calloc(n_rows + 1, sizeof(*v->first_part));
    v->served = iso_calloc(n_rows, sizeof(*v->served));
    v->unserved = iso_calloc(n_rows, sizeof(*v->unserved));
    v->penalties = iso_calloc((size_t)problem->n_scenarios + 1, sizeof(*v->penalties));
    v->counted = iso_calloc(n_rows, sizeof(*v->counted));
    v->limits = iso_calloc(n_limits, sizeof(*v->limits));
    v->products = iso_calloc(n_products, sizeof(*v->products));
    v->first_limit = iso_calloc(n_offerings + 1, sizeof(*v->first_limit));
    v->first_product = iso_calloc(n_offerings + 1, sizeof(*v->first_product));
    v->limit_violations =
        iso_calloc((size_t)problem->n_limits * n_periods, sizeof(*v->limit_violations));
    v->budget_violations = iso_calloc(n_windows, sizeof(*v->budget_violations));
    v->first_window = iso_calloc((size_t)problem->n_budgets + 1, sizeof(*v->first_window));
    v->first_start = iso_calloc((size_t)problem->n_products + 1, sizeof(*v->first_start));
    v->bought = iso_calloc(n_starts, sizeof(*v->bought));
    v->holds = iso_calloc((size_t)problem->n_products, 1);
    v->whole = iso_calloc((size_t)problem->n_workloads, sizeof(*v->whole));
    if (!v->usages || !v->cover_order || !v->parts || !v->first_part || !v->served ||
        !v->unserved || !v->counted || !v->penalties || !v->limits || !v->products ||
        !v->first_limit || !v->first_product || !v->limit_violations || !v->budget_violations ||
        !v->first_window || !v->first_start || !v->bought || !v->holds || !v->whole)
        return no_memory(v);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        v->first_window[b + 1] = v->first_window[b] + problem->budgets[b].n_windows;
    for (int32_t c = 0; c < problem->n_products; c++)
        v->first_start[c + 1] = v->first_start[c] + problem->products[c].n_starts;
    return ISO_OK;
}

enum iso_status iso_verify_read(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;
    const struct {
        const char *name;
        int32_t n;
        const void *array;
    } arrays[] = {{"uses", plan->n_uses, plan->uses},
                  {"fills", plan->n_fills, plan->fills},
                  {"entries", plan->n_entries, plan->entries},
                  {"covers", plan->n_covers, plan->covers},
                  {"purchases", plan->n_purchases, plan->purchases},
                  {"unserved", plan->n_unserved, plan->unserved},
                  {"flows", plan->n_flows, plan->flows},
                  {"lines", plan->n_lines, plan->lines},
                  {"bills", plan->n_bills, plan->bills},
                  {"tiers", plan->n_tiers, plan->tiers},
                  {"duals", plan->n_duals, plan->duals},
                  {"value_functions", plan->n_value_functions, plan->value_functions}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        if (arrays[i].n < 0 || (arrays[i].n > 0 && !arrays[i].array))
            return iso_verify_fail(v, arrays[i].name, -1, "", "has %d elements and %s", arrays[i].n,
                                   arrays[i].array ? "an array" : "no array");
    ISO_TRY(allocate(v));
    ISO_TRY(read_uses(v));
    ISO_TRY(read_fills(v));
    ISO_TRY(read_commitments(v));
    ISO_TRY(read_unserved(v));
    return iso_verify_read_flows(v);
}

enum iso_status iso_verify_tabulate(struct iso_verifier *v)
{
    ISO_TRY(iso_verify_count_unserved(v));
    ISO_TRY(read_usages(v));
    read_links(v);
    iso_verify_find_whole(v);
    return iso_verify_read_reach(v);
}

void iso_verify_fini(struct iso_verifier *v)
{
    void *const arrays[] = {v->usages,
                            v->cover_order,
                            v->parts,
                            v->first_part,
                            v->served,
                            v->unserved,
                            v->counted,
                            v->penalties,
                            v->limits,
                            v->products,
                            v->first_limit,
                            v->first_product,
                            v->limit_violations,
                            v->budget_violations,
                            v->first_window,
                            v->first_start,
                            v->bought,
                            v->held_row,
                            v->held,
                            v->holds,
                            v->whole,
                            v->reach,
                            v->first_option,
                            v->first_reach};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_column_classes_free(v->classes);
}

const struct iso_verify_usage *iso_verify_find_usage(const struct iso_verifier *v, int32_t period,
                                                     int32_t cell, int32_t offering)
{
    int32_t low = 0, high = v->n_usages;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const struct iso_verify_usage *usage = &v->usages[middle];
        int order = compare3(usage->period, usage->cell, usage->offering, period, cell, offering);
        if (order == 0)
            return usage;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
