/* isocost.v1.UsageService: the table, and the handler of refreshes, whose call is held by its task.
 */
#include "usage_internal.h"

#define METHOD(name, how, who, run, message, longest_s)                             \
    {                                                                               \
        .path = "/isocost.v1.UsageService/" name, .kind = how, .role = who,         \
        .request = &isocost__v1__##message##_request__descriptor,                   \
        .response = &isocost__v1__##message##_response__descriptor, .handler = run, \
        .default_timeout_s = longest_s, .max_timeout_s = longest_s,                 \
    }

const struct iso_rpc_method iso_usage_methods[] = {
    METHOD("RefreshUsage", ISO_RPC_SERVER_STREAM, ISO_ROLE_ADMIN, iso_usage_handle_refresh,
           refresh_usage, 7200),
    METHOD("ListUsageRefreshes", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_usage_handle_list_refreshes,
           list_usage_refreshes, 30),
    METHOD("QueryCosts", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_usage_handle_query_costs, query_costs,
           120),
    METHOD("QueryUsage", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_usage_handle_query_usage, query_usage,
           120),
    METHOD("ListRunning", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_usage_handle_list_running,
           list_running, 60),
    {.path = NULL},
};

Google__Protobuf__Timestamp *iso_usage_time(int64_t ns, struct iso_arena *arena)
{
    Google__Protobuf__Timestamp *time = iso_arena_calloc(arena, 1, sizeof(*time));

    if (!time)
        return NULL;
    google__protobuf__timestamp__init(time);
    time->seconds = ns / 1000000000;
    time->nanos = (int32_t)(ns % 1000000000);
    return time;
}

enum iso_status iso_usage_time_read(const Google__Protobuf__Timestamp *time, const char *field,
                                    int64_t absent, int64_t *ret_ns, struct iso_error *reterr)
{
    if (time && (time->seconds < 0 || time->seconds > 9000000000 || time->nanos < 0 ||
                 time->nanos > 999999999))
        return iso_fail(reterr, ISO_E_INVALID, field, "the time is not in [1970, 2255)");
    *ret_ns = time ? time->seconds * 1000000000 + time->nanos : absent;
    return ISO_OK;
}

static bool call_cancelled(void *context)
{
    return iso_call_cancelled(context);
}

static void refresh_progress(void *context, const Isocost__V1__UsageProgress *progress)
{
    Isocost__V1__RefreshUsageResponse response = ISOCOST__V1__REFRESH_USAGE_RESPONSE__INIT;

    response.event_case = ISOCOST__V1__REFRESH_USAGE_RESPONSE__EVENT_PROGRESS;
    response.progress = (Isocost__V1__UsageProgress *)progress;
    iso_call_send_newest(context, &response.base);
}

static void refresh_done(void *context, const Isocost__V1__UsageRefresh *refresh,
                         const struct iso_error *error)
{
    Isocost__V1__RefreshUsageResponse response = ISOCOST__V1__REFRESH_USAGE_RESPONSE__INIT;
    struct iso_call *call = context;

    if (refresh) {
        response.event_case = ISOCOST__V1__REFRESH_USAGE_RESPONSE__EVENT_REFRESH;
        response.refresh = (Isocost__V1__UsageRefresh *)refresh;
        iso_call_send(call, &response.base);
        iso_call_finish(call);
    } else {
        iso_call_fail(call, error);
    }
    iso_call_unref(call);
}

enum iso_status iso_usage_handle_refresh(struct iso_call *call, void *service,
                                         struct iso_error *reterr)
{
    const Isocost__V1__RefreshUsageRequest *request =
        (const Isocost__V1__RefreshUsageRequest *)iso_call_request(call);
    struct iso_usage_task task = {
        .principal = *iso_call_principal(call),
        .request_id = iso_call_id(call),
        .provider = request->provider,
        .cancelled = call_cancelled,
        .progress = refresh_progress,
        .done = refresh_done,
    };

    if (!request->provider[0])
        return iso_fail(reterr, ISO_E_INVALID, "provider", "name a provider instance");
    ISO_TRY(iso_usage_time_read(request->from, "from", 0, &task.from_ns, reterr));
    ISO_TRY(iso_usage_time_read(request->to, "to", 0, &task.to_ns, reterr));
    if ((request->from || request->to) && task.from_ns >= task.to_ns)
        return iso_fail(reterr, ISO_E_INVALID, "to", "`to` must be later than `from`");
    for (size_t i = 0; i < request->n_kinds; i++) {
        if (request->kinds[i] == ISOCOST__V1__RECORD_KIND__RECORD_KIND_UNSPECIFIED)
            return iso_fail(reterr, ISO_E_INVALID, "kinds", "a kind is not said");
        task.kinds[request->kinds[i]] = true;
    }
    task.context = iso_call_ref(call);
    enum iso_status status = iso_usage_submit(service, &task, reterr);
    if (status != ISO_OK)
        iso_call_unref(call);
    return status;
}
