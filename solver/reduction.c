#include "reduction.h"

#include <stdlib.h>
#include <string.h>

#include "isocost/base/sha256.h"

/* One candidate of a cell with what it is compared by. */
struct candidate {
    int32_t offering, place; /* place: option (workload) or offering (pool) */
    unsigned char signature[16];
    bool comparable; /* no price exceptions, not running today, not required */
    bool counted;    /* some row counts its instances */
    double price;    /* base currency for one hour, first period */
    iso_decimal served;
    const struct iso_mention *limits, *products; /* that name it; as many where signatures equal */
    int32_t n_limits, n_products;
};

/* What the comparison reads, made once for all cells. */
struct facts {
    const struct iso_problem *problem;
    const struct iso_mentions *limits, *products;
    const struct iso_reach *reach;
    uint8_t *excepted; /* has price exceptions */
    uint8_t *moves;    /* n_workloads: data moves from or to where it is served */
};

static void facts_fini(struct facts *facts)
{
    free(facts->excepted);
    free(facts->moves);
}

static enum iso_status facts_init(struct facts *facts, const struct iso_problem *problem,
                                  const struct iso_reduction *reduction, struct iso_error *reterr)
{
    facts->problem = problem;
    facts->limits = &reduction->limits;
    facts->products = &reduction->products;
    facts->reach = &reduction->reach;
    facts->excepted = iso_calloc((size_t)problem->n_offerings, 1);
    facts->moves = iso_calloc((size_t)problem->n_workloads, 1);
    if (!facts->excepted || !facts->moves)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to reduce the problem");
    for (int32_t i = 0; i < problem->n_price_exceptions; i++)
        facts->excepted[problem->price_exceptions[i].offering] = 1;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t m = 0; m < problem->workloads[a].n_traffic; m++) {
            int32_t other = problem->workloads[a].traffic[m].other;
            facts->moves[a] = facts->moves[other < 0 ? a : other] = 1;
        }
    return ISO_OK;
}

static void hash_int(struct iso_sha256 *sha, int64_t value)
{
    iso_sha256_update(sha, &value, sizeof(value));
}

static bool tells_price_apart(const struct iso_problem *problem)
{
    return problem->n_budgets > 0 || problem->n_currencies > 1;
}

/* Everything but price and size that a row of this problem sees of an offering. How much of a cap
 * it takes is compared, see takes_no_more(). */
static void hash_offering(struct iso_sha256 *sha, const struct facts *facts, int32_t offering,
                          bool *ret_counted)
{
    const struct iso_problem *problem = facts->problem;

    for (int32_t at = facts->limits->first[offering]; at < facts->limits->first[offering + 1];
         at++) {
        struct iso_mention mention = facts->limits->items[at];
        const struct iso_limit *limit = &problem->limits[mention.set];
        hash_int(sha, mention.set);
        if (limit->minimum)
            hash_int(sha, limit->terms[mention.place].weight);
        *ret_counted = true;
    }
    hash_int(sha, -1);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        hash_int(sha, problem->budgets[b].offerings[offering]);
    if (tells_price_apart(problem))
        hash_int(sha, problem->offerings[offering].currency);
}

/* And what products see: those of `items` that the cell may use. How much of them it uses is
 * compared, too. */
static void hash_products(struct iso_sha256 *sha, const struct iso_problem *problem, int32_t cell,
                          const struct iso_mention *items, int32_t n, bool *ret_counted)
{
    for (int32_t i = 0; i < n; i++) {
        const struct iso_product *product = &problem->products[items[i].set];
        if (!product->cells[cell])
            continue;
        hash_int(sha, items[i].set);
        *ret_counted = true;
    }
}

/* What the rules of one workload see of one of its options. */
static void hash_option(struct iso_sha256 *sha, const struct facts *facts,
                        const struct iso_workload *workload, int32_t option, bool *ret_exact)
{
    const struct iso_problem *problem = facts->problem;
    int32_t offering = workload->options[option].offering;

    for (int32_t i = 0; i < workload->n_shares; i++)
        hash_int(sha, workload->shares[i].member[option]);
    for (int32_t i = 0; i < workload->n_survive; i++) {
        hash_int(sha, iso_problem_domain(problem, offering, workload->survive[i].level));
        hash_int(sha, problem->offerings[offering].spot);
    }
    for (int32_t i = 0; i < workload->n_spread; i++)
        hash_int(sha, iso_problem_domain(problem, offering, workload->spread[i].level));
    *ret_exact |= workload->n_shares + workload->n_spread + workload->n_survive > 0;
    if (facts->moves[workload - problem->workloads])
        hash_int(sha, problem->offerings[offering].region);
    for (int level = 0; level < ISO_N_LEVELS; level++) {
        int32_t a = (int32_t)(workload - problem->workloads);
        if (!iso_problem_is_placed(problem, a, (enum iso_level)level, false))
            continue;
        hash_int(sha, iso_problem_domain(problem, offering, (enum iso_level)level));
        *ret_exact = true;
    }
}

static void fill_candidate(struct candidate *candidate, const struct facts *facts, int32_t cell,
                           const struct iso_mention *products, int32_t n_products,
                           struct iso_sha256 *sha)
{
    const struct iso_problem *problem = facts->problem;
    const struct iso_offering *offering = &problem->offerings[candidate->offering];
    unsigned char digest[ISO_SHA256_BYTES];

    candidate->limits = &facts->limits->items[facts->limits->first[candidate->offering]];
    candidate->n_limits =
        facts->limits->first[candidate->offering + 1] - facts->limits->first[candidate->offering];
    candidate->products = products;
    candidate->n_products = n_products;
    hash_offering(sha, facts, candidate->offering, &candidate->counted);
    hash_products(sha, problem, cell, products, n_products, &candidate->counted);
    iso_sha256_final(sha, digest);
    memcpy(candidate->signature, digest, sizeof(candidate->signature));
    candidate->comparable = !facts->excepted[candidate->offering] &&
                            !iso_problem_find_current(problem, cell, candidate->offering);
    candidate->counted |= problem->moves.present;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        candidate->counted |= problem->workloads[a].ramp && iso_problem_cell(problem, a) == cell;
    candidate->price =
        iso_decimal_to_double(offering->price) *
        iso_decimal_to_double(problem->currencies[offering->currency].rate_to_base[0]);
}

static int by_signature_and_price(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = memcmp(a->signature, b->signature, sizeof(a->signature));

    if (order != 0)
        return order;
    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    if (a->served != b->served)
        return a->served > b->served ? -1 : 1;
    return (a->offering > b->offering) - (a->offering < b->offering);
}

/* Whether, of the same signature, `other` takes no more of any cap, and uses no more of any product
 * that the cell may use: then it is covered wherever the candidate was, for no more. */
static bool takes_no_more(const struct iso_problem *problem, int32_t cell,
                          const struct candidate *other, const struct candidate *candidate)
{
    for (int32_t i = 0; i < candidate->n_limits; i++) {
        const struct iso_limit *limit = &problem->limits[candidate->limits[i].set];
        if (limit->terms[other->limits[i].place].weight >
            limit->terms[candidate->limits[i].place].weight)
            return false;
    }
    for (int32_t i = 0, k = 0; i < candidate->n_products; i++) {
        const struct iso_product *product = &problem->products[candidate->products[i].set];
        if (!product->cells[cell])
            continue;
        while (other->products[k].set != candidate->products[i].set)
            k++;
        if (product->eligible[other->products[k].place].use >
            product->eligible[candidate->products[i].place].use)
            return false;
    }
    return true;
}

/* Whether `other`, which is not dearer, makes a throughput candidate superfluous. */
static bool covers_throughput(const struct candidate *other, const struct candidate *candidate)
{
    if (other->served >= candidate->served)
        return true;
    if (candidate->counted)
        return false;
    iso_decimal k = (candidate->served + other->served - 1) / other->served;
    return (double)k * other->price <= candidate->price;
}

/* The same for a pool: capacity in each resource that the team's replicas need. */
static bool covers_pool(const struct iso_problem *problem, const bool *needed,
                        const struct candidate *other, const struct candidate *candidate)
{
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (needed[k] && problem->offerings[other->offering].capacity[k] <
                             problem->offerings[candidate->offering].capacity[k])
            return false;
    return true;
}

/* Sorts by signature and price and clears kept[place] of what is dominated. `needed` is NULL for a
 * throughput workload. */
static int64_t drop_dominated(const struct iso_problem *problem, int32_t cell,
                              struct candidate *candidates, int32_t n, const bool *needed,
                              uint8_t *kept, int32_t *stack)
{
    int64_t n_dropped = 0;
    int32_t n_stack = 0;

    qsort(candidates, (size_t)n, sizeof(*candidates), by_signature_and_price);
    for (int32_t i = 0; i < n; i++) {
        struct candidate *candidate = &candidates[i];
        bool dropped = false;
        if (i > 0 && memcmp(candidate->signature, candidates[i - 1].signature,
                            sizeof(candidate->signature)) != 0)
            n_stack = 0;
        if (!candidate->comparable)
            continue;
        for (int32_t s = 0; s < n_stack && !dropped; s++) {
            const struct candidate *other = &candidates[stack[s]];
            dropped = (needed ? covers_pool(problem, needed, other, candidate)
                              : covers_throughput(other, candidate)) &&
                      takes_no_more(problem, cell, other, candidate);
        }
        if (dropped) {
            kept[candidate->place] = 0;
            n_dropped++;
        } else {
            stack[n_stack++] = i;
        }
    }
    return n_dropped;
}

static void hash_workload_candidate(const struct facts *facts, int32_t w, int32_t option,
                                    struct candidate *candidate)
{
    const struct iso_workload *workload = &facts->problem->workloads[w];
    struct iso_sha256 sha;
    bool exact = false;

    *candidate = (struct candidate){.offering = workload->options[option].offering,
                                    .place = option,
                                    .served = workload->options[option].served};
    iso_sha256_init(&sha);
    hash_option(&sha, facts, workload, option, &exact);
    if (exact)
        hash_int(&sha, candidate->served);
    const struct iso_reach *reach = facts->reach;
    const int32_t *first = &reach->first[reach->first_option[w] + option];
    fill_candidate(candidate, facts, w, &reach->items[first[0]], first[1] - first[0], &sha);
}

static bool hash_pool_candidate(const struct facts *facts, int32_t team, int32_t offering,
                                struct candidate *candidate)
{
    const struct iso_problem *problem = facts->problem;
    struct iso_sha256 sha;
    bool any = false, exact = false;

    *candidate = (struct candidate){.offering = offering, .place = offering};
    iso_sha256_init(&sha);
    for (int32_t w = 0; w < problem->n_workloads; w++) {
        const struct iso_workload *workload = &problem->workloads[w];
        if (!workload->replicas || workload->team != team)
            continue;
        int32_t option = iso_workload_find_option(workload, offering);
        hash_int(&sha, option >= 0);
        if (option < 0)
            continue;
        any = true;
        hash_option(&sha, facts, workload, option, &exact);
    }
    const int32_t *first = &facts->products->first[offering];
    fill_candidate(candidate, facts, problem->n_workloads + team, &facts->products->items[first[0]],
                   first[1] - first[0], &sha);
    return any;
}

static enum iso_status reduce_workload(struct iso_reduction *reduction, const struct facts *facts,
                                       int32_t w, bool dominance, struct candidate *candidates,
                                       int32_t *stack, struct iso_error *reterr)
{
    const struct iso_workload *workload = &facts->problem->workloads[w];

    reduction->options[w] = iso_calloc((size_t)workload->n_options, 1);
    if (!reduction->options[w])
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to reduce the problem");
    memset(reduction->options[w], 1, (size_t)workload->n_options);
    if (!dominance)
        return ISO_OK;
    for (int32_t option = 0; option < workload->n_options; option++)
        hash_workload_candidate(facts, w, option, &candidates[option]);
    reduction->n_dominated += drop_dominated(facts->problem, w, candidates, workload->n_options,
                                             NULL, reduction->options[w], stack);
    return ISO_OK;
}

static enum iso_status reduce_pool(struct iso_reduction *reduction, const struct facts *facts,
                                   int32_t team, bool dominance, struct candidate *candidates,
                                   int32_t *stack, struct iso_error *reterr)
{
    const struct iso_problem *problem = facts->problem;
    bool needed[ISO_N_RESOURCES] = {false}, pool = false;
    int32_t n = 0;

    for (int32_t w = 0; w < problem->n_workloads; w++) {
        if (!problem->workloads[w].replicas || problem->workloads[w].team != team)
            continue;
        pool = true;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            needed[k] |= problem->workloads[w].need[k] > 0;
    }
    if (!pool)
        return ISO_OK;
    reduction->pools[team] = iso_calloc((size_t)problem->n_offerings, 1);
    if (!reduction->pools[team])
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to reduce the problem");
    for (int32_t o = 0; o < problem->n_offerings; o++)
        if (hash_pool_candidate(facts, team, o, &candidates[n])) {
            reduction->pools[team][o] = 1;
            n++;
        }
    if (dominance)
        reduction->n_dominated += drop_dominated(problem, problem->n_workloads + team, candidates,
                                                 n, needed, reduction->pools[team], stack);
    return ISO_OK;
}

enum iso_status iso_reduction_init(struct iso_reduction *reduction,
                                   const struct iso_problem *problem, bool dominance,
                                   struct iso_error *reterr)
{
    struct facts facts __attribute__((cleanup(facts_fini))) = {0};
    ISO_AUTO_MEM struct candidate *candidates =
        iso_calloc((size_t)problem->n_offerings, sizeof(*candidates));
    ISO_AUTO_MEM int32_t *stack = iso_calloc((size_t)problem->n_offerings, sizeof(*stack));

    memset(reduction, 0, sizeof(*reduction));
    reduction->n_workloads = problem->n_workloads;
    reduction->n_teams = problem->n_teams;
    reduction->options = iso_calloc((size_t)problem->n_workloads, sizeof(*reduction->options));
    reduction->pools = iso_calloc((size_t)problem->n_teams, sizeof(*reduction->pools));
    if (!candidates || !stack || !reduction->options || !reduction->pools ||
        !iso_mentions_of_limits(&reduction->limits, problem) ||
        !iso_mentions_of_products(&reduction->products, problem) ||
        !iso_reach_init(&reduction->reach, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to reduce the problem");
    ISO_TRY(facts_init(&facts, problem, reduction, reterr));
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (!problem->workloads[w].replicas)
            ISO_TRY(reduce_workload(reduction, &facts, w, dominance, candidates, stack, reterr));
    for (int32_t g = 0; g < problem->n_teams; g++)
        ISO_TRY(reduce_pool(reduction, &facts, g, dominance, candidates, stack, reterr));
    return ISO_OK;
}

void iso_reduction_fini(struct iso_reduction *reduction)
{
    for (int32_t w = 0; w < reduction->n_workloads && reduction->options; w++)
        free(reduction->options[w]);
    for (int32_t g = 0; g < reduction->n_teams && reduction->pools; g++)
        free(reduction->pools[g]);
    free(reduction->options);
    free(reduction->pools);
    iso_mentions_fini(&reduction->limits);
    iso_mentions_fini(&reduction->products);
    iso_reach_fini(&reduction->reach);
    memset(reduction, 0, sizeof(*reduction));
}
