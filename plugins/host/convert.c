#include "convert_parts.h"
#include "isocost/v1/catalog_service.pb-c.h"
#include "isocost/v1/offering.pb-c.h"

#define NS_PER_SECOND INT64_C(1000000000)

char *iso_convert_text(const char *text, struct iso_arena *arena)
{
    return text && text[0] ? iso_arena_strdup(arena, text) : (char *)protobuf_c_empty_string;
}

Google__Type__Money *iso_convert_money(struct iso_amount amount, const char *currency,
                                       struct iso_arena *arena)
{
    return amount.present ? iso_money_from_decimal(amount.value, currency ? currency : "", arena)
                          : NULL;
}

Google__Protobuf__Timestamp *iso_convert_time(int64_t ns, struct iso_arena *arena)
{
    if (ns == 0)
        return NULL;
    Google__Protobuf__Timestamp *time =
        ISO_NEW_MESSAGE(arena, Google__Protobuf__Timestamp, GOOGLE__PROTOBUF__TIMESTAMP__INIT);
    if (!time)
        return NULL;
    int64_t rest = ns % NS_PER_SECOND;
    time->seconds = ns / NS_PER_SECOND - (rest < 0);
    time->nanos = (int32_t)(rest < 0 ? rest + NS_PER_SECOND : rest);
    return time;
}

static Isocost__V1__Resources *resources_of(const struct iso_plugin_offering *row,
                                            struct iso_arena *arena)
{
    /* Of each field its value and its oneof's case; the case's value is the field's number, which
     * is the resource's too. */
    static const struct {
        size_t value, is;
    } fields[ISO_PLUGIN_N_RESOURCES] = {
#define FIELD(name) \
    {offsetof(Isocost__V1__Resources, name), offsetof(Isocost__V1__Resources, opt_##name##_case)}
        [ISO_PLUGIN_RESOURCE_VCPU] = FIELD(vcpu),
        [ISO_PLUGIN_RESOURCE_MEMORY_GIB] = FIELD(memory_gib),
        [ISO_PLUGIN_RESOURCE_GPU] = FIELD(gpu),
        [ISO_PLUGIN_RESOURCE_GPU_MEMORY_GIB] = FIELD(gpu_memory_gib),
        [ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] = FIELD(local_disk_gib),
        [ISO_PLUGIN_RESOURCE_DISK_GIB] = FIELD(disk_gib),
        [ISO_PLUGIN_RESOURCE_NETWORK_GBPS] = FIELD(network_gbps),
        [ISO_PLUGIN_RESOURCE_IOPS] = FIELD(iops),
#undef FIELD
    };
    Isocost__V1__Resources *resources =
        ISO_NEW_MESSAGE(arena, Isocost__V1__Resources, ISOCOST__V1__RESOURCES__INIT);

    if (!resources)
        return NULL;
    for (int r = 1; r < ISO_PLUGIN_N_RESOURCES; r++) {
        if (!row->resources[r].present)
            continue;
        double value = iso_decimal_to_double(row->resources[r].value);
        memcpy((char *)resources + fields[r].value, &value, sizeof(value));
        memcpy((char *)resources + fields[r].is, &r, sizeof(r));
    }
    resources->gpu_model = iso_convert_text(row->gpu_model, arena);
    return resources;
}

void *iso_convert_entry(const ProtobufCMessageDescriptor *type, const char *key, const char *value,
                        struct iso_arena *arena)
{
    ProtobufCMessage *entry = iso_arena_calloc(arena, 1, type->sizeof_message);
    const char *texts[] = {iso_convert_text(key, arena), iso_convert_text(value, arena)};

    if (!entry)
        return NULL;
    protobuf_c_message_init(type, entry);
    for (int i = 0; i < 2; i++)
        memcpy((char *)entry + type->fields[i].offset, &texts[i], sizeof(texts[i]));
    return entry;
}

void *iso_convert_pointers(size_t n, struct iso_arena *arena)
{
    return iso_arena_calloc(arena, n <= ISO_CONVERT_MAX_REPEATED ? n : SIZE_MAX, sizeof(void *));
}

static ProtobufCMessage *offering_of(const struct iso_plugin_offering *row, struct iso_arena *arena)
{
    Isocost__V1__Offering *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__Offering, ISOCOST__V1__OFFERING__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->region = iso_convert_text(row->region, arena);
    out->zone = iso_convert_text(row->zone, arena);
    out->type = iso_convert_text(row->type, arena);
    out->os = iso_convert_text(row->os, arena);
    out->native_id = iso_convert_text(row->native_id, arena);
    out->family = iso_convert_text(row->family, arena);
    out->arch = iso_convert_text(row->arch, arena);
    out->tenancy = iso_convert_text(row->tenancy, arena);
    out->source = iso_convert_text(row->source, arena);
    out->purchase = (Isocost__V1__Purchase)row->purchase;
    out->kind = (Isocost__V1__OfferingKind)row->kind;
    out->status = (Isocost__V1__OfferingStatus)row->status;
    out->price_unit = (Isocost__V1__PriceUnit)row->price_unit;
    out->resources = resources_of(row, arena);
    if (row->lot.present) {
        out->opt_lot_case = ISOCOST__V1__OFFERING__OPT_LOT_LOT;
        out->lot = iso_decimal_to_double(row->lot.value);
    }
    if (row->availability.present) {
        out->opt_availability_case = ISOCOST__V1__OFFERING__OPT_AVAILABILITY_AVAILABILITY;
        out->availability = iso_decimal_to_double(row->availability.value);
    }
    out->price = iso_convert_money(row->price, row->currency, arena);
    out->observed_at = iso_convert_time(row->observed_ns, arena);
    out->labels = iso_convert_pointers(row->n_labels, arena);
    for (size_t i = 0; out->labels && i < row->n_labels; i++)
        out->labels[out->n_labels++] =
            iso_convert_entry(&isocost__v1__offering__labels_entry__descriptor, row->labels[i].key,
                              row->labels[i].value, arena);
    return &out->base;
}

struct text_list {
    size_t *n;
    char ***texts;
};

/* The list that a condition on text belongs to. */
static struct text_list list_of(Isocost__V1__SelectorTerm *term, int32_t field)
{
    switch (field) {
    case ISO_PLUGIN_FIELD_PROVIDER:
        return (struct text_list){&term->n_provider, &term->provider};
    case ISO_PLUGIN_FIELD_REGION:
        return (struct text_list){&term->n_region, &term->region};
    case ISO_PLUGIN_FIELD_ZONE:
        return (struct text_list){&term->n_zone, &term->zone};
    case ISO_PLUGIN_FIELD_FAMILY:
        return (struct text_list){&term->n_family, &term->family};
    case ISO_PLUGIN_FIELD_TYPE:
        return (struct text_list){&term->n_type, &term->type};
    case ISO_PLUGIN_FIELD_ARCH:
        return (struct text_list){&term->n_arch, &term->arch};
    case ISO_PLUGIN_FIELD_OS:
        return (struct text_list){&term->n_os, &term->os};
    default:
        return (struct text_list){&term->n_offering, &term->offering};
    }
}

static Isocost__V1__Purchase purchase_of(const char *word)
{
    if (strcmp(word, "on-demand") == 0)
        return ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND;
    return strcmp(word, "spot") == 0 ? ISOCOST__V1__PURCHASE__PURCHASE_SPOT
                                     : ISOCOST__V1__PURCHASE__PURCHASE_UNSPECIFIED;
}

static Isocost__V1__OfferingKind kind_of(const char *word)
{
    static const char *const words[] = {"", "vm", "disk", "gpu", "host", "other"};

    for (size_t i = 1; i < ISO_ARRAY_LENGTH(words); i++)
        if (strcmp(word, words[i]) == 0)
            return (Isocost__V1__OfferingKind)i;
    return ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_UNSPECIFIED;
}

static void add_condition(Isocost__V1__SelectorTerm *term,
                          const struct iso_plugin_condition *condition, size_t n_most,
                          struct iso_arena *arena)
{
    const char *value = condition->value ? condition->value : "";

    if (condition->field == ISO_PLUGIN_FIELD_LABEL) {
        if (!term->labels)
            term->labels = iso_convert_pointers(n_most, arena);
        Isocost__V1__SelectorTerm__LabelsEntry *entry = iso_convert_entry(
            &isocost__v1__selector_term__labels_entry__descriptor, condition->key, value, arena);
        if (!term->labels || !entry)
            return;
        term->labels[term->n_labels++] = entry;
    } else if (condition->field == ISO_PLUGIN_FIELD_PURCHASE) {
        if (!term->purchase)
            term->purchase = iso_arena_calloc(arena, n_most, sizeof(*term->purchase));
        if (term->purchase)
            term->purchase[term->n_purchase++] = purchase_of(value);
    } else if (condition->field == ISO_PLUGIN_FIELD_KIND) {
        if (!term->kind)
            term->kind = iso_arena_calloc(arena, n_most, sizeof(*term->kind));
        if (term->kind)
            term->kind[term->n_kind++] = kind_of(value);
    } else {
        struct text_list list = list_of(term, condition->field);
        if (!*list.texts)
            *list.texts = iso_convert_pointers(n_most, arena);
        if (*list.texts)
            (*list.texts)[(*list.n)++] = iso_convert_text(value, arena);
    }
}

static Isocost__V1__SelectorTerm **terms_of(const struct iso_plugin_term *terms, size_t n_terms,
                                            size_t *ret_n, struct iso_arena *arena)
{
    Isocost__V1__SelectorTerm **out = iso_convert_pointers(n_terms, arena);

    *ret_n = 0;
    for (size_t i = 0; out && i < n_terms; i++) {
        size_t n = terms[i].n_conditions;
        Isocost__V1__SelectorTerm *term =
            ISO_NEW_MESSAGE(arena, Isocost__V1__SelectorTerm, ISOCOST__V1__SELECTOR_TERM__INIT);
        if (!term)
            return NULL;
        for (size_t c = 0; c < n && !iso_arena_full(arena); c++)
            add_condition(term, &terms[i].conditions[c], n, arena);
        out[(*ret_n)++] = term;
    }
    return out;
}

/* NULL, which is everything, for an empty selector. */
static Isocost__V1__Selector *selector_of(const struct iso_plugin_selector *selector,
                                          struct iso_arena *arena)
{
    if (selector->n_include == 0 && selector->n_exclude == 0)
        return NULL;
    Isocost__V1__Selector *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__Selector, ISOCOST__V1__SELECTOR__INIT);
    if (!out)
        return NULL;
    out->include = terms_of(selector->include, selector->n_include, &out->n_include, arena);
    out->exclude = terms_of(selector->exclude, selector->n_exclude, &out->n_exclude, arena);
    return out;
}

static Isocost__V1__CommitmentRate *rate_of(const void *bytes, size_t n_bytes,
                                            struct iso_arena *arena)
{
    struct iso_plugin_rate rate = {0};
    Isocost__V1__CommitmentRate *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__CommitmentRate, ISOCOST__V1__COMMITMENT_RATE__INIT);

    if (!out)
        return NULL;
    memcpy(&rate, bytes, n_bytes < sizeof(rate) ? n_bytes : sizeof(rate));
    out->offerings = selector_of(&rate.offerings, arena);
    if (rate.units.present) {
        out->rate_case = ISOCOST__V1__COMMITMENT_RATE__RATE_UNITS;
        out->units = iso_decimal_to_double(rate.units.value);
    } else if (rate.price_ratio.present) {
        out->rate_case = ISOCOST__V1__COMMITMENT_RATE__RATE_PRICE_RATIO;
        out->price_ratio = iso_decimal_to_double(rate.price_ratio.value);
    }
    return out;
}

static ProtobufCMessage *product_of(const struct iso_plugin_product *row, struct iso_arena *arena)
{
    Isocost__V1__CommitmentProduct *out = ISO_NEW_MESSAGE(arena, Isocost__V1__CommitmentProduct,
                                                          ISOCOST__V1__COMMITMENT_PRODUCT__INIT);

    if (!out)
        return NULL;
    out->id = iso_convert_text(row->id, arena);
    out->provider = iso_convert_text(row->provider, arena);
    out->display_name = iso_convert_text(row->display_name, arena);
    out->source = iso_convert_text(row->source, arena);
    out->kind = (Isocost__V1__CommitmentKind)row->kind;
    out->eligible = selector_of(&row->eligible, arena);
    out->rates = iso_convert_pointers(row->n_rates, arena);
    for (size_t i = 0; out->rates && i < row->n_rates; i++)
        out->rates[out->n_rates++] =
            rate_of((const char *)row->rates + i * row->rate_bytes, row->rate_bytes, arena);
    if (row->term_hours.present)
        out->term_hours = iso_decimal_to_double(row->term_hours.value);
    out->hourly_fee = iso_convert_money(row->hourly_fee, row->currency, arena);
    out->upfront = iso_convert_money(row->upfront, row->currency, arena);
    if (row->lot.present) {
        out->opt_lot_case = ISOCOST__V1__COMMITMENT_PRODUCT__OPT_LOT_LOT;
        out->lot = iso_decimal_to_double(row->lot.value);
    }
    if (row->purchasable_maximum.present) {
        out->opt_purchasable_maximum_case =
            ISOCOST__V1__COMMITMENT_PRODUCT__OPT_PURCHASABLE_MAXIMUM_PURCHASABLE_MAXIMUM;
        out->purchasable_maximum = iso_decimal_to_double(row->purchasable_maximum.value);
    }
    return &out->base;
}

static ProtobufCMessage *quota_of(const struct iso_plugin_quota *row, struct iso_arena *arena)
{
    Isocost__V1__Quota *out = ISO_NEW_MESSAGE(arena, Isocost__V1__Quota, ISOCOST__V1__QUOTA__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->region = iso_convert_text(row->region, arena);
    out->code = iso_convert_text(row->code, arena);
    out->scope = selector_of(&row->scope, arena);
    out->resource = (Isocost__V1__Resource)row->resource;
    if (row->limit.present) {
        out->opt_limit_case = ISOCOST__V1__QUOTA__OPT_LIMIT_LIMIT;
        out->limit = iso_decimal_to_double(row->limit.value);
    }
    if (row->used.present)
        out->used = iso_decimal_to_double(row->used.value);
    out->unlimited = row->unlimited;
    out->observed_at = iso_convert_time(row->observed_ns, arena);
    return &out->base;
}

static ProtobufCMessage *overlay_of(const struct iso_plugin_overlay *row, struct iso_arena *arena)
{
    Isocost__V1__Overlay *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__Overlay, ISOCOST__V1__OVERLAY__INIT);

    if (!out)
        return NULL;
    out->offerings = selector_of(&row->offerings, arena);
    if (row->price.present) {
        out->change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE;
        out->price = iso_convert_money(row->price, row->currency, arena);
    } else if (row->price_factor.present) {
        out->change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR;
        out->price_factor = iso_decimal_to_double(row->price_factor.value);
    }
    out->status = (Isocost__V1__OfferingStatus)row->status;
    if (row->availability.present) {
        out->opt_availability_case = ISOCOST__V1__OVERLAY__OPT_AVAILABILITY_AVAILABILITY;
        out->availability = iso_decimal_to_double(row->availability.value);
    }
    out->valid_from = iso_convert_text(row->valid_from, arena);
    out->valid_until = iso_convert_text(row->valid_until, arena);
    out->note = iso_convert_text(row->note, arena);
    return &out->base;
}

static ProtobufCMessage *diagnostic_of(const struct iso_plugin_diagnostic *row,
                                       struct iso_arena *arena)
{
    Isocost__V1__Diagnostic *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__Diagnostic, ISOCOST__V1__DIAGNOSTIC__INIT);

    if (!out)
        return NULL;
    out->code = iso_convert_text(row->code, arena);
    out->quarantined = row->quarantined;
    out->place = iso_convert_text(row->place, arena);
    out->text = iso_convert_text(row->text, arena);
    out->count = row->count;
    return &out->base;
}

size_t iso_row_bytes(int32_t kind)
{
    switch (kind) {
    case ISO_ROW_OFFERING:
        return sizeof(struct iso_plugin_offering);
    case ISO_ROW_PRODUCT:
        return sizeof(struct iso_plugin_product);
    case ISO_ROW_QUOTA:
        return sizeof(struct iso_plugin_quota);
    case ISO_ROW_OVERLAY:
        return sizeof(struct iso_plugin_overlay);
    case ISO_ROW_DIAGNOSTIC:
        return sizeof(struct iso_plugin_diagnostic);
    case ISO_ROW_USAGE:
        return sizeof(struct iso_plugin_usage);
    case ISO_ROW_COST:
        return sizeof(struct iso_plugin_cost);
    case ISO_ROW_RUNNING:
        return sizeof(struct iso_plugin_running);
    case ISO_ROW_EGRESS_RATE:
        return sizeof(struct iso_plugin_egress_rate);
    default:
        return 0;
    }
}

ProtobufCMessage *iso_row_to_proto(int32_t kind, const void *row, struct iso_arena *arena)
{
    ProtobufCMessage *message = NULL;

    switch (kind) {
    case ISO_ROW_OFFERING:
        message = offering_of(row, arena);
        break;
    case ISO_ROW_PRODUCT:
        message = product_of(row, arena);
        break;
    case ISO_ROW_QUOTA:
        message = quota_of(row, arena);
        break;
    case ISO_ROW_OVERLAY:
        message = overlay_of(row, arena);
        break;
    case ISO_ROW_DIAGNOSTIC:
        message = diagnostic_of(row, arena);
        break;
    case ISO_ROW_USAGE:
        message = iso_convert_usage(row, arena);
        break;
    case ISO_ROW_COST:
        message = iso_convert_cost(row, arena);
        break;
    case ISO_ROW_RUNNING:
        message = iso_convert_running(row, arena);
        break;
    case ISO_ROW_EGRESS_RATE:
        message = iso_convert_egress_rate(row, arena);
        break;
    default:
        break;
    }
    return iso_arena_full(arena) ? NULL : message;
}
