/* Fill patterns: what one instance of an offering can hold of a team's replica workloads.
 *
 * A pattern of offering o is n = (n_w) with  sum_w n_w need_wk <= cap_ok - overhead_k  for every k
 * that is needed, 0 <= n_w <= most_wo. It is maximal when no n_w can grow. Rows that count replicas
 * only ever ask for more, except caps on shares, which have columns of their own; so maximal
 * patterns are enough. */
#ifndef ISOCOST_PATTERN_H
#define ISOCOST_PATTERN_H

#include "isocost/problem.h"

/* Patterns of one (team, offering); counts[p * n_workloads + i] is that of team workload i. */
struct iso_pattern_list {
    int32_t team, offering;
    int32_t n_patterns, room;
    int32_t *counts;
    bool complete; /* all maximal patterns are in the list */
    bool priced;   /* prices are those of the last table that this list was the first of */
    double prices[ISO_N_RESOURCES];
};

struct iso_pattern_set {
    int32_t n_workloads; /* replica workloads of the team */
    int32_t *workloads;  /* their indices */
    int32_t n_lists;
    struct iso_pattern_list *lists; /* by offering, rising */
};

/* What the team's overhead leaves of resource k on an empty instance; 0 where it leaves nothing or
 * the capacity is not known. */
static inline iso_decimal iso_pattern_room(const struct iso_problem *problem, int32_t team,
                                           int32_t offering, int k)
{
    iso_decimal capacity = problem->offerings[offering].capacity[k];
    iso_decimal left = capacity - problem->teams[team].overhead[k];

    return capacity == ISO_UNKNOWN || left < 0 ? 0 : left;
}

/* Lists the patterns of team `team` for the offerings with kept[offering]: all maximal ones while
 * they are at most `room` together, otherwise for each offering the fullest of each single
 * workload. Errors: ISO_E_NOMEM. */
enum iso_status iso_pattern_set_init(struct iso_pattern_set *set, const struct iso_problem *problem,
                                     int32_t team, const uint8_t *kept, int32_t room,
                                     struct iso_error *reterr);
void iso_pattern_set_fini(struct iso_pattern_set *set);

/* Appends a pattern unless it is there; gives its place, or -1 when memory is short. */
int32_t iso_pattern_add(const struct iso_pattern_set *set, struct iso_pattern_list *list,
                        const int32_t *counts, bool *ret_new);

#endif
