/* Equality is by content for the lists known here. The rest of each struct is compared byte by
 * byte, so that what somebody adds to it later makes parts differ rather than seem equal. */
#include "twin.h"

#include <string.h>

static bool same(const void *one, const void *other, int32_t n, size_t size)
{
    return n == 0 || one == other || memcmp(one, other, (size_t)n * size) == 0;
}

static bool same_shares(const struct iso_workload *a, const struct iso_workload *b)
{
    for (int32_t i = 0; i < a->n_shares; i++) {
        struct iso_share one = a->shares[i], other = b->shares[i];
        if (!same(one.member, other.member, a->n_options, 1))
            return false;
        one.id = other.id = NULL;
        one.member = other.member = NULL;
        if (!same(&one, &other, 1, sizeof(one)))
            return false;
    }
    return true;
}

/* Rules that are told by their names only, once the names are taken away. */
#define SAME_RULES(type, n, list)                         \
    for (int32_t i = 0; i < a->n; i++) {                  \
        struct type one = a->list[i], other = b->list[i]; \
        one.id = other.id = NULL;                         \
        if (!same(&one, &other, 1, sizeof(one)))          \
            return false;                                 \
    }

static bool same_rules(const struct iso_workload *a, const struct iso_workload *b)
{
    SAME_RULES(iso_survive, n_survive, survive)
    SAME_RULES(iso_spread, n_spread, spread)
    SAME_RULES(iso_affinity, n_affinities, affinities)
    return same_shares(a, b);
}

static bool same_options(const struct iso_workload *a, const struct iso_workload *b)
{
    for (int32_t i = 0; i < a->n_options; i++)
        if (a->options[i].offering != b->options[i].offering ||
            a->options[i].served != b->options[i].served ||
            a->options[i].most != b->options[i].most)
            return false;
    return true;
}

static bool same_ramps(const struct iso_ramp *a, const struct iso_ramp *b)
{
    return a == b || (a && b && a->starts == b->starts && a->stops == b->stops);
}

static bool same_workloads(const struct iso_workload *a, const struct iso_workload *b,
                           int32_t n_periods)
{
    struct iso_workload one = *a, other = *b;
    struct iso_workload *const both[] = {&one, &other};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(both); i++) {
        both[i]->id = NULL;
        both[i]->demand = both[i]->required = NULL;
        both[i]->options = NULL;
        both[i]->shares = NULL;
        both[i]->survive = NULL;
        both[i]->spread = NULL;
        both[i]->affinities = NULL;
        both[i]->ramp = NULL;
        if (both[i]->n_traffic == 0) /* otherwise they differ by address */
            both[i]->traffic = NULL;
    }
    return same(&one, &other, 1, sizeof(one)) &&
           same(a->demand, b->demand, n_periods, sizeof(*a->demand)) &&
           same(a->required, b->required, n_periods, sizeof(*a->required)) && same_options(a, b) &&
           same_rules(a, b) && same_ramps(a->ramp, b->ramp);
}

static bool same_starts(const struct iso_product *a, const struct iso_product *b, int32_t n_periods)
{
    for (int32_t i = 0; i < a->n_starts; i++)
        if (a->starts[i].period != b->starts[i].period ||
            a->starts[i].hours_inside != b->starts[i].hours_inside ||
            !same(a->starts[i].window, b->starts[i].window, n_periods, 1))
            return false;
    return true;
}

static bool same_products(const struct iso_product *a, const struct iso_product *b,
                          int32_t n_periods, int32_t n_cells)
{
    struct iso_product one = *a, other = *b;
    struct iso_product *const both[] = {&one, &other};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(both); i++) {
        both[i]->id = NULL;
        both[i]->existing = NULL;
        both[i]->starts = NULL;
        both[i]->eligible = NULL;
        both[i]->cells = NULL;
    }
    if (!same(&one, &other, 1, sizeof(one)) || !same_starts(a, b, n_periods) ||
        !same(a->existing, b->existing, n_periods, sizeof(*a->existing)) ||
        !same(a->cells, b->cells, n_cells, 1))
        return false;
    for (int32_t i = 0; i < a->n_eligible; i++)
        if (a->eligible[i].offering != b->eligible[i].offering ||
            a->eligible[i].use != b->eligible[i].use)
            return false;
    return true;
}

static bool same_teams(const struct iso_problem *a, const struct iso_problem *b)
{
    for (int32_t g = 0; g < a->n_teams; g++) {
        struct iso_team one = a->teams[g], other = b->teams[g];
        one.id = other.id = NULL;
        if (!same(&one, &other, 1, sizeof(one)))
            return false;
    }
    return true;
}

bool iso_parts_are_equal(const struct iso_part *one, const struct iso_part *other)
{
    const struct iso_problem *a = &one->problem, *b = &other->problem;

    if (a->n_workloads != b->n_workloads || a->n_teams != b->n_teams ||
        a->n_products != b->n_products || a->n_limits > 0 || b->n_limits > 0 || a->n_budgets > 0 ||
        b->n_budgets > 0 || a->moves.present || a->n_volumes > 0 || !same_teams(a, b))
        return false;
    for (int32_t i = 0; i < a->n_workloads; i++)
        if (!same_workloads(&a->workloads[i], &b->workloads[i], a->n_periods))
            return false;
    for (int32_t c = 0; c < a->n_products; c++)
        if (!same_products(&a->products[c], &b->products[c], a->n_periods, iso_problem_n_cells(a)))
            return false;
    return true;
}
