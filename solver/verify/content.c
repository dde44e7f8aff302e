/* The best content of one instance: an exact bounded knapsack over several resources.
 *
 * Depth-first search over the workloads, densest first; n_i from the most that fits down to 0. What
 * the rest may still add is bounded, for each resource k that all of the rest need, by
 * room_k * max worth_i / need_ik, and by the sum of what each could add alone. Branches that cannot
 * pass `floor` are cut. Counts, needs and room are whole numbers; worths are upper bounds, and the
 * result is rounded up. */
#include "pricing.h"

#define MOST_NODES 200000
#define UP (1 + 64 * LDBL_EPSILON)

struct content {
    const struct iso_problem *problem;
    const int32_t *workloads;
    const long double *worth;
    int32_t *order; /* places in `workloads` of those that are worth something */
    int32_t n;
    iso_decimal room[ISO_N_RESOURCES]; /* below 0: nothing that needs it fits */
    long double best;
    int64_t n_nodes;
};

static int64_t fits(const struct content *content, int32_t at)
{
    const struct iso_workload *workload =
        &content->problem->workloads[content->workloads[content->order[at]]];
    int64_t most = workload->maximum_per_instance > 0 ? workload->maximum_per_instance : INT32_MAX;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        if (workload->need[k] == 0)
            continue;
        int64_t alone = content->room[k] < 0 ? 0 : content->room[k] / workload->need[k];
        most = alone < most ? alone : most;
    }
    return most;
}

static void take(struct content *content, int32_t at, int64_t count)
{
    const struct iso_workload *workload =
        &content->problem->workloads[content->workloads[content->order[at]]];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        content->room[k] -= count * workload->need[k];
}

static long double rest_bound(const struct content *content, int32_t from)
{
    long double bound = 0;

    for (int32_t at = from; at < content->n; at++)
        bound += content->worth[content->order[at]] * (long double)fits(content, at);
    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        long double density = 0;
        for (int32_t at = from; at < content->n && density >= 0; at++) {
            int32_t place = content->order[at];
            iso_decimal need = content->problem->workloads[content->workloads[place]].need[k];
            long double own = need > 0 ? content->worth[place] / (long double)need : -1;
            density = own < 0 ? -1 : own > density ? own : density;
        }
        if (density >= 0 && content->room[k] >= 0 &&
            density * (long double)content->room[k] * UP < bound)
            bound = density * (long double)content->room[k] * UP;
    }
    return bound * UP;
}

static void search(struct content *content, int32_t at, long double value)
{
    content->n_nodes++;
    if (value * UP > content->best)
        content->best = value * UP;
    if (at == content->n || content->n_nodes > MOST_NODES ||
        (value + rest_bound(content, at)) * UP <= content->best)
        return;
    for (int64_t count = fits(content, at); count >= 0; count--) {
        take(content, at, count);
        search(content, at + 1, value + content->worth[content->order[at]] * (long double)count);
        take(content, at, -count);
        if (content->n_nodes > MOST_NODES)
            return;
    }
}

/* Worth of a workload for the scarcest of its resources that a single one takes. */
static long double density(const struct content *content, int32_t place)
{
    const struct iso_workload *workload = &content->problem->workloads[content->workloads[place]];
    long double share = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (workload->need[k] > 0 && content->room[k] > 0)
            share += (long double)workload->need[k] / (long double)content->room[k];
    return share > 0 ? content->worth[place] / share : 0;
}

long double iso_verify_best_content(const struct iso_problem *problem, int32_t team,
                                    int32_t offering, const int32_t *workloads, int32_t n,
                                    const long double *worth, int32_t *order, long double floor)
{
    struct content content = {.problem = problem,
                              .workloads = workloads,
                              .worth = worth,
                              .order = order,
                              .best = floor > 0 ? floor : 0};

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        iso_decimal capacity = problem->offerings[offering].capacity[k];
        content.room[k] =
            capacity == ISO_UNKNOWN ? -1 : capacity - problem->teams[team].overhead[k];
    }
    for (int32_t i = 0; i < n; i++) {
        int32_t at = content.n;
        if (worth[i] <= 0)
            continue;
        for (; at > 0 && density(&content, order[at - 1]) < density(&content, i); at--)
            order[at] = order[at - 1];
        order[at] = i;
        content.n++;
    }
    long double everything = rest_bound(&content, 0);
    if (everything <= content.best)
        return content.best;
    search(&content, 0, 0);
    return content.n_nodes > MOST_NODES ? everything : content.best;
}

/* Share of an instance that a copy takes of two resources, or of one twice, rounded down. */
static long double mean_share(const struct iso_workload *workload, const iso_decimal *room, int k,
                              int l)
{
    long double first =
        workload->need[k] == 0 ? 0 : (long double)workload->need[k] / (long double)room[k];
    long double second =
        workload->need[l] == 0 ? 0 : (long double)workload->need[l] / (long double)room[l];

    return (first + second) / 2 / UP;
}

static bool goes_in(const struct iso_workload *workload, const iso_decimal *room)
{
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (workload->need[k] > 0 && workload->need[k] > room[k])
            return false;
    return true;
}

long double iso_verify_content_density(const struct iso_problem *problem, int32_t team,
                                       int32_t offering, const int32_t *workloads, int32_t n,
                                       const long double *worth)
{
    long double best = INFINITY;
    iso_decimal room[ISO_N_RESOURCES];

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        iso_decimal capacity = problem->offerings[offering].capacity[k];
        room[k] = capacity == ISO_UNKNOWN ? -1 : capacity - problem->teams[team].overhead[k];
    }
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        for (int l = 0; l <= k; l++) {
            long double densest = 0;
            for (int32_t i = 0; i < n && densest < INFINITY; i++) {
                const struct iso_workload *workload = &problem->workloads[workloads[i]];
                if (worth[i] <= 0 || !goes_in(workload, room))
                    continue;
                long double share = mean_share(workload, room, k, l);
                densest = share > 0 ? fmaxl(densest, worth[i] / share * UP) : INFINITY;
            }
            best = fminl(best, densest);
        }
    return best;
}
