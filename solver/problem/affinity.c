/* Where workloads run, for rules that keep them together or apart.
 *
 * The most that one domain serves of such a workload a in period t:
 *
 *   2 required (1 where no survive rule asks for spare capacity; with a ramp the largest of all
 *     periods, as instances may have to stay)
 *     + k * the largest option, k = 1 + shares + survive rules + domains that spread rules ask for
 *       + domains of another level in which it may have to run, times 1 / maximum, rounded up and
 *       at most 20, of the tightest cap on a share
 *     + the largest option * instances that minima of limits or today's placement ask for.
 *
 * A plan with more in one domain has an instance there that no rule asks for, so nothing is lost;
 * and the smaller the number is, the more a relaxation says about the rule. */
#include "isocost/problem.h"

#define MOST_BALANCE 20

static bool names(const struct iso_affinity *rule, enum iso_level level, bool together)
{
    return rule->level == level && !(together && rule->apart);
}

bool iso_problem_is_placed(const struct iso_problem *problem, int32_t workload,
                           enum iso_level level, bool together)
{
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_affinities; i++) {
            const struct iso_affinity *rule = &problem->workloads[a].affinities[i];
            if (rule->other != a && (a == workload || rule->other == workload) &&
                names(rule, level, together))
                return true;
        }
    return false;
}

bool iso_problem_domains_meet(const struct iso_problem *problem, enum iso_level level,
                              int32_t domain, int32_t other)
{
    int32_t n = problem->n_zones;

    if (domain == other)
        return true;
    if (level != ISO_LEVEL_ZONE || (domain < n) == (other < n))
        return false;
    return problem->zone_region[domain < n ? domain : other] == (domain < n ? other : domain) - n;
}

/* The least weight of an option of the workload in a limit; 0 when the limit counts none. */
static iso_decimal least_weight(const struct iso_workload *workload, const struct iso_limit *limit)
{
    iso_decimal least = 0;

    for (int32_t i = 0; i < limit->n_terms; i++)
        if (iso_workload_find_option(workload, limit->terms[i].offering) >= 0 &&
            (least == 0 || limit->terms[i].weight < least))
            least = limit->terms[i].weight;
    return least;
}

/* Instances that rules other than the workload's own may ask for: an idle instance of a pool serves
 * nobody, so only throughput counts. */
static iso_wide instances_asked(const struct iso_problem *problem, int32_t workload, int32_t period)
{
    iso_wide n = 0;

    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        iso_decimal weight = least_weight(&problem->workloads[workload], limit);
        if (limit->minimum && (limit->periods[period] || limit->or_nothing) && weight > 0)
            n += limit->bound / weight + 1;
    }
    for (int32_t i = 0; i < problem->moves.n_current && period == 0; i++)
        if (problem->moves.current[i].cell == workload)
            n += problem->moves.current[i].count;
    return n;
}

/* How many instances a cap on a share may ask for beside one of the set. */
static iso_wide balance(const struct iso_workload *workload)
{
    iso_wide most = 1;

    for (int32_t i = 0; i < workload->n_shares; i++) {
        const struct iso_share *share = &workload->shares[i];
        if (!share->has_maximum || share->maximum == 0)
            continue;
        iso_wide times = iso_wide_divide(ISO_DECIMAL_ONE, share->maximum, ISO_ROUND_UP);
        most = times > most ? times : most;
    }
    return most < MOST_BALANCE ? most : MOST_BALANCE;
}

/* Domains of one level that a workload may have to run in inside a domain of another level: as many
 * as it has options in at most. */
static iso_wide places_asked(const struct iso_problem *problem, int32_t workload)
{
    int32_t n_options = problem->workloads[workload].n_options, n_levels = 0;
    iso_wide most = 0;

    for (int level = 0; level < ISO_N_LEVELS; level++) {
        int32_t n = iso_problem_n_domains(problem, (enum iso_level)level);
        n_levels += iso_problem_is_placed(problem, workload, (enum iso_level)level, false);
        if (n > n_options)
            n = n_options;
        if (n > most && iso_problem_is_placed(problem, workload, (enum iso_level)level, true))
            most = n;
    }
    return n_levels > 1 ? most : 0;
}

iso_decimal iso_problem_most_in_domain(const struct iso_problem *problem, int32_t workload,
                                       int32_t period)
{
    const struct iso_workload *of = &problem->workloads[workload];
    iso_wide parts = 1 + of->n_shares + of->n_survive, largest = 0;
    iso_wide most = of->required[period];

    for (int32_t t = 0; t < problem->n_periods && of->ramp; t++)
        if (of->required[t] > most)
            most = of->required[t];
    most *= of->n_survive > 0 ? 2 : 1;

    for (int32_t i = 0; i < of->n_spread; i++)
        parts += of->spread[i].minimum_domains;
    parts += places_asked(problem, workload);
    parts *= balance(of);
    for (int32_t i = 0; i < of->n_options; i++)
        if (of->options[i].served > largest)
            largest = of->options[i].served;
    if (!of->replicas)
        parts += instances_asked(problem, workload, period);
    most += parts * largest;
    return most < INT64_MAX ? (iso_decimal)most : INT64_MAX;
}
