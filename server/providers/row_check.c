#include "row_check_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "currency.h"
#include "isocost/proto/money.h"
#include "isocost/proto/timestamp.h"
#include "provider_alias.h"
#include "region_alias.h"

enum { MAX_NAME_BYTES = 256, MAX_LABELS = 64 };

bool iso_row_refuse(struct iso_row_fault *ret_fault, const char *code, const char *format, ...)
{
    va_list arguments;

    ret_fault->code = code;
    va_start(arguments, format);
    vsnprintf(ret_fault->text, sizeof(ret_fault->text), format, arguments);
    va_end(arguments);
    return false;
}

/* --- names --- */

static bool is_null_spelling(const char *text)
{
    static const char *const spellings[] = {"null", "none",      "nil", "na", "n/a", "#n/a",
                                            "nan",  "undefined", "-",   "--", "无"};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(spellings); i++)
        if (strcasecmp(text, spellings[i]) == 0)
            return true;
    return false;
}

int iso_row_clear_nulls(Isocost__V1__Offering *row)
{
    char **texts[] = {&row->region,    &row->zone,
                      &row->type,      &row->os,
                      &row->native_id, &row->family,
                      &row->arch,      &row->tenancy,
                      &row->source,    row->resources ? &row->resources->gpu_model : &row->family};
    int n = 0;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        if (is_null_spelling(*texts[i])) {
            *texts[i] = (char *)protobuf_c_empty_string;
            n++;
        }
    }
    return n;
}

const char *iso_row_fold_region(const char *provider, const char *region, struct iso_arena *arena)
{
    char buffer[ISO_REGION_BUFFER_SIZE];
    const char *copy =
        iso_arena_strdup(arena, region[0] ? iso_region_fold(provider, region, buffer) : "*");

    return copy ? copy : "";
}

/* `text` in lower case, or `otherwise` when it is empty. */
static const char *lower(const char *text, const char *otherwise, struct iso_arena *arena)
{
    char *copy = iso_arena_strdup(arena, text[0] ? text : otherwise);

    for (char *p = copy; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy ? copy : "";
}

bool iso_row_check_name(const char *name, const char *field, struct iso_row_fault *ret_fault)
{
    size_t n = strlen(name);

    if (n > MAX_NAME_BYTES)
        return iso_row_refuse(ret_fault, "invalid_name", "%s has %zu bytes; at most %d are allowed",
                              field, n, MAX_NAME_BYTES);
    if (n && (name[0] == ' ' || name[n - 1] == ' '))
        return iso_row_refuse(ret_fault, "invalid_name", "%s begins or ends with a blank", field);
    for (const char *p = name; *p; p++)
        if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
            return iso_row_refuse(ret_fault, "invalid_name",
                                  "%s has a '/' or a control character, which ids cannot have",
                                  field);
    return true;
}

bool iso_row_fold_provider(const char *provider, struct iso_arena *arena, const char **ret_word,
                           struct iso_row_fault *ret_fault)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *word;

    if (!provider[0])
        return iso_row_refuse(ret_fault, "missing_provider", "the row names no provider");
    word = iso_provider_fold(provider, buffer);
    if (!word)
        return iso_row_refuse(
            ret_fault, "unknown_provider",
            "provider \"%.64s\" is no known name and no word [a-z0-9][a-z0-9_-]{0,63}", provider);
    *ret_word = iso_arena_strdup(arena, word);
    return true;
}

/* --- numbers --- */

bool iso_row_read_money(const Google__Type__Money *money, const char *field, const char *code,
                        iso_decimal *ret_amount, struct iso_row_fault *ret_fault)
{
    struct iso_error error = {0};

    if (!iso_currency_known(money->currency_code))
        return iso_row_refuse(
            ret_fault, "unknown_currency",
            "%s has currency \"%.16s\", which is not a code of ISO 4217 such as USD", field,
            money->currency_code);
    if (iso_money_to_decimal(money, ret_amount, &error) != ISO_OK)
        return iso_row_refuse(ret_fault, code, "%s is no amount: %.180s", field, error.text);
    return true;
}

bool iso_row_check_price(const Google__Type__Money *money, iso_decimal *ret_price,
                         char ret_currency[4], struct iso_row_fault *ret_fault)
{
    struct iso_error error = {0};
    iso_decimal price;

    if (!money)
        return iso_row_refuse(ret_fault, "missing_price",
                              "the row has no price; that is not a price of 0");
    if (!iso_currency_known(money->currency_code))
        return iso_row_refuse(ret_fault, "unknown_currency",
                              "currency \"%.16s\" is not a code of ISO 4217 such as USD",
                              money->currency_code);
    if (iso_money_to_decimal(money, &price, &error) != ISO_OK)
        return iso_row_refuse(ret_fault, "invalid_price", "the price is no amount: %.180s",
                              error.text);
    if (price == 0)
        return iso_row_refuse(ret_fault, "zero_price", "the price is 0; it must be above 0");
    if (price < 0)
        return iso_row_refuse(ret_fault, "negative_price",
                              "the price is below 0; it must be above 0");
    *ret_price = price;
    memcpy(ret_currency, money->currency_code, 4);
    return true;
}

bool iso_row_check_number(double value, double minimum, bool closed, double maximum,
                          const char *code, const char *field, iso_decimal *ret_value,
                          struct iso_row_fault *ret_fault)
{
    struct iso_error error = {0};

    if (!isfinite(value) || value < minimum || (!closed && value == minimum) || value > maximum)
        return iso_row_refuse(ret_fault, code, "%s is %g; it must be in %c%g, %g]", field, value,
                              closed ? '[' : '(', minimum, maximum);
    if (iso_decimal_from_double(value, ret_value, &error) != ISO_OK)
        return iso_row_refuse(ret_fault, code, "%s: %.200s", field, error.text);
    return true;
}

static bool check_resources(const Isocost__V1__Resources *r, iso_decimal capacity[ISO_N_RESOURCES],
                            struct iso_row_fault *ret_fault)
{
    if (!r) {
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            capacity[k] = ISO_UNKNOWN;
        return true;
    }
    const struct {
        bool present;
        double value;
        enum iso_resource resource;
        const char *field;
    } amounts[] = {
        {r->opt_vcpu_case, r->vcpu, ISO_RESOURCE_VCPU, "resources.vcpu"},
        {r->opt_memory_gib_case, r->memory_gib, ISO_RESOURCE_MEMORY_GIB, "resources.memory_gib"},
        {r->opt_gpu_case, r->gpu, ISO_RESOURCE_GPU, "resources.gpu"},
        {r->opt_gpu_memory_gib_case, r->gpu_memory_gib, ISO_RESOURCE_GPU_MEMORY_GIB,
         "resources.gpu_memory_gib"},
        {r->opt_local_disk_gib_case, r->local_disk_gib, ISO_RESOURCE_LOCAL_DISK_GIB,
         "resources.local_disk_gib"},
        {r->opt_disk_gib_case, r->disk_gib, ISO_RESOURCE_DISK_GIB, "resources.disk_gib"},
        {r->opt_network_gbps_case, r->network_gbps, ISO_RESOURCE_NETWORK_GBPS,
         "resources.network_gbps"},
        {r->opt_iops_case, r->iops, ISO_RESOURCE_IOPS, "resources.iops"},
    };
    _Static_assert(ISO_ARRAY_LENGTH(amounts) == ISO_N_RESOURCES, "every resource is checked");

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(amounts); i++) {
        capacity[amounts[i].resource] = ISO_UNKNOWN;
        if (amounts[i].present &&
            !iso_row_check_number(amounts[i].value, 0, true, ISO_ROW_MAX_AMOUNT,
                                  "invalid_resources", amounts[i].field,
                                  &capacity[amounts[i].resource], ret_fault))
            return false;
    }
    return true;
}

/* --- labels --- */

static int compare_labels(const void *a, const void *b)
{
    const Isocost__V1__Offering__LabelsEntry *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static bool check_labels(const Isocost__V1__Offering *row, struct iso_arena *arena,
                         const char **ret_labels, struct iso_row_fault *ret_fault)
{
    size_t n_bytes = 1;
    char *text, *end;

    if (row->n_labels > MAX_LABELS)
        return iso_row_refuse(ret_fault, "invalid_label", "%zu labels; at most %d are allowed",
                              row->n_labels, MAX_LABELS);
    for (size_t i = 0; i < row->n_labels; i++) {
        const char *key = row->labels[i]->key, *value = row->labels[i]->value;
        if (!key[0] || strpbrk(key, "=\n") || strchr(value, '\n'))
            return iso_row_refuse(
                ret_fault, "invalid_label",
                "label \"%.64s\": a key has no '=', and neither part a line break", key);
        n_bytes += strlen(key) + strlen(value) + 2;
    }
    text = end = iso_arena_calloc(arena, n_bytes, 1);
    if (!text)
        return true;
    if (row->n_labels)
        qsort(row->labels, row->n_labels, sizeof(*row->labels), compare_labels);
    for (size_t i = 0; i < row->n_labels; i++)
        end += sprintf(end, "%s=%s\n", row->labels[i]->key, row->labels[i]->value);
    *ret_labels = text;
    return true;
}

/* --- offerings --- */

static const char *purchase_word(Isocost__V1__Purchase purchase)
{
    switch (purchase) {
    case ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND:
        return "on-demand";
    case ISOCOST__V1__PURCHASE__PURCHASE_SPOT:
        return "spot";
    default:
        return NULL;
    }
}

const char *iso_row_describe(const Isocost__V1__Offering *row, struct iso_arena *arena)
{
    const char *purchase = purchase_word(row->purchase);
    const char *text = iso_arena_printf(
        arena, "%.64s/%.64s/%.64s/%.128s/%.64s/%s", row->provider[0] ? row->provider : "?",
        row->region[0] ? row->region : "*", row->zone[0] ? row->zone : "*",
        row->type[0] ? row->type : "?", row->os[0] ? row->os : "linux", purchase ? purchase : "?");

    return text ? text : "";
}

static bool check_identity(const Isocost__V1__Offering *row, struct iso_arena *arena,
                           struct iso_snapshot_offering *offering, struct iso_row_fault *ret_fault)
{
    const char *purchase = purchase_word(row->purchase);

    if (!iso_row_fold_provider(row->provider, arena, &offering->provider, ret_fault))
        return false;
    if (!row->type[0])
        return iso_row_refuse(ret_fault, "missing_type", "the row names no type");
    if (!purchase)
        return iso_row_refuse(
            ret_fault, "missing_purchase",
            "the row does not say how it is paid; on-demand and spot are allowed");
    offering->region = iso_row_fold_region(offering->provider, row->region, arena);
    offering->zone = lower(row->zone, "*", arena);
    offering->type = lower(row->type, "", arena);
    offering->os = lower(row->os, "linux", arena);
    if (!iso_row_check_name(offering->region, "region", ret_fault) ||
        !iso_row_check_name(offering->zone, "zone", ret_fault) ||
        !iso_row_check_name(offering->type, "type", ret_fault) ||
        !iso_row_check_name(offering->os, "os", ret_fault))
        return false;
    offering->purchase = (int32_t)row->purchase;
    offering->id =
        iso_arena_printf(arena, "%s/%s/%s/%s/%s/%s", offering->provider, offering->region,
                         offering->zone, offering->type, offering->os, purchase);
    return true;
}

static bool check_money(const Isocost__V1__Offering *row, struct iso_snapshot_offering *offering,
                        struct iso_row_fault *ret_fault)
{
    if (row->opt_carbon_case)
        return iso_row_refuse(
            ret_fault, "carbon_not_stored",
            "a snapshot does not keep carbon figures of offerings; give an overlay");
    offering->lot = ISO_DECIMAL_ONE;
    offering->availability = ISO_DECIMAL_ONE;
    offering->carbon = ISO_UNKNOWN;
    if (row->opt_lot_case && !iso_row_check_number(row->lot, 0, false, ISO_ROW_MAX_AMOUNT,
                                                   "invalid_lot", "lot", &offering->lot, ret_fault))
        return false;
    if (row->opt_availability_case &&
        !iso_row_check_number(row->availability, 0, false, 1, "invalid_availability",
                              "availability", &offering->availability, ret_fault))
        return false;
    offering->price_unit = row->price_unit ? (int32_t)row->price_unit
                                           : (int32_t)ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_HOUR;
    return iso_row_check_price(row->price, &offering->price, offering->currency, ret_fault);
}

bool iso_row_check_offering(const Isocost__V1__Offering *row, const char *source,
                            struct iso_arena *arena, struct iso_snapshot_offering *ret_offering,
                            struct iso_row_fault *ret_fault)
{
    struct iso_snapshot_offering offering = {
        .native_id = row->native_id[0] ? row->native_id : row->type,
        .family = row->family,
        .arch = row->arch,
        .tenancy = row->tenancy[0] ? row->tenancy : "shared",
        .gpu_model = row->resources ? row->resources->gpu_model : "",
        .source = row->source[0] ? row->source : source,
        .kind =
            row->kind ? (int32_t)row->kind : (int32_t)ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM,
        .status = row->status ? (int32_t)row->status
                              : (int32_t)ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_AVAILABLE,
        .labels = "",
        .observed_ns = iso_timestamp_ns(row->observed_at),
    };

    if (!check_identity(row, arena, &offering, ret_fault) ||
        !check_money(row, &offering, ret_fault) ||
        !check_resources(row->resources, offering.capacity, ret_fault) ||
        !check_labels(row, arena, &offering.labels, ret_fault))
        return false;
    *ret_offering = offering;
    return true;
}
