/* The handlers that only read. */
#include <stdio.h>

#include "page_token.h"
#include "provider_alias.h"
#include "region_alias.h"
#include "usage_internal.h"

#define MAX_ANSWER_BYTES ((size_t)2900000) /* no response is over 3 MiB */

static enum iso_status too_large(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "page_size",
                    "the answer needs too much memory; ask for a smaller page");
}

/* --- filters --- */

/* The one name of a provider and of a region; "" stays. */
static const char *folded_provider(const char *name, struct iso_arena *arena)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *word = name[0] ? iso_provider_fold(name, buffer) : NULL;

    return iso_arena_strdup(arena, word ? word : name);
}

static const char *folded_region(const char *provider, const char *name, struct iso_arena *arena)
{
    char buffer[ISO_REGION_BUFFER_SIZE];

    return name[0] ? iso_arena_strdup(arena, iso_region_fold(provider, name, buffer)) : "";
}

static void filter_resources(const Isocost__V1__ResourceFilter *asked, const char *metric,
                             struct iso_arena *arena, struct iso_record_filter *filter)
{
    static const Isocost__V1__ResourceFilter any = ISOCOST__V1__RESOURCE_FILTER__INIT;

    asked = asked ? asked : &any;
    filter->source = asked->source;
    filter->provider = folded_provider(asked->provider, arena);
    filter->account = asked->account;
    filter->region = folded_region(filter->provider ? filter->provider : "", asked->region, arena);
    filter->resource = asked->resource;
    filter->metric = metric;
}

static void filter_costs(const Isocost__V1__CostFilter *asked, struct iso_arena *arena,
                         struct iso_record_filter *filter)
{
    static const Isocost__V1__CostFilter any = ISOCOST__V1__COST_FILTER__INIT;

    asked = asked ? asked : &any;
    filter->source = asked->source;
    filter->provider = folded_provider(asked->provider, arena);
    filter->account = asked->account;
    filter->region = folded_region(filter->provider ? filter->provider : "", asked->region, arena);
    filter->service = asked->service;
    filter->category = (int)asked->category;
}

/* What must be the same on all pages: the whole request but for its page. */
static const char *scope_of(struct iso_call *call, const ProtobufCMessage *request)
{
    struct iso_arena *arena = iso_call_arena(call);
    size_t n_bytes = protobuf_c_message_get_packed_size(request);
    unsigned char *bytes = iso_arena_calloc(arena, n_bytes, 1), sum[ISO_SHA256_BYTES];
    char text[ISO_DIGEST_TEXT_SIZE];
    struct iso_sha256 sha;

    if (!bytes)
        return NULL;
    protobuf_c_message_pack(request, bytes);
    iso_sha256_init(&sha);
    iso_sha256_update(&sha, bytes, n_bytes);
    iso_sha256_final(&sha, sum);
    iso_digest_text(sum, text);
    return iso_arena_printf(arena, "%s %s", iso_call_path(call), text);
}

/* --- costs --- */

static enum iso_status read_grouping(const Isocost__V1__QueryCostsRequest *request,
                                     struct iso_cost_grouping *by, struct iso_error *reterr)
{
    for (size_t i = 0; i < request->n_group_by; i++) {
        bool *members[] = {NULL,        &by->provider, &by->account, &by->service,
                           &by->region, &by->category, &by->month};
        size_t dimension = (size_t)request->group_by[i];

        if (dimension == 0 || dimension >= ISO_ARRAY_LENGTH(members) || *members[dimension])
            return iso_fail(reterr, ISO_E_INVALID, "group_by",
                            "each of provider, account, service, region, category and month may "
                            "stand once");
        *members[dimension] = true;
    }
    return ISO_OK;
}

/* units and nanos of one sign, nanos below a unit. */
static Google__Type__Money *exact_money(const struct iso_exact_sum *sum, const char *currency,
                                        struct iso_arena *arena)
{
    Google__Type__Money *money =
        sum->n_rows > 0 ? iso_arena_calloc(arena, 1, sizeof(*money)) : NULL;
    int64_t units = sum->units + sum->nanos / 1000000000, nanos = sum->nanos % 1000000000;

    if (!money)
        return NULL;
    if (units > 0 && nanos < 0) {
        units--;
        nanos += 1000000000;
    } else if (units < 0 && nanos > 0) {
        units++;
        nanos -= 1000000000;
    }
    google__type__money__init(money);
    money->currency_code = (char *)currency;
    money->units = units;
    money->nanos = (int32_t)nanos;
    return money;
}

static Isocost__V1__CostSum *sum_message(const struct iso_cost_sum *sum, struct iso_arena *arena)
{
    Isocost__V1__CostSum *out = iso_arena_calloc(arena, 1, sizeof(*out));

    if (!out)
        return NULL;
    isocost__v1__cost_sum__init(out);
    out->provider = (char *)sum->provider;
    out->account = (char *)sum->account;
    out->service = (char *)sum->service;
    out->region = (char *)sum->region;
    out->category = (Isocost__V1__CostCategory)sum->category;
    if (sum->month)
        out->month = iso_arena_printf(arena, "%04d-%02d", sum->month / 100, sum->month % 100);
    out->billed = exact_money(&sum->billed, sum->currency, arena);
    out->effective = exact_money(&sum->effective, sum->currency, arena);
    out->list = exact_money(&sum->list, sum->currency, arena);
    out->record_count = sum->n_rows;
    out->billed_count = sum->billed.n_rows;
    out->effective_count = sum->effective.n_rows;
    out->list_count = sum->list.n_rows;
    out->effective_from_billed_count = sum->n_effective_from_billed;
    return iso_arena_full(arena) ? NULL : out;
}

/* The request without its page, for the scope of tokens. */
static const char *costs_scope(struct iso_call *call, const Isocost__V1__QueryCostsRequest *request)
{
    Isocost__V1__QueryCostsRequest bare = *request;

    bare.page_token = (char *)"";
    bare.page_size = 0;
    return scope_of(call, &bare.base);
}

enum iso_status iso_usage_handle_query_costs(struct iso_call *call, void *service,
                                             struct iso_error *reterr)
{
    const Isocost__V1__QueryCostsRequest *request =
        (const Isocost__V1__QueryCostsRequest *)iso_call_request(call);
    Isocost__V1__QueryCostsResponse response = ISOCOST__V1__QUERY_COSTS_RESPONSE__INIT;
    struct iso_arena *arena = iso_call_arena(call);
    const char *scope = costs_scope(call, request), *position = "";
    struct iso_record_filter filter = {0};
    struct iso_cost_grouping by = {0};
    struct iso_usage *usage = service;
    struct iso_cost_sum *sums = NULL;
    int32_t size = 0;
    int n = 0;

    filter_costs(request->filter, arena, &filter);
    if (!scope || iso_arena_full(arena))
        return too_large(reterr);
    ISO_TRY(iso_usage_time_read(request->from, "from", 0, &filter.from_ns, reterr));
    ISO_TRY(iso_usage_time_read(request->to, "to", INT64_MAX, &filter.to_ns, reterr));
    ISO_TRY(read_grouping(request, &by, reterr));
    ISO_TRY(iso_page_size(request->page_size, 1000, 5000, &size, reterr));
    ISO_TRY(iso_page_token_read(iso_call_principal(call), scope, request->page_token, arena,
                                &position, reterr));
    int64_t offset = strtoll(position, NULL, 10);
    /* One more tells whether there is a next page. */
    ISO_TRY(iso_store_sum_costs(usage->store, iso_call_principal(call), &filter, &by, offset,
                                size + 1, arena, &sums, &n, reterr));
    response.sums = iso_arena_calloc(arena, (size_t)size, sizeof(*response.sums));
    for (int i = 0; response.sums && i < n && i < size; i++)
        if (!(response.sums[response.n_sums++] = sum_message(&sums[i], arena)))
            return too_large(reterr);
    if (response.sums && n > size)
        response.next_page_token =
            iso_page_token_make(iso_call_principal(call), scope,
                                iso_arena_printf(arena, "%lld", (long long)(offset + size)), arena);
    if (!response.sums || !response.next_page_token)
        return too_large(reterr);
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- usage and what runs: pages go on after a row --- */

struct list {
    const char *scope;
    enum iso_record_kind kind;
    struct iso_record_filter filter;
    const ProtobufCMessageDescriptor *type;
    int32_t size;
    struct iso_record_place after;
    ProtobufCMessage **messages;
    size_t n;
    char *next_page_token;
};

static enum iso_status read_place(struct iso_call *call, const char *token, struct list *list,
                                  struct iso_error *reterr)
{
    const char *position = "";
    long long start_ns = 0, set_id = 0, number = 0;

    ISO_TRY(iso_page_token_read(iso_call_principal(call), list->scope, token, iso_call_arena(call),
                                &position, reterr));
    if (position[0] && sscanf(position, "%lld.%lld.%lld", &start_ns, &set_id, &number) != 3)
        return iso_fail(reterr, ISO_E_INVALID, "page_token", "the token is not of this list");
    list->after = (struct iso_record_place){start_ns, set_id, number};
    return ISO_OK;
}

/* Fills the page: as many messages as fit. */
static enum iso_status fill(struct iso_call *call, struct iso_usage *usage, struct list *list,
                            struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_record_message *found = NULL;
    size_t n_bytes = 0;
    int n = 0;

    ISO_TRY(iso_store_list_records(usage->store, iso_call_principal(call), list->kind,
                                   &list->filter, list->after, list->size + 1, arena, &found, &n,
                                   reterr));
    list->messages = iso_arena_calloc(arena, (size_t)n, sizeof(*list->messages));
    list->next_page_token = (char *)"";
    if (!list->messages)
        return too_large(reterr);
    for (int i = 0; i < n; i++) {
        if (i == list->size || n_bytes > MAX_ANSWER_BYTES) {
            const struct iso_record_place *last = &found[i - 1].place;
            list->next_page_token = iso_page_token_make(
                iso_call_principal(call), list->scope,
                iso_arena_printf(arena, "%lld.%lld.%lld", (long long)last->start_ns,
                                 (long long)last->set_id, (long long)last->number),
                arena);
            return list->next_page_token ? ISO_OK : too_large(reterr);
        }
        ProtobufCMessage *message =
            protobuf_c_message_unpack(list->type, iso_arena_allocator(arena),
                                      found[i].message.n_bytes, found[i].message.bytes);
        if (!message)
            return iso_arena_full(arena)
                       ? too_large(reterr)
                       : iso_fail(reterr, ISO_E_INTERNAL, "", "a record in the store is damaged");
        n_bytes += found[i].message.n_bytes + 8;
        list->messages[list->n++] = message;
    }
    return ISO_OK;
}

enum iso_status iso_usage_handle_query_usage(struct iso_call *call, void *service,
                                             struct iso_error *reterr)
{
    const Isocost__V1__QueryUsageRequest *request =
        (const Isocost__V1__QueryUsageRequest *)iso_call_request(call);
    Isocost__V1__QueryUsageResponse response = ISOCOST__V1__QUERY_USAGE_RESPONSE__INIT;
    Isocost__V1__QueryUsageRequest bare = *request;
    struct list list = {.kind = ISO_RECORD_USAGE, .type = &isocost__v1__usage_sample__descriptor};

    bare.page_token = (char *)"";
    bare.page_size = 0;
    list.scope = scope_of(call, &bare.base);
    filter_resources(request->filter, request->metric, iso_call_arena(call), &list.filter);
    if (!list.scope || iso_arena_full(iso_call_arena(call)))
        return too_large(reterr);
    ISO_TRY(iso_usage_time_read(request->from, "from", 0, &list.filter.from_ns, reterr));
    ISO_TRY(iso_usage_time_read(request->to, "to", INT64_MAX, &list.filter.to_ns, reterr));
    ISO_TRY(iso_page_size(request->page_size, 1000, 5000, &list.size, reterr));
    ISO_TRY(read_place(call, request->page_token, &list, reterr));
    ISO_TRY(fill(call, service, &list, reterr));
    response.samples = (Isocost__V1__UsageSample **)list.messages;
    response.n_samples = list.n;
    response.next_page_token = list.next_page_token;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_usage_handle_list_running(struct iso_call *call, void *service,
                                              struct iso_error *reterr)
{
    const Isocost__V1__ListRunningRequest *request =
        (const Isocost__V1__ListRunningRequest *)iso_call_request(call);
    Isocost__V1__ListRunningResponse response = ISOCOST__V1__LIST_RUNNING_RESPONSE__INIT;
    Isocost__V1__ListRunningRequest bare = *request;
    struct list list = {.kind = ISO_RECORD_RUNNING,
                        .type = &isocost__v1__running_resource__descriptor,
                        .filter = {.to_ns = INT64_MAX}};
    struct iso_usage *usage = service;
    int64_t since_ns = 0;

    bare.page_token = (char *)"";
    bare.page_size = 0;
    list.scope = scope_of(call, &bare.base);
    filter_resources(request->filter, "", iso_call_arena(call), &list.filter);
    if (!list.scope || iso_arena_full(iso_call_arena(call)))
        return too_large(reterr);
    ISO_TRY(iso_page_size(request->page_size, 1000, 5000, &list.size, reterr));
    ISO_TRY(read_place(call, request->page_token, &list, reterr));
    ISO_TRY(fill(call, usage, &list, reterr));
    ISO_TRY(iso_store_running_since(usage->store, iso_call_principal(call), &list.filter, &since_ns,
                                    reterr));
    if (since_ns > 0 && !(response.observed_at = iso_usage_time(since_ns, iso_call_arena(call))))
        return too_large(reterr);
    response.resources = (Isocost__V1__RunningResource **)list.messages;
    response.n_resources = list.n;
    response.next_page_token = list.next_page_token;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- refreshes --- */

enum iso_status iso_usage_handle_list_refreshes(struct iso_call *call, void *service,
                                                struct iso_error *reterr)
{
    const Isocost__V1__ListUsageRefreshesRequest *request =
        (const Isocost__V1__ListUsageRefreshesRequest *)iso_call_request(call);
    Isocost__V1__ListUsageRefreshesResponse response =
        ISOCOST__V1__LIST_USAGE_REFRESHES_RESPONSE__INIT;
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_arena *arena = iso_call_arena(call);
    const char *scope = iso_arena_printf(arena, "ListUsageRefreshes %s", request->provider);
    struct iso_refresh_record *found = NULL;
    struct iso_usage *usage = service;
    const char *position = "";
    int32_t size = 0;
    int n = 0;

    if (!scope)
        return too_large(reterr);
    ISO_TRY(iso_page_size(request->page_size, 20, 200, &size, reterr));
    ISO_TRY(iso_page_token_read(principal, scope, request->page_token, arena, &position, reterr));
    ISO_TRY(iso_store_list_refreshes(usage->store, principal, request->provider,
                                     strtoll(position, NULL, 10), size + 1, arena, &found, &n,
                                     reterr));
    response.refreshes = iso_arena_calloc(arena, (size_t)size, sizeof(*response.refreshes));
    for (int i = 0; response.refreshes && i < n && i < size; i++) {
        response.refreshes[response.n_refreshes] = isocost__v1__usage_refresh__unpack(
            iso_arena_allocator(arena), found[i].refresh.n_bytes, found[i].refresh.bytes);
        if (!response.refreshes[response.n_refreshes++])
            return too_large(reterr);
    }
    if (response.refreshes && n > size)
        response.next_page_token = iso_page_token_make(
            principal, scope, iso_arena_printf(arena, "%lld", (long long)found[size - 1].id),
            arena);
    if (!response.refreshes || !response.next_page_token)
        return too_large(reterr);
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
