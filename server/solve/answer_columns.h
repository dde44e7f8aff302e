/* Arrays of structs as columns of a message, by tables of places: gather for sending, scatter for
 * receiving. */
#ifndef ISOCOST_SERVER_ANSWER_COLUMNS_H
#define ISOCOST_SERVER_ANSWER_COLUMNS_H

#include "answer.h"

/* One column: a repeated field of the message and the member of a row that it holds. */
struct iso_column {
    size_t n_at, values_at; /* of n_field and field in the message */
    size_t member_at;       /* in the row */
    size_t width;           /* 4 or 8 bytes, in the message and in the row */
};

/* One array of a plan. */
struct iso_column_group {
    const char *name;
    size_t n_at, rows_at; /* of the int32_t count and the array in struct iso_plan */
    size_t row_bytes;
    int n_columns;
    struct iso_column columns[6];
};

extern const struct iso_column_group iso_answer_groups[]; /* in an Answer; ends with a NULL name */

/* Copies the rows of a plan into columns that live in the arena. False when it is full. */
bool iso_columns_gather(const struct iso_column_group *group, const struct iso_plan *plan,
                        void *message, struct iso_arena *arena);

/* Makes the rows of a plan; the plan owns them. Errors: ISO_E_INVALID (columns of unequal length),
 * ISO_E_NOMEM. */
enum iso_status iso_columns_scatter(const struct iso_column_group *group, const void *message,
                                    struct iso_plan *plan, struct iso_error *reterr);

#endif
