/* From whole columns to a point: everything else follows from them. Starts and stops are plain,
 * flows that stand alone go the cheapest way, columns that share no row with another take what
 * pays, and a linear program finds the rest. */
#include <math.h>
#include <string.h>

#include "flow_block.h"
#include "search.h"

#define WHOLE 1e-5     /* how far from whole a whole column may be when it is offered */
#define ROW_SLACK 1e-7 /* relative; exact checks follow in extraction and in the verifier */
#define MOST_LOOKS 20  /* of 500 iterations, after time is up */

static bool rows_hold(const struct iso_mip *mip, const double *x, double *activity)
{
    iso_mip_activity(mip, x, activity);
    for (int32_t i = 0; i < mip->n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        if (activity[i] < row->lower - ROW_SLACK * (1 + fabs(row->lower)) ||
            activity[i] > row->upper + ROW_SLACK * (1 + fabs(row->upper)))
            return false;
    }
    return true;
}

/* Rows of the rest, with what the whole columns leave of their sides. */
static bool rest_rows(const struct iso_mip *mip, const double *activity, const int32_t *columns,
                      int32_t n, int32_t *place, struct iso_mip *rest)
{
    for (int32_t i = 0; i < mip->n_rows; i++)
        place[i] = -1;
    for (int32_t at = 0; at < n; at++)
        for (int32_t k = 0; k < mip->columns[columns[at]].n_entries; k++) {
            int32_t i = mip->entries[mip->columns[columns[at]].first_entry + k].row;
            struct iso_mip_row row = mip->rows[i];
            if (place[i] >= 0)
                continue;
            row.lower -= activity[i];
            row.upper -= activity[i];
            place[i] = iso_mip_add_row(rest, &row);
            if (place[i] < 0)
                return false;
        }
    return true;
}

static bool rest_columns(const struct iso_mip *mip, const int32_t *columns, int32_t n,
                         const int32_t *place, struct iso_mip *rest)
{
    for (int32_t at = 0; at < n; at++) {
        const struct iso_mip_column *column = &mip->columns[columns[at]];
        struct iso_mip_column copy = *column;
        int32_t j = iso_mip_add_column(rest, &copy);
        if (j < 0)
            return false;
        rest->objective[j] = mip->objective[columns[at]];
        for (int32_t k = 0; k < column->n_entries; k++)
            if (!iso_mip_add_entry(rest, place[mip->entries[column->first_entry + k].row],
                                   mip->entries[column->first_entry + k].coefficient))
                return false;
    }
    return true;
}

/* Columns that the whole ones leave open: all others, but coverage only of what runs by what is
 * held or bought. Gives their number. */
static int32_t open_columns(const struct iso_mip *mip, const double *point, uint8_t *useful,
                            int32_t *ret_columns)
{
    int32_t n = 0;

    for (int32_t i = 0; i < mip->n_rows; i++) /* something is held */
        useful[i] = mip->rows[i].kind == ISO_ROW_COMMIT && mip->rows[i].upper > 0;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries && point[j] != 0; k++)
            useful[mip->entries[column->first_entry + k].row] |=
                column->kind == ISO_COLUMN_BUY || iso_column_runs(column);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry];
        if (!column->integer &&
            (column->kind != ISO_COLUMN_COVER || (useful[entry[0].row] && useful[entry[1].row])))
            ret_columns[n++] = j;
    }
    return n;
}

/* Gives a column its value; its rows take notice. */
static void set_value(const struct iso_mip *mip, int32_t j, double value, double *point,
                      double *activity)
{
    point[j] = value;
    iso_mip_shift(mip, j, value, activity);
}

/* Values of columns that share none of their rows with another open one: as much as the rows leave
 * when they earn, else nothing. What is left of the columns stays in the list; gives their number.
 * Coverage is mostly of this kind: one commitment, one place to use it. */
static int32_t settle_lonely(const struct iso_mip *mip, int32_t *columns, int32_t n, int32_t *users,
                             double *point, double *activity)
{
    int32_t n_left = 0;

    memset(users, 0, (size_t)mip->n_rows * sizeof(*users));
    for (int32_t at = 0; at < n; at++)
        for (int32_t k = 0; k < mip->columns[columns[at]].n_entries; k++)
            users[mip->entries[mip->columns[columns[at]].first_entry + k].row]++;
    for (int32_t at = 0; at < n; at++) {
        const struct iso_mip_column *column = &mip->columns[columns[at]];
        double most = mip->objective[columns[at]] < 0 ? column->upper : 0;
        bool lonely = column->lower == 0;
        for (int32_t k = 0; k < column->n_entries && lonely; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            const struct iso_mip_row *row = &mip->rows[entry->row];
            double side = entry->coefficient > 0 ? row->upper : row->lower;
            lonely = users[entry->row] == 1 && activity[entry->row] >= row->lower &&
                     activity[entry->row] <= row->upper;
            most = fmin(most, fmax(0, (side - activity[entry->row]) / entry->coefficient));
        }
        if (!lonely || isinf(most)) {
            columns[n_left++] = columns[at];
            continue;
        }
        set_value(mip, columns[at], most, point, activity);
    }
    return n_left;
}

/* Starts and stops are what instances do from one period to the next; takes them off the list.
 * Gives the number of what is left. */
static int32_t settle_ramps(const struct iso_mip *mip, int32_t *columns, int32_t n, double *point,
                            double *activity)
{
    int32_t n_left = 0;

    for (int32_t at = 0; at < n; at++) {
        const struct iso_mip_column *column = &mip->columns[columns[at]];
        if (column->kind != ISO_COLUMN_RAMP) {
            columns[n_left++] = columns[at];
            continue;
        }
        double value = 0;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            if (mip->rows[entry->row].kind == ISO_ROW_RAMP)
                value = fmax(0, -activity[entry->row] / entry->coefficient);
        }
        set_value(mip, columns[at], value, point, activity);
    }
    return n_left;
}

/* Whether the flows of a block are in no other rows, and their workload leaves nothing unserved:
 * then they are a transportation problem of their own. */
static bool stands_alone(const struct iso_search *search, int32_t first, int32_t end)
{
    const struct iso_mip *mip = &search->formulation->mip;
    const struct iso_workload *workload = &search->problem->workloads[mip->columns[first].a];

    if (workload->service != ISO_SERVICE_MUST ||
        workload->traffic[mip->columns[first].b].other >= 0)
        return false;
    for (int32_t j = first; j < end; j++) {
        if (mip->objective[j] < 0)
            return false;
        for (int32_t e = 0; e < mip->columns[j].n_entries; e++) {
            int kind = mip->rows[mip->entries[mip->columns[j].first_entry + e].row].kind;
            if (kind != ISO_ROW_FLOW && kind != ISO_ROW_ARRIVAL)
                return false;
        }
    }
    return true;
}

/* Sends the flows of such blocks the cheapest way, and takes them off the list; *ret_holds is false
 * where instances have no room for them. */
static enum iso_status settle_flows(struct iso_search *search, int32_t *columns, int32_t *io_n,
                                    double *point, double *activity, bool *ret_holds,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n = 0;

    *ret_holds = true;
    for (int32_t at = 0, next; at < *io_n && *ret_holds; at = next) {
        struct iso_flow_block block __attribute__((cleanup(iso_flow_block_fini))) = {0};
        int32_t first = columns[at], end = iso_flow_block_end(mip, first);
        bool flows = mip->columns[first].kind == ISO_COLUMN_FLOW;
        next = at + (flows ? end - first : 1);
        if (!flows || !stands_alone(search, first, end)) {
            while (at < next)
                columns[n++] = columns[at++];
            continue;
        }
        if (!iso_flow_block_init(&block, search->problem, mip, first, end, mip->objective,
                                 activity))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for flows");
        *ret_holds = iso_flow_block_send(&block) <= ISO_FLOW_NOTHING;
        for (int32_t i = 0; i < block.transport.n_sources * block.transport.n_places; i++) {
            double flow = (double)block.transport.flow[i] / ISO_FLOW_UNIT;
            if (flow != 0)
                set_value(mip, block.column[i], flow, point, activity);
        }
    }
    *io_n = n;
    return ISO_OK;
}

/* The linear program of the rest is short, as a rule, and mostly of a plan that is wanted: it goes
 * on when time is up, but not for ever, and not where there is a plan. */
struct patience {
    struct iso_search *search;
    int looks;
};

static enum iso_stop stop_late(void *context)
{
    struct patience *patience = context;
    struct iso_search *search = patience->search;

    if (!iso_search_stops(search) || (!search->has_best && ++patience->looks < MOST_LOOKS))
        return (enum iso_stop)0;
    return search->stopped;
}

/* Finds the best values of the columns that are not whole; false in *ret_holds when there are none,
 * or, precisely, none that simplex finds. `activity` is that of the whole columns. */
static enum iso_status complete(struct iso_search *search, bool precise, double *point,
                                double *activity, bool *ret_holds, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct patience patience = {search, 0};
    const struct iso_control control = {.context = &patience, .stop = stop_late};
    struct iso_mip rest __attribute__((cleanup(iso_mip_fini))) = {0};
    ISO_AUTO_MEM uint8_t *useful = iso_calloc((size_t)mip->n_rows, 1);
    ISO_AUTO_MEM int32_t *columns = iso_calloc((size_t)mip->n_columns, sizeof(*columns));
    ISO_AUTO_MEM int32_t *place = iso_calloc((size_t)mip->n_rows, sizeof(*place));
    ISO_AUTO(iso_lp) lp = NULL;
    enum iso_lp_outcome outcome;

    if (!useful || !columns || !place)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a point");
    int32_t n = open_columns(mip, point, useful, columns);
    n = settle_ramps(mip, columns, n, point, activity);
    ISO_TRY(settle_flows(search, columns, &n, point, activity, ret_holds, reterr));
    if (!*ret_holds)
        return ISO_OK;
    n = settle_lonely(mip, columns, n, place, point, activity);
    *ret_holds = true;
    if (n == 0)
        return ISO_OK;
    ISO_AUTO_MEM double *values = iso_calloc((size_t)n, sizeof(*values));
    if (!values || !rest_rows(mip, activity, columns, n, place, &rest) ||
        !rest_columns(mip, columns, n, place, &rest))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a point");
    ISO_TRY(iso_lp_new(&rest, NULL, &lp, reterr));
    if (precise)
        iso_lp_be_precise(lp);
    ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, &outcome, reterr));
    *ret_holds = outcome == ISO_LP_OPTIMAL;
    if (!*ret_holds)
        return ISO_OK;
    iso_lp_values(lp, values);
    for (int32_t at = 0; at < n; at++)
        point[columns[at]] = values[at];
    return ISO_OK;
}

/* The whole columns of a point; false when they are not whole enough. */
static bool round_point(const struct iso_mip *mip, const double *x, double *ret_point)
{
    for (int32_t j = 0; j < mip->n_columns; j++) {
        double whole = mip->columns[j].integer ? round(x[j]) : 0;
        if (mip->columns[j].integer && fabs(whole - x[j]) > WHOLE * (1 + fabs(whole)))
            return false;
        ret_point[j] = whole;
    }
    return true;
}

/* GLPK keeps scaled rows to 1e-7. Where the rows as they are do not hold to that, the values are
 * found again, precisely. */
enum iso_status iso_search_offer(struct iso_search *search, const double *x, bool *ret_taken,
                                 struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM double *point = iso_calloc((size_t)mip->n_columns, sizeof(*point));
    ISO_AUTO_MEM double *activity = iso_calloc((size_t)mip->n_rows, sizeof(*activity));
    bool holds = false, keeps_rows = false;

    *ret_taken = false;
    if (!point || !activity)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a point");
    for (int precise = 0; precise < 2 && !keeps_rows; precise++) {
        if (!round_point(mip, x, point))
            return ISO_OK;
        iso_mip_activity(mip, point, activity);
        ISO_TRY(complete(search, precise, point, activity, &holds, reterr));
        if (!holds)
            return ISO_OK;
        keeps_rows = rows_hold(mip, point, activity);
    }
    if (!keeps_rows)
        return ISO_OK;
    double value =
        iso_mip_value(mip, point) + iso_formulation_constant(search->formulation, search->tier);
    if (search->has_best && value >= search->best_value)
        return ISO_OK;
    memcpy(search->best, point, (size_t)mip->n_columns * sizeof(*point));
    search->best_value = value;
    search->has_best = *ret_taken = true;
    return iso_search_report(search, reterr);
}
