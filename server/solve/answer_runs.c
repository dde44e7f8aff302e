#include "answer_runs.h"

static int compare_keys(const struct iso_run *a, const struct iso_run *b)
{
    for (size_t k = 0; k < ISO_ARRAY_LENGTH(a->keys); k++)
        if (a->keys[k] != b->keys[k])
            return a->keys[k] < b->keys[k] ? -1 : 1;
    return 0;
}

static int compare_runs(const void *left, const void *right)
{
    const struct iso_run *a = left, *b = right;

    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return compare_keys(a, b);
}

static bool is_sorted(const struct iso_run *runs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (compare_runs(&runs[i - 1], &runs[i]) > 0)
            return false;
    return true;
}

/* Joins rows of one period each; the rows of a period and of the one before it are two lists in one
 * order. */
static bool join(struct iso_run *rows, size_t n, struct iso_arena *arena, struct iso_run **ret_runs,
                 size_t *ret_n)
{
    struct iso_run *runs = iso_arena_calloc(arena, n, sizeof(*runs));
    uint32_t *run_of = iso_arena_calloc(arena, n, sizeof(*run_of));
    size_t before = 0, n_runs = 0;

    if (!runs || !run_of)
        return false;
    if (!is_sorted(rows, n))
        qsort(rows, n, sizeof(*rows), compare_runs);
    for (size_t i = 0; i < n; i++) {
        const struct iso_run *row = &rows[i];
        while (before < i &&
               (rows[before].period < row->period - 1 ||
                (rows[before].period == row->period - 1 && compare_keys(&rows[before], row) < 0)))
            before++;
        bool joins = before < i && rows[before].period == row->period - 1 &&
                     compare_keys(&rows[before], row) == 0 && rows[before].amount == row->amount;
        run_of[i] = joins ? run_of[before] : (uint32_t)n_runs;
        if (joins)
            runs[run_of[i]].n_periods++;
        else
            runs[n_runs++] = *row;
    }
    *ret_runs = runs;
    *ret_n = n_runs;
    return true;
}

bool iso_runs_of_uses(const struct iso_plan *plan, struct iso_arena *arena,
                      struct iso_run **ret_runs, size_t *ret_n)
{
    size_t n = (size_t)plan->n_uses;
    struct iso_run *rows = iso_arena_calloc(arena, n, sizeof(*rows));

    for (size_t i = 0; rows && i < n; i++) {
        const struct iso_use *use = &plan->uses[i];
        rows[i] = (struct iso_run){use->period, 1, {use->workload, use->offering, 0}, use->count};
    }
    return rows && join(rows, n, arena, ret_runs, ret_n);
}

bool iso_runs_of_covers(const struct iso_plan *plan, struct iso_arena *arena,
                        struct iso_run **ret_runs, size_t *ret_n)
{
    size_t n = (size_t)plan->n_covers;
    struct iso_run *rows = iso_arena_calloc(arena, n, sizeof(*rows));

    for (size_t i = 0; rows && i < n; i++) {
        const struct iso_cover *cover = &plan->covers[i];
        rows[i] = (struct iso_run){
            cover->period, 1, {cover->cell, cover->offering, cover->product}, cover->instances};
    }
    return rows && join(rows, n, arena, ret_runs, ret_n);
}

static void put_use(void *row, const struct iso_run *run, int32_t period)
{
    *(struct iso_use *)row = (struct iso_use){run->keys[0], run->keys[1], period, run->amount};
}

static void put_cover(void *row, const struct iso_run *run, int32_t period)
{
    *(struct iso_cover *)row =
        (struct iso_cover){run->keys[2], run->keys[0], run->keys[1], period, run->amount};
}

static enum iso_status count_rows(const char *name, const struct iso_run *runs, size_t n,
                                  int32_t n_periods, size_t *ret_n_rows, struct iso_error *reterr)
{
    size_t n_rows = 0;

    if (!is_sorted(runs, n))
        return iso_fail(reterr, ISO_E_INVALID, name, "runs are out of order");
    for (size_t i = 0; i < n; i++) {
        if (runs[i].period < 0 || runs[i].n_periods < 1 ||
            runs[i].n_periods > n_periods - runs[i].period)
            return iso_fail(reterr, ISO_E_INVALID, name,
                            "run %zu has %d periods from %d on; there are %d", i, runs[i].n_periods,
                            runs[i].period, n_periods);
        n_rows += (size_t)runs[i].n_periods;
    }
    if (n_rows > INT32_MAX)
        return iso_fail(reterr, ISO_E_INVALID, name, "%zu rows are too many", n_rows);
    *ret_n_rows = n_rows;
    return ISO_OK;
}

/* Goes through the periods with the list of runs under way, by keys; runs that begin are merged in.
 */
static enum iso_status spread(const char *name, const struct iso_run *runs, size_t n,
                              int32_t n_periods, size_t row_bytes,
                              void (*put)(void *row, const struct iso_run *run, int32_t period),
                              int32_t *ret_n, void *ret_rows, struct iso_error *reterr)
{
    size_t n_rows = 0, n_active = 0, next = 0, made = 0;

    ISO_TRY(count_rows(name, runs, n, n_periods, &n_rows, reterr));
    ISO_AUTO_MEM size_t *lists = iso_calloc(2 * n, sizeof(*lists));
    char *rows = lists ? iso_calloc(n_rows, row_bytes) : NULL;
    if (!rows)
        return iso_fail(reterr, ISO_E_NOMEM, name, "no memory for %zu rows", n_rows);
    for (int32_t t = 0; t < n_periods && made < n_rows; t++) {
        size_t *active = &lists[t % 2 ? n : 0], *kept = &lists[t % 2 ? 0 : n];
        size_t n_kept = 0, i = 0;
        while (i < n_active || (next < n && runs[next].period == t)) {
            const struct iso_run *old = i < n_active ? &runs[active[i]] : NULL;
            if (old && t - old->period >= old->n_periods) {
                i++;
                continue;
            }
            bool begins =
                next < n && runs[next].period == t && (!old || compare_keys(&runs[next], old) < 0);
            kept[n_kept] = begins ? next++ : active[i++];
            put(&rows[made++ * row_bytes], &runs[kept[n_kept++]], t);
        }
        n_active = n_kept;
    }
    *ret_n = (int32_t)n_rows;
    memcpy(ret_rows, &rows, sizeof(rows));
    return ISO_OK;
}

enum iso_status iso_runs_to_uses(const struct iso_run *runs, size_t n, int32_t n_periods,
                                 struct iso_plan *plan, struct iso_error *reterr)
{
    return spread("uses", runs, n, n_periods, sizeof(*plan->uses), put_use, &plan->n_uses,
                  &plan->uses, reterr);
}

enum iso_status iso_runs_to_covers(const struct iso_run *runs, size_t n, int32_t n_periods,
                                   struct iso_plan *plan, struct iso_error *reterr)
{
    return spread("covers", runs, n, n_periods, sizeof(*plan->covers), put_cover, &plan->n_covers,
                  &plan->covers, reterr);
}
