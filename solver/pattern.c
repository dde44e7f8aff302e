#include "pattern.h"

#include <stdlib.h>
#include <string.h>

/* What is left of an instance while a pattern is built. */
struct packing {
    const struct iso_problem *problem;
    const struct iso_pattern_set *set;
    iso_decimal room[ISO_N_RESOURCES];
    const int32_t *most; /* per team workload; 0 = not an option */
    int32_t *counts;
    struct iso_pattern_list *list; /* where maximal patterns go */
    int32_t cap;
    bool overflow, no_memory;
};

static const struct iso_workload *workload_at(const struct packing *packing, int32_t i)
{
    return &packing->problem->workloads[packing->set->workloads[i]];
}

/* How many copies of team workload i still fit, at most `most`. */
static int32_t fits(const struct packing *packing, int32_t i)
{
    const struct iso_workload *workload = workload_at(packing, i);
    int64_t n = packing->most[i] - packing->counts[i];

    for (int k = 0; k < ISO_N_RESOURCES && n > 0; k++)
        if (workload->need[k] > 0 && packing->room[k] / workload->need[k] < n)
            n = packing->room[k] / workload->need[k];
    return (int32_t)(n > 0 ? n : 0);
}

static void take(struct packing *packing, int32_t i, int32_t n)
{
    const struct iso_workload *workload = workload_at(packing, i);

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        packing->room[k] -= n * workload->need[k];
    packing->counts[i] += n;
}

static void keep_if_maximal(struct packing *packing)
{
    bool any = false;

    for (int32_t i = 0; i < packing->set->n_workloads; i++) {
        if (fits(packing, i) > 0)
            return;
        any |= packing->counts[i] > 0;
    }
    if (!any)
        return;
    if (packing->list->n_patterns >= packing->cap) {
        packing->overflow = true;
        return;
    }
    bool is_new;
    if (iso_pattern_add(packing->set, packing->list, packing->counts, &is_new) < 0)
        packing->no_memory = true;
}

static void enumerate_from(struct packing *packing, int32_t i)
{
    if (packing->overflow || packing->no_memory)
        return;
    if (i == packing->set->n_workloads) {
        keep_if_maximal(packing);
        return;
    }
    int32_t most = fits(packing, i);
    int32_t least = i == packing->set->n_workloads - 1 ? most : 0; /* the last is always full */
    for (int32_t n = most; n >= least; n--) {
        take(packing, i, n);
        enumerate_from(packing, i + 1);
        take(packing, i, -n);
    }
}

/* Fills `room` and `most` for an instance of `offering` in the team's pool. */
static void open_instance(struct packing *packing, int32_t team, int32_t offering, int32_t *most)
{
    const struct iso_problem *problem = packing->problem;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        packing->room[k] = iso_pattern_room(problem, team, offering, k);
    for (int32_t i = 0; i < packing->set->n_workloads; i++) {
        const struct iso_workload *workload = workload_at(packing, i);
        int32_t option = iso_workload_find_option(workload, offering);
        most[i] = option < 0 ? 0 : workload->options[option].most;
    }
    packing->most = most;
}

int32_t iso_pattern_add(const struct iso_pattern_set *set, struct iso_pattern_list *list,
                        const int32_t *counts, bool *ret_new)
{
    size_t n_bytes = (size_t)set->n_workloads * sizeof(*counts);

    *ret_new = false;
    for (int32_t p = 0; p < list->n_patterns; p++)
        if (memcmp(&list->counts[p * set->n_workloads], counts, n_bytes) == 0)
            return p;
    if (list->n_patterns == list->room) {
        int32_t room = list->room ? 2 * list->room : 4;
        int32_t *moved = iso_realloc(list->counts, (size_t)room, n_bytes);
        if (!moved)
            return -1;
        list->counts = moved;
        list->room = room;
    }
    memcpy(&list->counts[list->n_patterns * set->n_workloads], counts, n_bytes);
    *ret_new = true;
    return list->n_patterns++;
}

/* The instance filled with as many as possible of workload i, then of the others in turn. */
static bool add_single(struct packing *packing, int32_t i)
{
    int32_t n = packing->set->n_workloads;
    bool is_new, ok = true;

    take(packing, i, fits(packing, i));
    for (int32_t j = 0; j < n; j++)
        take(packing, j, fits(packing, j));
    if (packing->counts[i] > 0)
        ok = iso_pattern_add(packing->set, packing->list, packing->counts, &is_new) >= 0;
    for (int32_t j = 0; j < n; j++)
        take(packing, j, -packing->counts[j]);
    return ok;
}

static enum iso_status fill_list(struct packing *packing, int32_t team,
                                 struct iso_pattern_list *list, int32_t cap, int32_t *most,
                                 struct iso_error *reterr)
{
    packing->list = list;
    packing->cap = cap;
    packing->overflow = false;
    open_instance(packing, team, list->offering, most);
    enumerate_from(packing, 0);
    list->complete = !packing->overflow;
    if (packing->overflow) {
        list->n_patterns = 0;
        for (int32_t i = 0; i < packing->set->n_workloads; i++)
            if (!add_single(packing, i))
                packing->no_memory = true;
    }
    if (packing->no_memory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for fill patterns");
    return ISO_OK;
}

enum iso_status iso_pattern_set_init(struct iso_pattern_set *set, const struct iso_problem *problem,
                                     int32_t team, const uint8_t *kept, int32_t room,
                                     struct iso_error *reterr)
{
    int32_t n_kept = 0;

    memset(set, 0, sizeof(*set));
    for (int32_t o = 0; o < problem->n_offerings; o++)
        n_kept += kept[o] != 0;
    set->workloads = iso_calloc((size_t)problem->n_workloads, sizeof(*set->workloads));
    set->lists = iso_calloc((size_t)n_kept, sizeof(*set->lists));
    ISO_AUTO_MEM int32_t *counts = iso_calloc((size_t)problem->n_workloads, sizeof(*counts));
    ISO_AUTO_MEM int32_t *most = iso_calloc((size_t)problem->n_workloads, sizeof(*most));
    if (!set->workloads || !set->lists || !counts || !most)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the pool of team %d", team);
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas && problem->workloads[w].team == team)
            set->workloads[set->n_workloads++] = w;

    struct packing packing = {.problem = problem, .set = set, .counts = counts};
    int32_t each = n_kept ? room / n_kept : 0;
    for (int32_t o = 0; o < problem->n_offerings; o++) {
        if (!kept[o])
            continue;
        struct iso_pattern_list *list = &set->lists[set->n_lists++];
        list->team = team;
        list->offering = o;
        ISO_TRY(fill_list(&packing, team, list, each > 1 ? each : 1, most, reterr));
    }
    return ISO_OK;
}

void iso_pattern_set_fini(struct iso_pattern_set *set)
{
    for (int32_t i = 0; i < set->n_lists; i++)
        free(set->lists[i].counts);
    free(set->lists);
    free(set->workloads);
    memset(set, 0, sizeof(*set));
}
