/* Virtual machines of the subscription: what exists, and how busy it was. */
#include <math.h>
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define MACHINES "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01"
#define POWER_STATE "PowerState/"

struct machines_call {
    const struct iso_azure_fetch *fetch;
    struct iso_dictionary *machines;
};

static enum iso_status read_tags(const struct iso_azure_fetch *fetch, const struct iso_json *tags,
                                 struct iso_azure_machine *machine, struct iso_error *reterr)
{
    size_t n = 0;

    for (void *tag = iso_json_first(tags); tag; tag = iso_json_next(tags, tag))
        n++;
    struct iso_plugin_label *labels = iso_scratch_calloc(fetch->kept, n, sizeof(*labels));
    if (!labels)
        return iso_azure_full(reterr);
    machine->tags = labels;
    for (void *tag = iso_json_first(tags); tag; tag = iso_json_next(tags, tag)) {
        const char *value = iso_json_scalar(iso_json_value(tag), fetch->kept);
        labels[machine->n_tags].key = iso_azure_keep(fetch, iso_json_name(tag));
        labels[machine->n_tags].value = iso_azure_keep(fetch, value ? value : "");
        if (!labels[machine->n_tags].key || !labels[machine->n_tags].value)
            return iso_azure_full(reterr);
        machine->n_tags++;
    }
    return ISO_OK;
}

static enum iso_status read_machine(const struct machines_call *call, const struct iso_json *item,
                                    struct iso_error *reterr)
{
    const struct iso_azure_fetch *fetch = call->fetch;
    const char *region = iso_azure_known_region(fetch->azure, iso_json_text_at(item, "location"));
    const char *created = iso_json_text_at(item, "properties.timeCreated");
    const struct iso_json *zone = iso_json_item(iso_json_at(item, "zones"), 0);
    const char *id = iso_azure_keep_lower(fetch, iso_json_text_at(item, "id"));
    struct iso_error error = {0};

    if (!region)
        return ISO_OK;
    if (id && id[0] != '/') /* it is put behind a host's name when its use is asked for */
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, region,
                          "\"%.100s\" is no id of a machine", reterr, id);
    struct iso_azure_machine *machine = id ? iso_dictionary_add(call->machines, id) : NULL;
    if (!machine)
        return iso_azure_full(reterr);
    const char *number = iso_json_scalar(zone, fetch->kept);
    *machine = (struct iso_azure_machine){
        .type = iso_azure_keep_lower(fetch,
                                     iso_json_text_at(item, "properties.hardwareProfile.vmSize")),
        .region = region,
        .zone = number ? iso_azure_zone_id(fetch, region, iso_azure_keep(fetch, number)) : "",
        .os = iso_name_equal(iso_json_text_at(item, "properties.storageProfile.osDisk.osType"),
                             "Windows")
                  ? "windows"
                  : "linux",
        .state = "",
        .spot = iso_name_equal(iso_json_text_at(item, "properties.priority"), "Spot"),
    };
    if (!machine->type || !machine->zone)
        return iso_azure_full(reterr);
    if (iso_time_read(created, &machine->started_ns, &error) != ISO_OK)
        ISO_TRY(iso_report(fetch->sink, "invalid_value", /* quarantined= */ false, id,
                           "timeCreated: %s", reterr, error.text));
    return read_tags(fetch, iso_json_at(item, "tags"), machine, reterr);
}

static enum iso_status on_machines(void *context, const struct iso_json *answer,
                                   struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "value");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(read_machine(context, iso_json_item(list, i), reterr));
    return ISO_OK;
}

/* The power state of each machine, which comes in a list of its own. */
static enum iso_status on_states(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    const struct machines_call *call = context;
    const struct iso_json *list = iso_json_at(answer, "value");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *item = iso_json_item(list, i);
        const struct iso_json *states = iso_json_at(item, "properties.instanceView.statuses");
        const char *id = iso_azure_keep_lower(call->fetch, iso_json_text_at(item, "id"));
        if (!id)
            return iso_azure_full(reterr);
        struct iso_azure_machine *machine = iso_dictionary_find(call->machines, id);
        for (size_t s = 0; machine && s < iso_json_length(states); s++) {
            const char *code = iso_json_text_at(iso_json_item(states, s), "code");
            if (strncmp(code, POWER_STATE, strlen(POWER_STATE)) == 0)
                machine->state = iso_azure_keep(call->fetch, code + strlen(POWER_STATE));
            if (!machine->state)
                return iso_azure_full(reterr);
        }
    }
    return ISO_OK;
}

enum iso_status iso_azure_fetch_machines(const struct iso_azure_fetch *fetch,
                                         struct iso_dictionary *machines, struct iso_error *reterr)
{
    struct machines_call call = {fetch, machines};

    ISO_TRY(iso_azure_list(fetch, MACHINES, on_machines, &call, reterr));
    return iso_azure_list(fetch, MACHINES "&statusOnly=true", on_states, &call, reterr);
}

enum iso_status iso_azure_send_inventory(const struct iso_azure_fetch *fetch,
                                         const struct iso_dictionary *machines,
                                         struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(machines); i++) {
        const struct iso_azure_machine *machine = iso_dictionary_record(machines, i);
        const struct iso_plugin_running row = {
            .provider = "azure",
            .resource = iso_dictionary_key(machines, i),
            .type = machine->type,
            .account = fetch->azure->config->subscription,
            .region = machine->region,
            .zone = machine->zone,
            .os = machine->os,
            .state = machine->state,
            .purchase = machine->spot ? ISO_PLUGIN_PURCHASE_SPOT : ISO_PLUGIN_PURCHASE_ON_DEMAND,
            .started_ns = machine->started_ns,
            .tags = machine->tags,
            .n_tags = machine->n_tags,
        };
        ISO_TRY(iso_put_running(fetch->sink, &row, 1, reterr));
    }
    return ISO_OK;
}

/* ---- Usage: one call of Azure Monitor for each machine ---- */

/* Lengths of samples, as Azure Monitor writes them. */
static int64_t length_of(const char *interval)
{
    int64_t n = strtoll(interval + strcspn(interval, "0123456789"), NULL, 10);
    int64_t second = INT64_C(1000000000);

    if (strchr(interval, 'D'))
        return n * 86400 * second;
    return n * (strchr(interval, 'H') ? 3600 : 60) * second;
}

struct usage_call {
    const struct iso_azure_fetch *fetch;
    const struct iso_azure_machine *machine;
    const char *id;
};

/* A point may lack its value: nothing was measured then, which is not 0. */
static enum iso_status send_point(const struct usage_call *call, const struct iso_json *point,
                                  const char *name, int32_t statistic, struct iso_error *reterr)
{
    const struct iso_azure_fetch *fetch = call->fetch;
    const char *text = iso_json_scalar(iso_json_at(point, name), fetch->row);
    double percent = text ? strtod(text, NULL) : NAN;
    struct iso_error error = {0};
    struct iso_plugin_usage row = {
        .provider = "azure",
        .resource = call->id,
        .metric = "cpu_ratio",
        .account = fetch->azure->config->subscription,
        .region = call->machine->region,
        .type = call->machine->type,
        .statistic = statistic,
        .length_ns = length_of(fetch->azure->config->usage_interval),
        .value = percent / 100,
    };

    if (!text)
        return ISO_OK;
    if (!isfinite(percent))
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, call->id,
                          "a point of Percentage CPU is %.40s", reterr, text);
    if (iso_time_read(iso_json_text_at(point, "timeStamp"), &row.start_ns, &error) != ISO_OK)
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, call->id, "%s",
                          reterr, error.text);
    if (row.start_ns < fetch->what->from_ns || row.start_ns >= fetch->what->to_ns)
        return ISO_OK;
    return iso_put_usage(fetch->sink, &row, 1, reterr);
}

static enum iso_status on_metrics(void *context, const struct iso_json *answer,
                                  struct iso_error *reterr)
{
    const struct usage_call *call = context;
    const struct iso_json *metrics = iso_json_at(answer, "value");

    for (size_t m = 0; m < iso_json_length(metrics); m++) {
        const struct iso_json *all = iso_json_at(iso_json_item(metrics, m), "timeseries");
        for (size_t s = 0; s < iso_json_length(all); s++) {
            const struct iso_json *points = iso_json_at(iso_json_item(all, s), "data");
            for (size_t p = 0; p < iso_json_length(points); p++) {
                const struct iso_json *point = iso_json_item(points, p);
                iso_scratch_reset(call->fetch->row);
                ISO_TRY(send_point(call, point, "average", ISO_PLUGIN_STATISTIC_AVERAGE, reterr));
                ISO_TRY(send_point(call, point, "maximum", ISO_PLUGIN_STATISTIC_MAXIMUM, reterr));
            }
        }
    }
    return ISO_OK;
}

/* Adds an id as the path of a URL: names of resource groups may be of any script. */
static void add_path(struct iso_text *url, const char *id)
{
    for (; *id; id++) {
        const char one[] = {*id, '\0'};
        if (*id == '/')
            iso_text_add(url, "/");
        else
            iso_text_add_url(url, one);
    }
}

static enum iso_status ask_usage(const struct usage_call *usage, struct iso_error *reterr)
{
    const struct iso_azure_fetch *fetch = usage->fetch;
    char from[ISO_TIME_TEXT_SIZE], to[ISO_TIME_TEXT_SIZE];
    struct iso_error error = {0};
    ISO_AUTO_TEXT url = {0};
    struct usage_call own = *usage;

    iso_text_add(&url, "https://management.azure.com");
    add_path(&url, usage->id);
    iso_text_add(&url,
                 "/providers/microsoft.insights/metrics?api-version=2018-01-01"
                 "&metricnames=Percentage%%20CPU&aggregation=average,maximum&interval=%s"
                 "&timespan=%s/%s",
                 fetch->azure->config->usage_interval, iso_time_write(fetch->what->from_ns, from),
                 iso_time_write(fetch->what->to_ns, to));
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_azure_call call = {.service = "management", .url = url.bytes};
    enum iso_status status = iso_azure_ask(fetch, &call, on_metrics, &own, &error);
    if (status == ISO_E_NOT_FOUND) /* it was deleted meanwhile */
        return iso_report(fetch->sink, "resource_gone", /* quarantined= */ false, usage->id,
                          "the machine is not there any more", reterr);
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
}

enum iso_status iso_azure_send_usage(const struct iso_azure_fetch *fetch,
                                     const struct iso_dictionary *machines,
                                     struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(machines); i++) {
        const struct usage_call call = {fetch, iso_dictionary_record(machines, i),
                                        iso_dictionary_key(machines, i)};
        ISO_TRY(ask_usage(&call, reterr));
    }
    return ISO_OK;
}
