#include "plan_parts.h"

static int compare3(int32_t a1, int32_t a2, int32_t a3, int32_t b1, int32_t b2, int32_t b3)
{
    if (a1 != b1)
        return a1 < b1 ? -1 : 1;
    if (a2 != b2)
        return a2 < b2 ? -1 : 1;
    return (a3 > b3) - (a3 < b3);
}

static int compare_covers(const void *left, const void *right)
{
    const struct iso_cover *a = *(const struct iso_cover *const *)left;
    const struct iso_cover *b = *(const struct iso_cover *const *)right;
    int order = compare3(a->period, a->cell, a->offering, b->period, b->cell, b->offering);
    return order ? order : (a->product > b->product) - (a->product < b->product);
}

static int compare_fills(const void *left, const void *right)
{
    const struct iso_fill *a = *(const struct iso_fill *const *)left;
    const struct iso_fill *b = *(const struct iso_fill *const *)right;
    int order = compare3(a->period, a->team, a->offering, b->period, b->team, b->offering);
    return order ? order : (a->first_entry > b->first_entry) - (a->first_entry < b->first_entry);
}

/* What is in order already is left as it is. */
static void sort(void *pointers, int32_t n, int (*order)(const void *, const void *))
{
    const void **list = pointers;

    for (int32_t i = 1; i < n; i++)
        if (order(&list[i - 1], &list[i]) > 0) {
            qsort(pointers, (size_t)n, sizeof(*list), order);
            return;
        }
}

bool iso_line_parts_init(const struct iso_plan_writer *writer, struct iso_line_parts *ret_parts)
{
    const struct iso_plan *plan = writer->plan;
    struct iso_line_parts parts = {
        .plan = plan,
        .n_workloads = writer->problem->n_workloads,
        .covers =
            iso_arena_calloc(writer->arena, (size_t)plan->n_covers + 1, sizeof(*parts.covers)),
        .fills = iso_arena_calloc(writer->arena, (size_t)plan->n_fills + 1, sizeof(*parts.fills))};

    if (!parts.covers || !parts.fills)
        return false;
    for (int32_t i = 0; i < plan->n_covers; i++)
        parts.covers[i] = &plan->covers[i];
    for (int32_t i = 0; i < plan->n_fills; i++)
        parts.fills[i] = &plan->fills[i];
    sort(parts.covers, plan->n_covers, compare_covers);
    sort(parts.fills, plan->n_fills, compare_fills);
    *ret_parts = parts;
    return true;
}

static int order_cover(const struct iso_cover *cover, const struct iso_line *line)
{
    return compare3(cover->period, cover->cell, cover->offering, line->period, line->cell,
                    line->offering);
}

int32_t iso_line_covers(struct iso_line_parts *parts, const struct iso_line *line,
                        const struct iso_cover ***ret_first)
{
    int32_t n = 0;

    if (line->kind != ISO_LINE_INSTANCE)
        return 0;
    while (parts->next_cover < parts->plan->n_covers &&
           order_cover(parts->covers[parts->next_cover], line) < 0)
        parts->next_cover++;
    const struct iso_cover **first = &parts->covers[parts->next_cover];
    while (parts->next_cover + n < parts->plan->n_covers && order_cover(first[n], line) == 0)
        n++;
    *ret_first = first;
    return n;
}

static int order_fill(const struct iso_fill *fill, const struct iso_line *line, int32_t team)
{
    return compare3(fill->period, fill->team, fill->offering, line->period, team, line->offering);
}

int32_t iso_line_fills(struct iso_line_parts *parts, const struct iso_line *line,
                       const struct iso_fill ***ret_first)
{
    int32_t team = line->cell - parts->n_workloads, n = 0;

    if (line->kind != ISO_LINE_INSTANCE || team < 0)
        return 0;
    while (parts->next_fill < parts->plan->n_fills &&
           order_fill(parts->fills[parts->next_fill], line, team) < 0)
        parts->next_fill++;
    const struct iso_fill **first = &parts->fills[parts->next_fill];
    while (parts->next_fill + n < parts->plan->n_fills && order_fill(first[n], line, team) == 0)
        n++;
    *ret_first = first;
    return n;
}
