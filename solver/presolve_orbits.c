/* Orbits: caps that count instances of offerings which are equal but for their names.
 *
 * Caps L_1 .. L_m allow k_1 .. k_m instances a period, of offerings o_{i1} .. o_{in} each. Where
 * the j-th offerings of all caps are equal in whatever the problem reads, sums over the caps are
 * all that matters: a plan over all offerings gives one over o_{11} .. o_{1n} under one cap k_1 +
 * .. + k_m, and a plan over those is dealt out again, instance by instance, to the first cap that
 * has room. That takes caps in instances: with other weights what is left of one cap may be too
 * little for anything. (Three zones with an equal list of types and a quota each are one zone with
 * all three quotas.)
 *
 * Every original cap takes the multiplier of the one that stood for all. Premises: whatever
 * hash_twin() reads, and the caps. Changes between periods are told by offering, and together and
 * apart rules read all options, so nothing is merged where there are such. */
#include <stdlib.h>

#include "isocost/base/sha256.h"
#include "mention.h"
#include "presolve.h"
#include "search.h"

#define KEY_BYTES ISO_SHA256_BYTES

struct orbits {
    struct iso_presolve *presolve;
    struct iso_mentions limits, products;
    unsigned char (*twin)[KEY_BYTES]; /* of each offering under a cap */
    int32_t *cap;                     /* of each offering; -1 none, -2 not to be merged */
};

/* A cap that may stand for others, with all that has to be equal. */
struct cap {
    int32_t limit;
    unsigned char key[KEY_BYTES];
};

static void orbits_fini(struct orbits *orbits)
{
    iso_mentions_fini(&orbits->limits);
    iso_mentions_fini(&orbits->products);
    free(orbits->twin);
    free(orbits->cap);
}

static void hash_number(struct iso_sha256 *sha, int64_t value)
{
    iso_sha256_update(sha, &value, sizeof(value));
}

/* A HARD cap of so many whole instances. */
static bool counts_instances(const struct iso_limit *limit)
{
    if (limit->policy != ISO_POLICY_HARD || limit->minimum || limit->or_nothing ||
        limit->n_terms == 0 || limit->bound % limit->terms[0].weight != 0)
        return false;
    for (int32_t i = 1; i < limit->n_terms; i++)
        if (limit->terms[i].weight != limit->terms[0].weight)
            return false;
    return true;
}

static bool tells_offerings_apart(const struct iso_problem *problem)
{
    bool any = problem->moves.present || problem->n_volumes > 0 || problem->cost_factors;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        any |= problem->workloads[a].ramp || iso_presolve_is_placed(problem, a);
    return any;
}

/* The one cap of each offering. One with prices of its own in some periods is left alone. */
static void find_caps(struct orbits *orbits)
{
    const struct iso_problem *problem = &orbits->presolve->work;

    for (int32_t o = 0; o < problem->n_offerings; o++)
        orbits->cap[o] = -1;
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        if (!orbits->presolve->selection.limit[l] || !counts_instances(limit))
            continue;
        for (int32_t i = 0; i < limit->n_terms; i++) {
            int32_t *cap = &orbits->cap[limit->terms[i].offering];
            *cap = *cap == -1 ? l : -2;
        }
    }
    for (int32_t i = 0; i < problem->n_price_exceptions; i++)
        orbits->cap[problem->price_exceptions[i].offering] = -2;
}

static void hash_rules(struct iso_sha256 *sha, const struct orbits *orbits, int32_t o)
{
    const struct iso_problem *problem = &orbits->presolve->work;

    for (int32_t at = orbits->limits.first[o]; at < orbits->limits.first[o + 1]; at++) {
        struct iso_mention mention = orbits->limits.items[at];
        if (mention.set == orbits->cap[o] || !orbits->presolve->selection.limit[mention.set])
            continue;
        hash_number(sha, mention.set);
        hash_number(sha, problem->limits[mention.set].terms[mention.place].weight);
    }
    hash_number(sha, -1);
    for (int32_t at = orbits->products.first[o]; at < orbits->products.first[o + 1]; at++) {
        struct iso_mention mention = orbits->products.items[at];
        hash_number(sha, mention.set);
        hash_number(sha, problem->products[mention.set].eligible[mention.place].use);
    }
    hash_number(sha, -1);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        hash_number(sha, problem->budgets[b].offerings[o]);
}

static void hash_uses(struct iso_sha256 *sha, const struct iso_problem *problem, int32_t o)
{
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t place = iso_workload_find_option(workload, o);
        hash_number(sha, place >= 0);
        if (place < 0)
            continue;
        hash_number(sha, workload->options[place].served);
        hash_number(sha, workload->options[place].most);
        for (int32_t i = 0; i < workload->n_shares; i++)
            hash_number(sha, workload->shares[i].member[place]);
        for (int32_t i = 0; i < workload->n_survive; i++)
            hash_number(sha, iso_problem_domain(problem, o, workload->survive[i].level));
        for (int32_t i = 0; i < workload->n_spread; i++)
            hash_number(sha, iso_problem_domain(problem, o, workload->spread[i].level));
    }
}

/* All that the problem reads of an offering but its name, zone and cap. */
static void hash_twin(const struct orbits *orbits, int32_t o, unsigned char *ret_key)
{
    const struct iso_problem *problem = &orbits->presolve->work;
    const struct iso_offering *offering = &problem->offerings[o];
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    hash_number(&sha, offering->provider);
    hash_number(&sha, offering->region);
    hash_number(&sha, offering->zone == ISO_ANY_ZONE);
    hash_number(&sha, offering->currency);
    hash_number(&sha, offering->spot);
    hash_number(&sha, offering->price);
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        hash_number(&sha, offering->capacity[k]);
    hash_rules(&sha, orbits, o);
    hash_uses(&sha, problem, o);
    iso_sha256_final(&sha, ret_key);
}

static int by_key(const void *left, const void *right)
{
    const struct cap *a = left, *b = right;
    int order = memcmp(a->key, b->key, KEY_BYTES);

    return order ? order : (a->limit > b->limit) - (a->limit < b->limit);
}

static int by_twin(const void *left, const void *right, void *context)
{
    const struct orbits *orbits = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    int order = memcmp(orbits->twin[a], orbits->twin[b], KEY_BYTES);

    return order ? order : (a > b) - (a < b);
}

/* The offerings of a cap, equal ones in equal places; NULL when memory is short. */
static int32_t *terms_by_twin(struct orbits *orbits, const struct iso_limit *limit)
{
    int32_t *terms = iso_presolve_array(orbits->presolve, (size_t)limit->n_terms, sizeof(*terms));

    for (int32_t i = 0; i < limit->n_terms && terms; i++)
        terms[i] = limit->terms[i].offering;
    if (terms)
        qsort_r(terms, (size_t)limit->n_terms, sizeof(*terms), by_twin, orbits);
    return terms;
}

/* The caps that may stand for others, alike ones in a row. */
static bool list_caps(struct orbits *orbits, struct cap *caps, int32_t *ret_n)
{
    const struct iso_problem *problem = &orbits->presolve->work;

    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        bool alone = orbits->presolve->selection.limit[l] && counts_instances(limit);
        struct iso_sha256 sha;
        for (int32_t i = 0; i < limit->n_terms && alone; i++)
            alone = orbits->cap[limit->terms[i].offering] == l;
        if (!alone)
            continue;
        for (int32_t i = 0; i < limit->n_terms; i++)
            hash_twin(orbits, limit->terms[i].offering, orbits->twin[limit->terms[i].offering]);
        const int32_t *terms = terms_by_twin(orbits, limit);
        if (!terms)
            return false;
        iso_sha256_init(&sha);
        hash_number(&sha, limit->terms[0].weight);
        iso_sha256_update(&sha, limit->periods, (size_t)problem->n_periods);
        for (int32_t i = 0; i < limit->n_terms; i++)
            iso_sha256_update(&sha, orbits->twin[terms[i]], KEY_BYTES);
        caps[*ret_n].limit = l;
        iso_sha256_final(&sha, caps[(*ret_n)++].key);
    }
    qsort(caps, (size_t)*ret_n, sizeof(*caps), by_key);
    return true;
}

/* Takes the flagged offerings out of a workload's options. */
static bool drop_options(struct iso_presolve *presolve, int32_t a, const uint8_t *dropped)
{
    struct iso_workload *workload = &presolve->workloads[a];
    size_t n_options = (size_t)workload->n_options;
    struct iso_option *options = iso_presolve_array(presolve, n_options, sizeof(*options));
    struct iso_share *shares =
        iso_presolve_array(presolve, (size_t)workload->n_shares, sizeof(*shares));
    uint8_t *members = iso_presolve_array(presolve, (size_t)workload->n_shares * n_options, 1);
    int32_t n = 0;

    if (!options || !shares || !members)
        return false;
    for (int32_t s = 0; s < workload->n_shares; s++) {
        shares[s] = workload->shares[s];
        shares[s].member = &members[(size_t)s * n_options];
    }
    for (int32_t i = 0; i < workload->n_options; i++) {
        if (dropped[workload->options[i].offering])
            continue;
        for (int32_t s = 0; s < workload->n_shares; s++)
            members[(size_t)s * n_options + (size_t)n] = workload->shares[s].member[i];
        options[n++] = workload->options[i];
    }
    workload->n_options = n;
    workload->options = options;
    workload->shares = shares;
    return true;
}

/* Lets the first of n caps that are alike stand for all; flags the others' offerings. */
static enum iso_status merge(struct orbits *orbits, const struct cap *caps, int32_t n,
                             uint8_t *dropped, struct iso_error *reterr)
{
    struct iso_presolve *presolve = orbits->presolve;
    struct iso_limit *first = &presolve->limits[caps[0].limit];
    struct iso_orbit orbit = {.n_limits = n, .n_terms = first->n_terms};
    size_t n_terms = (size_t)first->n_terms;
    iso_wide bound = 0;

    orbit.limits = iso_presolve_array(presolve, (size_t)n, sizeof(*orbit.limits));
    orbit.capacity = iso_presolve_array(presolve, (size_t)n, sizeof(*orbit.capacity));
    orbit.offerings = iso_presolve_array(presolve, (size_t)n * n_terms, sizeof(int32_t));
    if (!orbit.limits || !orbit.capacity || !orbit.offerings)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge caps");
    for (int32_t i = 0; i < n; i++) {
        const struct iso_limit *limit = &presolve->limits[caps[i].limit];
        const int32_t *terms = terms_by_twin(orbits, limit);
        if (!terms)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge caps");
        memcpy(&orbit.offerings[(size_t)i * n_terms], terms, n_terms * sizeof(*terms));
        orbit.limits[i] = caps[i].limit;
        orbit.capacity[i] = limit->bound / limit->terms[0].weight;
        bound += limit->bound;
    }
    if (bound > ISO_DECIMAL_MAX)
        return ISO_OK;
    for (int32_t i = 1; i < n; i++) {
        presolve->selection.limit[orbit.limits[i]] = 0;
        for (size_t k = 0; k < n_terms; k++)
            dropped[orbit.offerings[(size_t)i * n_terms + k]] = 1;
    }
    first->bound = (iso_decimal)bound;
    presolve->changed = presolve->renames = true;
    if (!iso_append(&presolve->orbits, &presolve->n_orbits, sizeof(orbit), &orbit))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge caps");
    return ISO_OK;
}

enum iso_status iso_presolve_orbits(struct iso_presolve *presolve, struct iso_error *reterr)
{
    struct orbits orbits __attribute__((cleanup(orbits_fini))) = {.presolve = presolve};
    const struct iso_problem *problem = &presolve->work;
    size_t n_offerings = (size_t)problem->n_offerings;
    ISO_AUTO_MEM struct cap *caps = iso_calloc((size_t)problem->n_limits, sizeof(*caps));
    ISO_AUTO_MEM uint8_t *dropped = iso_calloc(n_offerings, 1);
    int32_t n = 0, end, n_before = presolve->n_orbits;

    if (problem->n_limits < 2 || tells_offerings_apart(problem))
        return ISO_OK;
    orbits.twin = iso_calloc(n_offerings, sizeof(*orbits.twin));
    orbits.cap = iso_calloc(n_offerings, sizeof(*orbits.cap));
    if (!caps || !dropped || !orbits.twin || !orbits.cap ||
        !iso_mentions_of_limits(&orbits.limits, problem) ||
        !iso_mentions_of_products(&orbits.products, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare caps");
    find_caps(&orbits);
    if (!list_caps(&orbits, caps, &n))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare caps");
    for (int32_t first = 0; first < n; first = end) {
        for (end = first + 1; end < n && !memcmp(caps[first].key, caps[end].key, KEY_BYTES); end++)
            ;
        if (end - first > 1)
            ISO_TRY(merge(&orbits, &caps[first], end - first, dropped, reterr));
    }
    for (int32_t a = 0; a < problem->n_workloads && presolve->n_orbits > n_before; a++)
        if (!drop_options(presolve, a, dropped))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge caps");
    return ISO_OK;
}
