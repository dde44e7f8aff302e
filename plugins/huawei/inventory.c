/* Servers that exist, with their state and tags. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/pager.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define PAGE_SERVERS 1000

/* ---- All servers of a project ---- */

struct servers_call {
    const struct iso_huawei_fetch *fetch;
    iso_huawei_on_server on_server;
    void *context;
    int64_t page; /* from 1 on */
    size_t n_seen;
};

/* Pages have numbers, and the answer counts all servers. What tells one page from another is its
 * last server, so that the same page twice is found. */
static enum iso_status ask_page(void *context, const char *last, struct iso_text *next,
                                struct iso_error *reterr)
{
    struct servers_call *call = context;
    const struct iso_json *list;
    ISO_AUTO_JSON *answer = NULL;
    char path[160];
    (void)last;

    snprintf(path, sizeof(path), "/v1/%s/cloudservers/detail?limit=%d&offset=%lld",
             call->fetch->place->project, PAGE_SERVERS, (long long)++call->page);
    const struct iso_huawei_call ask = {.service = "ecs", .path = path};
    ISO_TRY(iso_huawei_ask(call->fetch, &ask, &answer, NULL, reterr));
    ISO_TRY(iso_huawei_list(answer, "servers", &list, reterr));
    size_t n = iso_json_length(list);
    iso_scratch_reset(call->fetch->row);
    struct iso_amount count = iso_json_amount_at(answer, "count", call->fetch->row);
    for (size_t i = 0; i < n; i++)
        ISO_TRY(call->on_server(call->context, iso_json_item(list, i), reterr));
    call->n_seen += n;
    if (!count.present || (n == 0 && count.value > (int64_t)call->n_seen * ISO_DECIMAL_ONE))
        return iso_fail(
            reterr, ISO_E_UNAVAILABLE, "", "page %lld of the servers %s", (long long)call->page,
            count.present ? "is empty, and there are more of them" : "does not count them");
    return count.value > (int64_t)call->n_seen * ISO_DECIMAL_ONE
               ? iso_huawei_add_last_id(list, next, reterr)
               : ISO_OK;
}

enum iso_status iso_huawei_each_server(const struct iso_huawei_fetch *fetch,
                                       iso_huawei_on_server on_server, void *context,
                                       struct iso_error *reterr)
{
    struct servers_call call = {.fetch = fetch, .on_server = on_server, .context = context};

    return iso_pager_run(fetch->host, ask_page, &call, reterr);
}

/* ---- Rows ---- */

/* "key=value", or a key alone. */
static enum iso_status read_tags(const struct iso_huawei_fetch *fetch, const struct iso_json *list,
                                 struct iso_plugin_running *row, struct iso_error *reterr)
{
    size_t n = iso_json_length(list);
    struct iso_plugin_label *tags = iso_scratch_calloc(fetch->row, n, sizeof(*tags));

    for (size_t i = 0; i < n && tags; i++) {
        const char *text = iso_json_scalar(iso_json_item(list, i), fetch->row);
        size_t n_key = strcspn(text ? text : "", "=");
        tags[i].key = iso_scratch_text(fetch->row, text ? text : "", n_key);
        tags[i].value = text && text[n_key] ? text + n_key + 1 : "";
        if (!tags[i].key)
            return iso_huawei_full(reterr);
    }
    row->tags = tags;
    row->n_tags = n;
    return tags ? ISO_OK : iso_huawei_full(reterr);
}

static enum iso_status send(void *context, const struct iso_json *server, struct iso_error *reterr)
{
    const struct iso_huawei_fetch *fetch = context;
    const char *id = iso_json_text_at(server, "id");
    const char *state = iso_json_text_at(server, "status");
    bool spot = strcmp(iso_json_text_at(server, "metadata.charging_mode"), "2") == 0;
    struct iso_error error = {0};
    struct iso_plugin_running row = {
        .provider = "huawei",
        .resource = id,
        .type = iso_json_text_at(server, "flavor.id"),
        .account = fetch->huawei->config->domain_id,
        .region = fetch->place->region,
        .zone = iso_json_text_at(server, "OS-EXT-AZ:availability_zone"),
        .os = iso_name_equal(iso_json_text_at(server, "metadata.os_type"), "windows") ? "windows"
                                                                                      : "linux",
        .state = state,
        .purchase = spot ? ISO_PLUGIN_PURCHASE_SPOT : ISO_PLUGIN_PURCHASE_ON_DEMAND,
    };

    iso_scratch_reset(fetch->row);
    if (strcmp(state, "DELETED") == 0 || strcmp(state, "SOFT_DELETED") == 0)
        return ISO_OK;
    if (!id[0] || !row.type[0])
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true,
                          fetch->place->region, "a server without an id or a type", reterr);
    if (iso_time_read(iso_json_text_at(server, "created"), &row.started_ns, &error) != ISO_OK)
        ISO_TRY(iso_report(fetch->sink, "invalid_value", /* quarantined= */ false, id,
                           "created: %s", reterr, error.text));
    ISO_TRY(read_tags(fetch, iso_json_at(server, "tags"), &row, reterr));
    return iso_put_running(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_huawei_send_inventory(const struct iso_huawei_fetch *fetch,
                                          struct iso_error *reterr)
{
    struct iso_huawei_fetch own = *fetch;

    return iso_huawei_each_server(fetch, send, &own, reterr);
}
