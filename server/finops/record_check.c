#include "record_check.h"

#include <math.h>
#include <stdio.h>

#include "isocost/proto/timestamp.h"
#include "provider_alias.h"
#include "region_alias.h"

enum { MAX_TEXT_BYTES = 4096, MAX_TAGS = 1000 };
#define MAX_SPAN_S (366 * 86400.0) /* of a sample */
#define CONSUMED "consumed:"

/* --- names --- */

static bool check_texts(const ProtobufCMessage *record, struct iso_row_fault *ret_fault)
{
    const ProtobufCMessageDescriptor *type = record->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const char *text;

        if (field->type != PROTOBUF_C_TYPE_STRING || field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        memcpy(&text, (const char *)record + field->offset, sizeof(text));
        if (strlen(text) > MAX_TEXT_BYTES)
            return iso_row_refuse(ret_fault, "too_long", "%s has %zu bytes; at most %d are allowed",
                                  field->name, strlen(text), MAX_TEXT_BYTES);
    }
    return true;
}

static bool require(const char *text, const char *field, struct iso_row_fault *ret_fault)
{
    return text[0] || iso_row_refuse(ret_fault, "missing_field", "%s is not said", field);
}

/* Gives provider and region the one name that each has. */
static bool fold_names(char **provider, char **region, struct iso_arena *arena,
                       struct iso_row_fault *ret_fault)
{
    char provider_buffer[ISO_PROVIDER_BUFFER_SIZE], region_buffer[ISO_REGION_BUFFER_SIZE];
    const char *word;

    if (!(*provider)[0])
        return iso_row_refuse(ret_fault, "missing_provider", "the record names no provider");
    word = iso_provider_fold(*provider, provider_buffer);
    if (!word)
        return iso_row_refuse(
            ret_fault, "unknown_provider",
            "provider \"%.64s\" is no known name and no word [a-z0-9][a-z0-9_-]{0,63}", *provider);
    *provider = iso_arena_strdup(arena, word);
    if ((*region)[0])
        *region = iso_arena_strdup(arena, iso_region_fold(word, *region, region_buffer));
    return true;
}

/* --- times and numbers --- */

static bool check_start(const Google__Protobuf__Timestamp *start, int64_t from_ns, int64_t to_ns,
                        int64_t *ret_ns, struct iso_row_fault *ret_fault)
{
    int64_t ns = iso_timestamp_ns(start);

    if (ns == 0)
        return iso_row_refuse(ret_fault, "missing_time",
                              "start is not said, or not in [1970, 2255)");
    if (ns < from_ns || ns >= to_ns)
        return iso_row_refuse(ret_fault, "outside_range",
                              "start is not in the range that was asked for");
    *ret_ns = ns;
    return true;
}

static bool check_amount(const Google__Type__Money *money, const char *field, const char **currency,
                         struct iso_record_amount *ret_amount, struct iso_row_fault *ret_fault)
{
    iso_decimal value;

    *ret_amount = (struct iso_record_amount){0};
    if (!money)
        return true;
    if (!iso_row_read_money(money, field, "invalid_cost", &value, ret_fault))
        return false;
    if (*currency && strcmp(*currency, money->currency_code) != 0)
        return iso_row_refuse(ret_fault, "mixed_currencies", "the record has amounts in %s and %s",
                              *currency, money->currency_code);
    *currency = money->currency_code;
    *ret_amount = (struct iso_record_amount){true, value};
    return true;
}

/* --- the message --- */

static bool is_ratio(const char *metric)
{
    return strcmp(metric, "cpu_ratio") == 0 || strcmp(metric, "gpu_ratio") == 0;
}

static bool is_metric(const char *metric)
{
    static const char *const metrics[] = {"memory_bytes", "network_bytes_per_second",
                                          "requests_per_second"};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(metrics); i++)
        if (strcmp(metric, metrics[i]) == 0)
            return true;
    return is_ratio(metric) ||
           (strncmp(metric, CONSUMED, strlen(CONSUMED)) == 0 && metric[strlen(CONSUMED)]);
}

bool iso_record_check_usage(Isocost__V1__UsageSample *record, int64_t from_ns, int64_t to_ns,
                            struct iso_arena *arena, struct iso_record_row *ret_row,
                            struct iso_row_fault *ret_fault)
{
    int64_t start_ns = 0;

    if (!check_texts(&record->base, ret_fault) ||
        !fold_names(&record->provider, &record->region, arena, ret_fault) ||
        !require(record->resource, "resource", ret_fault) ||
        !check_start(record->start, from_ns, to_ns, &start_ns, ret_fault))
        return false;
    if (!is_metric(record->metric))
        return iso_row_refuse(ret_fault, "unknown_metric", "metric \"%.64s\" is not known",
                              record->metric);
    if (!(record->duration_seconds > 0 && record->duration_seconds <= MAX_SPAN_S))
        return iso_row_refuse(ret_fault, "invalid_period",
                              "the sample covers %g s; (0, %g] is allowed",
                              record->duration_seconds, MAX_SPAN_S);
    if (!isfinite(record->value))
        return iso_row_refuse(ret_fault, "non_finite_value", "the value is not a finite number");
    if (is_ratio(record->metric) && (record->value < 0 || record->value > 1))
        return iso_row_refuse(ret_fault, "ratio_out_of_range", "%s is %g; it must be in [0, 1]",
                              record->metric, record->value);
    *ret_row = (struct iso_record_row){.start_ns = start_ns,
                                       .provider = record->provider,
                                       .account = record->account,
                                       .region = record->region,
                                       .resource = record->resource,
                                       .metric = record->metric,
                                       .message = iso_message_pack(&record->base, arena)};
    return true;
}

static bool check_charge(const Isocost__V1__CostRecord *record, struct iso_row_fault *ret_fault)
{
    if (record->category == ISOCOST__V1__COST_CATEGORY__COST_CATEGORY_UNSPECIFIED)
        return iso_row_refuse(ret_fault, "missing_category", "the record has no category");
    if (!isfinite(record->quantity))
        return iso_row_refuse(ret_fault, "non_finite_value", "the quantity is not a finite number");
    if (record->n_tags > MAX_TAGS)
        return iso_row_refuse(ret_fault, "too_long",
                              "the record has %zu tags; at most %d are allowed", record->n_tags,
                              MAX_TAGS);
    return true;
}

bool iso_record_check_cost(Isocost__V1__CostRecord *record, int64_t from_ns, int64_t to_ns,
                           struct iso_arena *arena, struct iso_record_row *ret_row,
                           struct iso_row_fault *ret_fault)
{
    struct iso_record_row row = {0};

    if (!check_texts(&record->base, ret_fault) ||
        !fold_names(&record->provider, &record->region, arena, ret_fault) ||
        !check_start(record->start, from_ns, to_ns, &row.start_ns, ret_fault) ||
        !check_charge(record, ret_fault) ||
        !check_amount(record->billed, "billed", &row.currency, &row.billed, ret_fault) ||
        !check_amount(record->effective, "effective", &row.currency, &row.effective, ret_fault) ||
        !check_amount(record->list, "list", &row.currency, &row.list, ret_fault))
        return false;
    if (!row.billed.present && !row.effective.present)
        return iso_row_refuse(ret_fault, "missing_cost",
                              "the record has no cost; that is not a cost of 0");
    if (iso_timestamp_ns(record->end) <= row.start_ns)
        return iso_row_refuse(ret_fault, "invalid_period", "end is not said, or not behind start");
    row.provider = record->provider;
    row.account = record->account;
    row.region = record->region;
    row.service = record->service;
    row.category = (int)record->category;
    row.effective_from_billed = record->effective_from_billed;
    row.message = iso_message_pack(&record->base, arena);
    *ret_row = row;
    return true;
}

bool iso_record_check_running(Isocost__V1__RunningResource *record, struct iso_arena *arena,
                              struct iso_record_row *ret_row, struct iso_row_fault *ret_fault)
{
    if (!check_texts(&record->base, ret_fault) ||
        !fold_names(&record->provider, &record->region, arena, ret_fault) ||
        !require(record->resource, "resource", ret_fault) ||
        !require(record->type, "type", ret_fault))
        return false;
    if (record->count == 0)
        record->count = 1;
    if (!(record->count > 0 && record->count <= 1e9))
        return iso_row_refuse(ret_fault, "invalid_value", "count is %g; (0, 1e9] is allowed",
                              record->count);
    if (record->n_tags > MAX_TAGS)
        return iso_row_refuse(ret_fault, "too_long",
                              "the resource has %zu tags; at most %d are allowed", record->n_tags,
                              MAX_TAGS);
    if (!record->os[0])
        record->os = (char *)"linux";
    *ret_row = (struct iso_record_row){.provider = record->provider,
                                       .account = record->account,
                                       .region = record->region,
                                       .resource = record->resource,
                                       .message = iso_message_pack(&record->base, arena)};
    return true;
}
