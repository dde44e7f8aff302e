/* The state of a first plan that is being made; see incumbent.c. */
#ifndef ISOCOST_INCUMBENT_STATE_H
#define ISOCOST_INCUMBENT_STATE_H

#include "search.h"

#define ISO_GREEDY_SLACK 1e-9

/* The rows' columns, and how full each row is. */
struct iso_greedy {
    struct iso_search *search;
    const struct iso_mip *mip;
    double *toll;             /* n_rows: money for a unit of a limit or budget */
    uint8_t *blocked;         /* n_rows: a column could not come in for it */
    double *price;            /* n_columns: money and tolls */
    int32_t *first, *columns; /* columns with a positive entry in each row */
    double *coefficients;
    double *activity;  /* n_rows */
    double *x;         /* n_columns */
    bool has_presence; /* some workloads have together or apart rules */
    bool overspends;   /* budgets wait until purchases are made */
};

enum iso_status iso_greedy_init(struct iso_greedy *greedy, struct iso_search *search,
                                struct iso_error *reterr);
void iso_greedy_fini(struct iso_greedy *greedy);

/* Whether a column is chosen here; coverage, flows and what is unserved follow by a linear program.
 */
bool iso_greedy_decides(const struct iso_mip_column *column);

void iso_greedy_change(struct iso_greedy *greedy, int32_t column, double by);

/* Rows whose other columns adapt to whole columns by themselves. */
bool iso_greedy_adapts(const struct iso_mip_row *row);

/* What a row may be beyond a side. */
double iso_greedy_tolerance(double side);

/* How many more of a column the caps allow, at most `most`; the row that allows none. */
double iso_greedy_room(const struct iso_greedy *greedy, int32_t column, double most,
                       int32_t *ret_row);

/* Notes which limits and budgets keep the columns of a row away that is not full. */
void iso_greedy_note_blocked(struct iso_greedy *greedy, int32_t row);

/* The tolls that the relaxation takes; NULL: none. */
void iso_greedy_start_tolls(struct iso_greedy *greedy, const double *duals);

/* Raises the tolls of what was noted; gives their number. */
int32_t iso_greedy_raise_tolls(struct iso_greedy *greedy);

/* Flows of all traffic, and capacity where they need it; see incumbent_flows.c. Errors:
 * ISO_E_NOMEM. */
enum iso_status iso_greedy_flows(struct iso_greedy *greedy, struct iso_error *reterr);

/* Fills a row up to its lower side. */
void iso_greedy_fill_row(struct iso_greedy *greedy, int32_t row);

/* Instances of workloads with caps on starts and stops: `begin`, where none are, or what the caps
 * ask for in the end; see incumbent_ramps.c. Errors: ISO_E_NOMEM. */
enum iso_status iso_greedy_ramps(struct iso_greedy *greedy, bool begin, struct iso_error *reterr);

/* Purchases that pay for what runs, where there are none; see incumbent_purchases.c. Errors:
 * ISO_E_NOMEM. */
enum iso_status iso_greedy_purchases(struct iso_greedy *greedy, bool *ret_bought,
                                     struct iso_error *reterr);

#endif
