/* Instances that are kept on, or come in early, so that caps on starts and stops hold.
 *
 * From nothing, each period begins with what serves a unit for least of what ran in the period
 * before, as far as it is asked for, and only then other instances come in. Starts and stops
 * between two periods are what comes of it. Where too many start, some run a period earlier: last
 * period first, so that what is added is seen by the period before. Where too many stop, some run a
 * period longer: first period first. Neither adds a start or a stop anywhere else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "incumbent_state.h"

/* A workload's way through the periods. */
struct course {
    struct iso_greedy *greedy;
    int32_t n_options, n_periods;
    const int32_t *row; /* [period] its DEMAND row */
    int32_t *column;    /* [option * n_periods + period]; -1: none */
};

static double runs(const struct course *course, int32_t option, int32_t t)
{
    int32_t j = course->column[option * course->n_periods + t];

    return j < 0 ? 0 : course->greedy->x[j];
}

/* Adds instances in period `to`, the cheapest first, until at most `most` run in `from` that do not
 * run in `to`. */
static void follow(const struct course *course, int32_t from, int32_t to, double most)
{
    struct iso_greedy *greedy = course->greedy;
    double missing = -most;

    for (int32_t o = 0; o < course->n_options; o++)
        missing += fmax(0, runs(course, o, from) - runs(course, o, to));
    while (missing > ISO_GREEDY_SLACK) {
        double least = INFINITY, step = 0;
        int32_t best = -1, in_the_way;
        for (int32_t o = 0; o < course->n_options; o++) {
            int32_t j = course->column[o * course->n_periods + to];
            double more = runs(course, o, from) - runs(course, o, to);
            if (j < 0 || more < 1 || greedy->price[j] >= least)
                continue;
            double room = iso_greedy_room(greedy, j, fmin(more, ceil(missing)), &in_the_way);
            if (room < 1)
                continue;
            best = j;
            least = greedy->price[j];
            step = floor(room);
        }
        if (best < 0) {
            iso_greedy_note_blocked(greedy, course->row[to]);
            return;
        }
        iso_greedy_change(greedy, best, step);
        missing -= step;
    }
}

static void keep_steady(const struct course *course, const struct iso_ramp *ramp)
{
    for (int32_t t = course->n_periods - 1; t > 0 && ramp->starts >= 0; t--)
        follow(course, t, t - 1, (double)ramp->starts);
    for (int32_t t = 1; t < course->n_periods && ramp->stops >= 0; t++)
        follow(course, t - 1, t, (double)ramp->stops);
}

static bool runs_anywhere(const struct course *course)
{
    for (int32_t i = 0; i < course->n_options * course->n_periods; i++)
        if (course->column[i] >= 0 && course->greedy->x[course->column[i]] > 0)
            return true;
    return false;
}

/* Keeps instances of the period before on, those that serve a unit for least first. */
static void keep_on(const struct course *course, int32_t t)
{
    struct iso_greedy *greedy = course->greedy;
    int32_t row = course->row[t];

    for (;;) {
        double missing = greedy->mip->rows[row].lower - greedy->activity[row];
        double least = INFINITY, step = 0;
        int32_t best = -1, in_the_way;
        if (missing <= iso_greedy_tolerance(greedy->mip->rows[row].lower))
            return;
        for (int32_t at = greedy->first[row]; at < greedy->first[row + 1]; at++) {
            int32_t j = greedy->columns[at];
            double served = greedy->coefficients[at], score = greedy->price[j] / served;
            if (greedy->mip->columns[j].kind != ISO_COLUMN_USE || score >= least)
                continue;
            double more = runs(course, greedy->mip->columns[j].b, t - 1) - greedy->x[j];
            double room = more < 1 ? 0
                                   : iso_greedy_room(greedy, j, fmin(more, ceil(missing / served)),
                                                     &in_the_way);
            if (room < 1)
                continue;
            best = j;
            least = score;
            step = floor(room);
        }
        if (best < 0)
            return;
        iso_greedy_change(greedy, best, step);
    }
}

static bool course_init(struct course *course, int32_t a)
{
    const struct iso_mip *mip = course->greedy->mip;
    size_t n = (size_t)course->n_options * (size_t)course->n_periods;

    course->column = iso_calloc(n, sizeof(*course->column));
    if (!course->column)
        return false;
    memset(course->column, 0xff, n * sizeof(*course->column));
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_USE && mip->columns[j].a == a)
            course->column[mip->columns[j].b * course->n_periods + mip->columns[j].c] = j;
    return true;
}

static void course_fini(struct course *course)
{
    free(course->column);
}

enum iso_status iso_greedy_ramps(struct iso_greedy *greedy, bool begin, struct iso_error *reterr)
{
    const struct iso_problem *problem = greedy->search->problem;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        struct course course __attribute__((cleanup(course_fini))) = {
            .greedy = greedy,
            .n_options = workload->n_options,
            .n_periods = problem->n_periods,
            .row = &greedy->search->formulation->demand_row[a * problem->n_periods]};
        if (!workload->ramp || workload->replicas)
            continue;
        if (!course_init(&course, a))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
        if (!begin)
            keep_steady(&course, workload->ramp);
        else if (!runs_anywhere(&course))
            for (int32_t t = 0; t < problem->n_periods; t++) {
                if (t > 0)
                    keep_on(&course, t);
                iso_greedy_fill_row(greedy, course.row[t]);
            }
    }
    return ISO_OK;
}
