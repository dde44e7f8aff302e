/* CreatePlan and what is done with stored plans: get, list, cancel, delete. */
#include <stdio.h>

#include "api_internal.h"
#include "message_new.h"

#define MOST_PRIORITY 10

enum iso_status iso_create_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__CreatePlanRequest *request =
        (const Isocost__V1__CreatePlanRequest *)iso_call_request(call);
    Isocost__V1__CreatePlanResponse response = ISOCOST__V1__CREATE_PLAN_RESPONSE__INIT;
    const Isocost__V1__Model *model;
    char model_digest[ISO_DIGEST_TEXT_SIZE], id[ISO_ULID_SIZE];
    struct iso_plan_record record;
    bool existing;

    if (strlen(request->note) > 4096)
        iso_violations_add(iso_call_violations(call), "note", "has %zu bytes; at most 4096",
                           strlen(request->note));
    if (request->priority < -MOST_PRIORITY || request->priority > MOST_PRIORITY)
        iso_violations_add(iso_call_violations(call), "priority", "is %d; it must be in [%d, %d]",
                           request->priority, -MOST_PRIORITY, MOST_PRIORITY);
    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, model_digest, reterr));
    ISO_TRY(iso_plan_enqueue(api, call, model, model_digest, request->request_id, request->note,
                             request->priority, /* incumbents= */ false, iso_ulid_new(id),
                             &existing, &record, reterr));
    iso_queue_runner_poke(api->runner);
    ISO_TRY(iso_plan_from_record(&record, iso_call_arena(call), &response.plan, reterr));
    iso_plan_cut(response.plan);
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_get_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__GetPlanRequest *request =
        (const Isocost__V1__GetPlanRequest *)iso_call_request(call);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    Isocost__V1__GetPlanResponse response = ISOCOST__V1__GET_PLAN_RESPONSE__INIT;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_ulid_check(request->id, "id", reterr));
    ISO_TRY(iso_plan_load(service, iso_call_principal(call), request->id, /* with_lines= */ true,
                          arena, &response.plan, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- list --- */

static enum iso_status parse_filter(const char *text, struct iso_arena *arena,
                                    struct iso_plan_query *query, struct iso_error *reterr)
{
    struct iso_error error = {0};
    char *name, *value;

    while (iso_filter_next(&text, arena, &name, &value, &error)) {
        if (strcmp(name, "state") == 0) {
            query->state =
                iso_enum_by_name(&isocost__v1__plan_state__descriptor, "PLAN_STATE_", value);
            if (!query->state)
                return iso_fail(reterr, ISO_E_INVALID, "filter",
                                "state \"%.40s\" is none of QUEUED, RUNNING, DONE, FAILED, "
                                "CANCELLED",
                                value);
        } else if (strncmp(name, "label.", 6) == 0 && !query->label) {
            query->label = iso_arena_printf(arena, "%s=%s", name + 6, value);
        } else {
            return iso_fail(reterr, ISO_E_INVALID, "filter",
                            "\"%.60s\" is not state, or one label.KEY", name);
        }
    }
    return error.status == ISO_OK ? ISO_OK
                                  : iso_fail(reterr, error.status, error.field, "%s", error.text);
}

static enum iso_status parse_query(const Isocost__V1__ListPlansRequest *request,
                                   const struct iso_principal *principal, const char *scope,
                                   struct iso_arena *arena, struct iso_plan_query *query,
                                   struct iso_error *reterr)
{
    const char *position;
    int32_t page_size;
    long long create_ns = 0;
    int n = 0;

    ISO_TRY(iso_page_size(request->page_size, 50, 1000, &page_size, reterr));
    ISO_TRY(parse_filter(request->filter, arena, query, reterr));
    if (strcmp(request->order_by, "create_time") == 0)
        query->oldest_first = true;
    else if (request->order_by[0] && strcmp(request->order_by, "create_time desc") != 0)
        return iso_fail(reterr, ISO_E_INVALID, "order_by",
                        "\"%.60s\" is neither create_time nor create_time desc", request->order_by);
    query->limit = page_size + 1;
    ISO_TRY(iso_page_token_read(principal, scope, request->page_token, arena, &position, reterr));
    if (position[0]) {
        sscanf(position, "%lld %n", &create_ns, &n);
        query->after_create_ns = create_ns;
        query->after_id = position + n;
    }
    return ISO_OK;
}

enum iso_status iso_list_plans(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__ListPlansRequest *request =
        (const Isocost__V1__ListPlansRequest *)iso_call_request(call);
    Isocost__V1__ListPlansResponse response = ISOCOST__V1__LIST_PLANS_RESPONSE__INIT;
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_plan_query query = {.after_id = "", .label = NULL};
    char *scope = iso_arena_printf(arena, "ListPlans\n%s\n%s", request->filter, request->order_by);
    struct iso_plan_record *records;
    int n_records;
    size_t n_bytes = 0;

    if (!scope)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a list");
    ISO_TRY(parse_query(request, iso_call_principal(call), scope, arena, &query, reterr));
    if (!query.label)
        query.label = "";
    ISO_TRY(iso_store_list_plans(api->config.store, iso_call_principal(call), &query, arena,
                                 &records, &n_records, reterr));
    response.plans = iso_arena_calloc(arena, (size_t)n_records + 1, sizeof(response.plans[0]));
    if (!response.plans)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a list");
    for (int i = 0; i < n_records; i++) {
        Isocost__V1__Plan *plan;

        ISO_TRY(iso_plan_from_record(&records[i], arena, &plan, reterr));
        iso_plan_cut(plan);
        n_bytes += isocost__v1__plan__get_packed_size(plan) + 6;
        if (i == query.limit - 1 || (i > 0 && n_bytes > (5u << 19))) {
            response.next_page_token = iso_page_token_make(
                iso_call_principal(call), scope,
                iso_arena_printf(arena, "%lld %s", (long long)records[i - 1].create_ns,
                                 records[i - 1].id),
                arena);
            break;
        }
        response.plans[response.n_plans++] = plan;
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- cancel, delete --- */

enum iso_status iso_cancel_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__CancelPlanRequest *request =
        (const Isocost__V1__CancelPlanRequest *)iso_call_request(call);
    Isocost__V1__CancelPlanResponse response = ISOCOST__V1__CANCEL_PLAN_RESPONSE__INIT;
    const struct iso_principal *principal = iso_call_principal(call);

    ISO_TRY(iso_ulid_check(request->id, "id", reterr));
    ISO_TRY(
        iso_queue_runner_cancel(api->runner, principal, request->id, iso_call_id(call), reterr));
    iso_watch_wake(api, principal, request->id);
    ISO_TRY(iso_plan_load(api, principal, request->id, /* with_lines= */ false,
                          iso_call_arena(call), &response.plan, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_delete_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__DeletePlanRequest *request =
        (const Isocost__V1__DeletePlanRequest *)iso_call_request(call);
    Isocost__V1__DeletePlanResponse response = ISOCOST__V1__DELETE_PLAN_RESPONSE__INIT;
    struct iso_audit audit = {.action = "plan.delete", .request_id = iso_call_id(call)};
    int64_t etag;

    ISO_TRY(iso_ulid_check(request->id, "id", reterr));
    ISO_TRY(iso_etag_read(request->etag, &etag, reterr));
    ISO_TRY(iso_store_delete_plan(api->config.store, iso_call_principal(call), request->id, etag,
                                  &audit, reterr));
    iso_watch_wake(api, iso_call_principal(call), request->id);
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
