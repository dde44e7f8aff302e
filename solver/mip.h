/* A mixed-integer program in the words of the problem:
 *
 *     minimise  sum_j objective[j] x_j
 *     subject to  row.lower <= sum_j coefficient_ij x_j <= row.upper,
 *                 column.lower <= x_j <= column.upper,  x_j whole where column.integer
 *
 * Columns are stored sparse, one after the other; rows exist before the columns that use them. */
#ifndef ISOCOST_MIP_H
#define ISOCOST_MIP_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/plan.h"
#include "isocost/problem.h"

enum iso_column_kind {
    ISO_COLUMN_USE,         /* x: a=workload b=option c=period */
    ISO_COLUMN_PATTERN,     /* lambda: a=team b=offering c=period d=pattern */
    ISO_COLUMN_PLACE,       /* f: a=workload b=option c=period */
    ISO_COLUMN_COVER,       /* v: a=product b=cell c=offering d=period */
    ISO_COLUMN_BUY,         /* y: a=product b=start */
    ISO_COLUMN_UNSERVED,    /* u: a=workload b=period */
    ISO_COLUMN_DOMAIN,      /* b: a=workload b=spread rule c=domain */
    ISO_COLUMN_START,       /* e+: a=cell b=offering */
    ISO_COLUMN_STOP,        /* e-: a=cell b=offering */
    ISO_COLUMN_MOVES,       /* m */
    ISO_COLUMN_OVER_LIMIT,  /* violation: a=limit b=period */
    ISO_COLUMN_OVER_BUDGET, /* violation: a=budget b=window */
    ISO_COLUMN_PRESENCE,    /* b: a=workload b=level c=domain */
    ISO_COLUMN_RAMP,        /* change: a=workload b=offering c=period d=0 starts, 1 stops */
    ISO_COLUMN_WORST,       /* q: a=rank b=how many are the worst */
    ISO_COLUMN_ABOVE_WORST, /* p: a=workload b=how many are the worst */
    ISO_COLUMN_FLOW,        /* fl: a=workload b=traffic c=period d=route */
    ISO_COLUMN_BEYOND,      /* e: a=workload b=period */
    ISO_COLUMN_RISE,        /* q: a=workload */
    ISO_COLUMN_ABOVE_RISE,  /* p: a=workload b=period */
    ISO_COLUMN_TAIL,        /* w: a=scenario */
    ISO_COLUMN_AT_RISK      /* zeta */
};

/* Rows that have no multiplier in a proof: those that link columns of one (offering, cell, period),
 * those by which workloads are together, which say nothing in a relaxation, those that say what the
 * worst of several things is, where a proof prices the average, and those of dependencies, which a
 * tree settles. */
enum {
    ISO_ROW_LINK_COVER = ISO_N_ROW_KINDS,
    ISO_ROW_LINK_PLACE,
    ISO_ROW_PRESENT,  /* a=workload b=level c=-1 d=domain: some instance runs where b_d = 1 */
    ISO_ROW_TOGETHER, /* a=workload b=rule c=-1 d=domain: both b_d are equal */
    ISO_ROW_FAIR,     /* a=workload b=how many are the worst, see formulation_fair.c */
    ISO_ROW_JOIN,     /* a=workload b=traffic c=period; see formulation_traffic.c */
    ISO_ROW_LEAVE,    /* likewise, d=source */
    ISO_ROW_ENTER,    /* likewise, d=region */
    ISO_ROW_BEYOND,   /* a=workload b=period, see formulation_box.c */
    ISO_ROW_BOX,      /* a=workload b=period */
    ISO_ROW_TAIL      /* a=scenario, see formulation_tail.c */
};

struct iso_mip_column {
    enum iso_column_kind kind;
    int32_t a, b, c, d;
    double lower, upper; /* upper may be INFINITY */
    bool integer;
    int32_t first_entry, n_entries;
};

struct iso_mip_row {
    int kind; /* enum iso_row_kind or a link kind above */
    int32_t a, b, c, d;
    double lower, upper;
};

struct iso_mip_entry {
    int32_t row;
    double coefficient;
};

struct iso_mip {
    int32_t n_columns, n_rows, n_entries;
    int32_t columns_room, rows_room, entries_room;
    struct iso_mip_column *columns;
    struct iso_mip_row *rows;
    struct iso_mip_entry *entries;
    double *objective; /* n_columns values; of the tier at hand */
};

/* Whether a column stands for instances that run. */
static inline bool iso_column_runs(const struct iso_mip_column *column)
{
    return column->kind == ISO_COLUMN_USE || column->kind == ISO_COLUMN_PATTERN;
}

/* The period of a row that joins columns of one period and of nothing else; -1 for others. */
static inline int32_t iso_mip_row_period(const struct iso_mip_row *row)
{
    switch (row->kind) {
    case ISO_ROW_DEMAND:
    case ISO_ROW_LIMIT:
        return row->b;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
    case ISO_ROW_SURVIVE:
        return row->c;
    default:
        return -1;
    }
}

/* Whether a column of a period is no instance: what is unserved, or a violation of a limit. */
static inline bool iso_column_is_slack(const struct iso_mip_column *column, int32_t period)
{
    return (column->kind == ISO_COLUMN_UNSERVED || column->kind == ISO_COLUMN_OVER_LIMIT) &&
           column->b == period;
}

void iso_mip_fini(struct iso_mip *mip);

/* Appends a row and gives its index, or -1 when memory is short. */
int32_t iso_mip_add_row(struct iso_mip *mip, const struct iso_mip_row *row);

/* Appends a column without entries and gives its index, or -1 when memory is short. */
int32_t iso_mip_add_column(struct iso_mip *mip, const struct iso_mip_column *column);

/* Adds an entry to the last column. A zero coefficient adds nothing. False when memory is short. */
bool iso_mip_add_entry(struct iso_mip *mip, int32_t row, double coefficient);

/* Appends a row over existing columns: coefficient[j] for each column j. The columns are rebuilt.
 * Gives the row's index, or -1 when memory is short. */
int32_t iso_mip_add_dense_row(struct iso_mip *mip, const struct iso_mip_row *row,
                              const double *coefficients);

/* Adds coefficient[j] of each column j that has none in the row yet. The columns are rebuilt. False
 * when memory is short. */
bool iso_mip_fill_row(struct iso_mip *mip, int32_t row, const double *coefficients);

/* Makes `copy` a copy; it is to be freed by iso_mip_fini() also on failure (false: memory is
 * short). */
bool iso_mip_copy(struct iso_mip *copy, const struct iso_mip *mip);

bool iso_mip_has(const struct iso_mip *mip, enum iso_column_kind kind);

/* sum_j objective[j] x_j. */
double iso_mip_value(const struct iso_mip *mip, const double *x);

/* Adds coefficient_ij by to activity[i] for every row of column j. */
void iso_mip_shift(const struct iso_mip *mip, int32_t column, double by, double *activity);

/* ret_activity[i] = sum_j coefficient_ij x_j for every row. */
void iso_mip_activity(const struct iso_mip *mip, const double *x, double *ret_activity);

#endif
