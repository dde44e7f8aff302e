#include "answer_columns.h"

#define ANSWER(field, type, member)                                                        \
    {                                                                                      \
        offsetof(Isocost__Internal__V1__Answer, n_##field),                                \
            offsetof(Isocost__Internal__V1__Answer, field), offsetof(struct type, member), \
            sizeof(*((Isocost__Internal__V1__Answer *)NULL)->field) +                      \
                WIDTH_MUST_AGREE(Isocost__Internal__V1__Answer, field, type, member)       \
    }
/* 0, or no compilation. */
#define WIDTH_MUST_AGREE(message, field, type, member)                                       \
    (0 *                                                                                     \
     sizeof(                                                                                 \
         char[sizeof(*((message *)NULL)->field) == sizeof(((struct type *)NULL)->member) ? 1 \
                                                                                         : -1]))
#define ROWS(group, type)                                         \
    .name = #group, .n_at = offsetof(struct iso_plan, n_##group), \
    .rows_at = offsetof(struct iso_plan, group), .row_bytes = sizeof(struct type)

const struct iso_column_group iso_answer_groups[] = {
    {ROWS(fills, iso_fill), .n_columns = 5,
     .columns = {ANSWER(fill_team, iso_fill, team), ANSWER(fill_offering, iso_fill, offering),
                 ANSWER(fill_period, iso_fill, period), ANSWER(fill_instances, iso_fill, instances),
                 ANSWER(fill_n_entries, iso_fill, n_entries)}},
    {ROWS(entries, iso_fill_entry), .n_columns = 2,
     .columns = {ANSWER(entry_workload, iso_fill_entry, workload),
                 ANSWER(entry_count, iso_fill_entry, count)}},
    {ROWS(purchases, iso_purchase), .n_columns = 3,
     .columns = {ANSWER(purchase_product, iso_purchase, product),
                 ANSWER(purchase_start, iso_purchase, start),
                 ANSWER(purchase_quantity, iso_purchase, quantity)}},
    {ROWS(unserved, iso_unserved), .n_columns = 3,
     .columns = {ANSWER(unserved_workload, iso_unserved, workload),
                 ANSWER(unserved_period, iso_unserved, period),
                 ANSWER(unserved_amount, iso_unserved, amount)}},
    {ROWS(flows, iso_flow), .n_columns = 5,
     .columns = {ANSWER(flow_workload, iso_flow, workload), ANSWER(flow_traffic, iso_flow, traffic),
                 ANSWER(flow_route, iso_flow, route), ANSWER(flow_period, iso_flow, period),
                 ANSWER(flow_amount, iso_flow, amount)}},
    {ROWS(duals, iso_dual), .n_columns = 6,
     .columns = {ANSWER(dual_kind, iso_dual, kind), ANSWER(dual_a, iso_dual, a),
                 ANSWER(dual_b, iso_dual, b), ANSWER(dual_c, iso_dual, c),
                 ANSWER(dual_d, iso_dual, d), ANSWER(dual_value, iso_dual, value)}},
    {ROWS(leads, iso_lead), .n_columns = 1, .columns = {ANSWER(lead_period, iso_lead, period)}},
    {.name = NULL},
};

/* Pointers inside structs are read and written as bytes: their types differ from row to row. */
static char *pointer_at(const void *structure, size_t at)
{
    char *pointer;
    memcpy(&pointer, (const char *)structure + at, sizeof(pointer));
    return pointer;
}

bool iso_columns_gather(const struct iso_column_group *group, const struct iso_plan *plan,
                        void *message, struct iso_arena *arena)
{
    int32_t n_rows;
    memcpy(&n_rows, (const char *)plan + group->n_at, sizeof(n_rows));
    const char *rows = pointer_at(plan, group->rows_at);
    size_t n = (size_t)n_rows;

    for (int c = 0; c < group->n_columns && n > 0; c++) {
        const struct iso_column *column = &group->columns[c];
        char *values = iso_arena_calloc(arena, n, column->width);
        if (!values)
            return false;
        for (size_t i = 0; i < n; i++)
            memcpy(values + i * column->width, rows + i * group->row_bytes + column->member_at,
                   column->width);
        memcpy((char *)message + column->n_at, &n, sizeof(n));
        memcpy((char *)message + column->values_at, &values, sizeof(values));
    }
    return true;
}

enum iso_status iso_columns_scatter(const struct iso_column_group *group, const void *message,
                                    struct iso_plan *plan, struct iso_error *reterr)
{
    size_t n;
    memcpy(&n, (const char *)message + group->columns[0].n_at, sizeof(n));
    for (int c = 1; c < group->n_columns; c++) {
        size_t other;
        memcpy(&other, (const char *)message + group->columns[c].n_at, sizeof(other));
        if (other != n)
            return iso_fail(reterr, ISO_E_INVALID, group->name,
                            "column %d has %zu values; the first has %zu", c, other, n);
    }
    if (n > INT32_MAX)
        return iso_fail(reterr, ISO_E_INVALID, group->name, "%zu rows are too many", n);

    char *rows = iso_calloc(n, group->row_bytes);
    if (!rows)
        return iso_fail(reterr, ISO_E_NOMEM, group->name, "no memory for %zu rows", n);
    int32_t n_rows = (int32_t)n;
    memcpy((char *)plan + group->n_at, &n_rows, sizeof(n_rows));
    memcpy((char *)plan + group->rows_at, &rows, sizeof(rows));

    for (int c = 0; c < group->n_columns; c++) {
        const struct iso_column *column = &group->columns[c];
        const char *values = pointer_at(message, column->values_at);
        for (size_t i = 0; i < n; i++)
            memcpy(rows + i * group->row_bytes + column->member_at, values + i * column->width,
                   column->width);
    }
    return ISO_OK;
}
