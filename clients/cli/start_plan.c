#include "start_plan.h"

#include "remote.h"
#include "view_text.h"

#define LINES_PAGE 10000

/* Appends what a page of lines says of instances of workloads. False when memory is short. */
static bool add_lines(struct iso_cli *cli, const Isocost__V1__LineTable *lines,
                      Isocost__V1__StartPlan *start)
{
    size_t n = start->n_instances + lines->n_kind;
    Isocost__V1__StartInstances **all = iso_arena_calloc(cli->arena, n + 1, sizeof(*all));

    if (!all)
        return false;
    for (size_t i = 0; i < start->n_instances; i++)
        all[i] = start->instances[i];
    start->instances = all;
    for (size_t row = 0; row < lines->n_kind; row++) {
        char *workload =
            iso_view_line_string(lines, lines->workload_index, lines->n_workload_index, row);
        if (lines->kind[row] != ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE || !*workload ||
            row >= lines->n_quantity)
            continue;
        Isocost__V1__StartInstances *item = iso_arena_calloc(cli->arena, 1, sizeof(*item));
        if (!item)
            return false;
        isocost__v1__start_instances__init(item);
        item->workload = workload;
        item->offering =
            iso_view_line_string(lines, lines->offering_index, lines->n_offering_index, row);
        item->period = iso_view_line_string(lines, lines->period_index, lines->n_period_index, row);
        item->periods = row < lines->n_periods ? lines->periods[row] : 1;
        item->count = lines->quantity[row];
        start->instances[start->n_instances++] = item;
    }
    return true;
}

static bool add_purchases(struct iso_cli *cli, const Isocost__V1__Plan *plan,
                          Isocost__V1__StartPlan *start)
{
    start->purchases =
        iso_arena_calloc(cli->arena, plan->n_commitments + 1, sizeof(*start->purchases));
    for (size_t i = 0; i < plan->n_commitments && start->purchases; i++) {
        Isocost__V1__StartPurchase *item = iso_arena_calloc(cli->arena, 1, sizeof(*item));
        if (!item)
            return false;
        isocost__v1__start_purchase__init(item);
        item->product = plan->commitments[i]->product;
        item->start_period = plan->commitments[i]->start_period;
        item->quantity = plan->commitments[i]->quantity;
        start->purchases[start->n_purchases++] = item;
    }
    return start->purchases != NULL;
}

static enum iso_exit_code out_of_memory(const struct iso_cli *cli)
{
    fputs("isocost: out of memory\n", cli->err);
    return ISO_EXIT_OTHER;
}

enum iso_exit_code iso_start_from_plan(struct iso_cli *cli, const char *plan_id,
                                       Isocost__V1__Model *model)
{
    Isocost__V1__GetPlanRequest get = ISOCOST__V1__GET_PLAN_REQUEST__INIT;
    Isocost__V1__ListPlanLinesRequest list = ISOCOST__V1__LIST_PLAN_LINES_REQUEST__INIT;
    Isocost__V1__StartPlan *start = iso_arena_calloc(cli->arena, 1, sizeof(*start));
    ProtobufCMessage *message;

    if (!start)
        return out_of_memory(cli);
    isocost__v1__start_plan__init(start);
    get.id = list.id = (char *)plan_id;
    list.page_size = LINES_PAGE;
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("GetPlan", get_plan), &get.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (!add_purchases(cli, ((Isocost__V1__GetPlanResponse *)message)->plan, start))
        return out_of_memory(cli);
    do {
        code = iso_remote_call(cli, &ISO_CLIENT_PLAN("ListPlanLines", list_plan_lines), &list.base,
                               &message);
        if (code != ISO_EXIT_OK)
            return code;
        const Isocost__V1__ListPlanLinesResponse *page =
            (const Isocost__V1__ListPlanLinesResponse *)message;
        if (page->lines && !add_lines(cli, page->lines, start))
            return out_of_memory(cli);
        list.page_token = page->next_page_token;
    } while (*list.page_token);
    model->start = start;
    return ISO_EXIT_OK;
}
