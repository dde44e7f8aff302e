/* Catalogs in JSON: the messages of the contract, by their field names. */
#include <stdio.h>

#include "isocost/sdk/json.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/selector.h"
#include "isocost/sdk/words.h"
#include "row.h"

#define MAX_PLACE_BYTES 320

struct json_file {
    struct iso_static_reader *reader;
    struct iso_json_reader *json;
    char unknown[ISO_TABLE_UNKNOWN_BYTES]; /* fields that were met and mean nothing */
};

static int column_by_name(const struct iso_row *row, const char *name)
{
    const struct iso_table *table = &iso_tables[row->kind];

    for (size_t c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return (int)c;
    return -1;
}

static void remember_unknown(struct json_file *file, const char *name)
{
    if (!strstr(file->unknown, name))
        iso_table_add_name(file->unknown, name);
}

static void set_scalar(struct iso_row *row, int column, const char *name,
                       const struct iso_json *value)
{
    enum iso_json_kind kind = iso_json_kind(value);

    if (kind == ISO_JSON_ABSENT)
        return;
    row->text[column] = iso_json_scalar(value, row->reader->scratch);
    if (!row->text[column])
        iso_row_refuse(row, "invalid_value", "%s is not a text, number or boolean", name);
}

/* Money as {currency_code, units, nanos}, which becomes a price and its currency in text; or the
 * number alone. */
static void set_money(struct iso_row *row, int column, int currency_column, const char *name,
                      const struct iso_json *value)
{
    struct iso_scratch *scratch = row->reader->scratch;
    const char *units, *nanos, *currency;
    char text[ISO_DECIMAL_TEXT_SIZE];

    if (iso_json_kind(value) != ISO_JSON_OBJECT) {
        set_scalar(row, column, name, value);
        return;
    }
    units = iso_json_scalar(iso_json_member(value, "units"), scratch);
    nanos = iso_json_scalar(iso_json_member(value, "nanos"), scratch);
    currency = iso_json_scalar(iso_json_member(value, "currency_code"), scratch);
    char *end_units, *end_nanos;
    long long whole = strtoll(units ? units : "0", &end_units, 10);
    long long billionths = strtoll(nanos ? nanos : "0", &end_nanos, 10);
    iso_decimal amount;
    if (*end_units || *end_nanos || billionths <= -1000000000 || billionths >= 1000000000 ||
        (whole > 0 && billionths < 0) || (whole < 0 && billionths > 0) ||
        !iso_wide_to_decimal((iso_wide)whole * ISO_DECIMAL_ONE + billionths, &amount)) {
        iso_row_refuse(row, "invalid_price", "%s is not an amount of money in units and nanos",
                       name);
        return;
    }
    if (currency && row->text[currency_column] && strcmp(currency, row->text[currency_column]) != 0)
        iso_row_refuse(row, "invalid_price", "%s is in %.8s, another price of the row in %.8s",
                       name, currency, row->text[currency_column]);
    iso_decimal_format(amount, text);
    row->text[column] = iso_scratch_text(scratch, text, strlen(text));
    if (currency)
        row->text[currency_column] = currency;
}

static void set_labels(struct iso_row *row, const struct iso_json *value)
{
    size_t n = 0;

    if (iso_json_kind(value) == ISO_JSON_ABSENT)
        return;
    if (iso_json_kind(value) == ISO_JSON_TEXT) {
        set_scalar(row, ISO_OFFERING_LABELS, "labels", value);
        return;
    }
    for (void *m = iso_json_first(value); m; m = iso_json_next(value, m))
        n++;
    struct iso_plugin_label *labels = iso_scratch_calloc(row->reader->scratch, n, sizeof(*labels));
    if (!labels || iso_json_kind(value) != ISO_JSON_OBJECT)
        iso_row_refuse(row, "invalid_value", "labels is not an object of texts");
    for (void *m = iso_json_first(value); labels && m; m = iso_json_next(value, m)) {
        struct iso_plugin_label *label = &labels[row->n_labels++];
        label->key = iso_json_name(m);
        label->value = iso_json_scalar(iso_json_value(m), row->reader->scratch);
        if (!label->value)
            iso_row_refuse(row, "invalid_value", "label %.64s is not a text", label->key);
    }
    row->labels = labels;
}

static void set_resources(struct json_file *file, struct iso_row *row, const struct iso_json *value)
{
    for (void *m = iso_json_first(value); m; m = iso_json_next(value, m)) {
        int column = column_by_name(row, iso_json_name(m));
        if ((column >= ISO_OFFERING_VCPU && column <= ISO_OFFERING_IOPS) ||
            column == ISO_OFFERING_GPU_MODEL)
            set_scalar(row, column, iso_json_name(m), iso_json_value(m));
        else
            remember_unknown(file, iso_json_name(m));
    }
}

/* One condition for each value of a field, which is a text or a list of texts. */
static void add_conditions(struct iso_row *row, const char *name, const char *key,
                           const struct iso_json *value, struct iso_plugin_term *term,
                           struct iso_plugin_condition *conditions)
{
    bool list = iso_json_kind(value) == ISO_JSON_ARRAY;
    size_t n = list ? iso_json_length(value) : 1;
    int32_t field = key ? ISO_PLUGIN_FIELD_LABEL : iso_field_by_name(name, strlen(name));

    if (field < 0) { /* left out, the term would select more than was meant */
        iso_row_refuse(row, "invalid_value", "\"%.64s\" is not a field of a selector's term", name);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text =
            iso_json_scalar(list ? iso_json_item(value, i) : value, row->reader->scratch);
        struct iso_error error = {0};
        if (!text || iso_condition_value(field, text, &text, &error) != ISO_OK) {
            iso_row_refuse(row, "invalid_value", "selector: %s",
                           text ? error.text : "a value that is not a text");
            return;
        }
        conditions[term->n_conditions++] =
            (struct iso_plugin_condition){.field = field, .key = key, .value = text};
    }
}

static size_t count_values(const struct iso_json *object)
{
    size_t n = 0;

    for (void *m = iso_json_first(object); m; m = iso_json_next(object, m)) {
        const struct iso_json *value = iso_json_value(m);
        if (iso_json_kind(value) == ISO_JSON_OBJECT)
            n += count_values(value); /* labels; deeper ones are refused later */
        else
            n += 1 + iso_json_length(value);
    }
    return n;
}

static void read_term(struct iso_row *row, const struct iso_json *value,
                      struct iso_plugin_term *term)
{
    struct iso_plugin_condition *conditions =
        iso_scratch_calloc(row->reader->scratch, count_values(value), sizeof(*conditions));

    if (!conditions || iso_json_kind(value) != ISO_JSON_OBJECT) {
        iso_row_refuse(row, "invalid_value", "a selector's term is not an object");
        return;
    }
    term->conditions = conditions;
    for (void *m = iso_json_first(value); m; m = iso_json_next(value, m)) {
        const struct iso_json *inner = iso_json_value(m);
        if (strcmp(iso_json_name(m), "labels") != 0) {
            add_conditions(row, iso_json_name(m), NULL, inner, term, conditions);
            continue;
        }
        for (void *l = iso_json_first(inner); l; l = iso_json_next(inner, l))
            add_conditions(row, "labels", iso_json_name(l), iso_json_value(l), term, conditions);
    }
}

static const struct iso_plugin_term *read_terms(struct iso_row *row, const struct iso_json *list,
                                                size_t *ret_n)
{
    size_t n = iso_json_length(list);
    struct iso_plugin_term *terms = iso_scratch_calloc(row->reader->scratch, n, sizeof(*terms));

    *ret_n = 0;
    if (!terms || (list && iso_json_kind(list) != ISO_JSON_ARRAY)) {
        iso_row_refuse(row, "invalid_value", "selector: include and exclude are lists of terms");
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        read_term(row, iso_json_item(list, i), &terms[i]);
    *ret_n = n;
    return terms;
}

/* A selector as an object, or as the text of a table's cell. */
static void read_selector(struct iso_row *row, const struct iso_json *value,
                          struct iso_plugin_selector *selector)
{
    struct iso_error error = {0};

    if (iso_json_kind(value) == ISO_JSON_TEXT) {
        if (iso_terms_read(iso_json_scalar(value, row->reader->scratch), row->reader->scratch,
                           &selector->include, &selector->n_include, &error) != ISO_OK)
            iso_row_refuse(row, "invalid_value", "selector: %s", error.text);
        return;
    }
    if (iso_json_kind(value) != ISO_JSON_OBJECT) {
        iso_row_refuse(row, "invalid_value", "a selector is not an object");
        return;
    }
    for (void *m = iso_json_first(value); m; m = iso_json_next(value, m)) {
        const char *name = iso_json_name(m);
        if (strcmp(name, "include") == 0)
            selector->include = read_terms(row, iso_json_value(m), &selector->n_include);
        else if (strcmp(name, "exclude") == 0)
            selector->exclude = read_terms(row, iso_json_value(m), &selector->n_exclude);
        else
            iso_row_refuse(row, "invalid_value",
                           "\"%.64s\" is not a field of a selector; include and exclude are", name);
    }
}

/* Of {offerings, units} or {offerings, price_ratio}; reads the number through the row's columns. */
static void read_rate(struct iso_row *row, const struct iso_json *value,
                      struct iso_plugin_rate *rate)
{
    const char *units = row->text[ISO_PRODUCT_UNITS], *ratio = row->text[ISO_PRODUCT_PRICE_RATIO];

    if (iso_json_member(value, "offerings"))
        read_selector(row, iso_json_member(value, "offerings"), &rate->offerings);
    set_scalar(row, ISO_PRODUCT_UNITS, "units", iso_json_member(value, "units"));
    set_scalar(row, ISO_PRODUCT_PRICE_RATIO, "price_ratio", iso_json_member(value, "price_ratio"));
    rate->units = iso_row_amount(row, ISO_PRODUCT_UNITS);
    rate->price_ratio = iso_row_amount(row, ISO_PRODUCT_PRICE_RATIO);
    if (rate->units.present == rate->price_ratio.present)
        iso_row_refuse(row, "invalid_value", "a rate has either units or price_ratio");
    row->text[ISO_PRODUCT_UNITS] = units;
    row->text[ISO_PRODUCT_PRICE_RATIO] = ratio;
}

static void set_rates(struct iso_row *row, const struct iso_json *value)
{
    size_t n = iso_json_length(value);
    struct iso_plugin_rate *rates = iso_scratch_calloc(row->reader->scratch, n, sizeof(*rates));

    if (!rates || iso_json_kind(value) != ISO_JSON_ARRAY) {
        iso_row_refuse(row, "invalid_value", "rates is not a list");
        return;
    }
    for (size_t i = 0; i < n; i++)
        read_rate(row, iso_json_item(value, i), &rates[i]);
    row->rates = rates;
    row->n_rates = n;
}

/* The fields that are more than text; false: `name` is none of them. */
static bool set_special(struct json_file *file, struct iso_row *row, const char *name,
                        const struct iso_json *value)
{
    static const struct {
        enum iso_file_kind kind;
        const char *name;
        int column, currency_column;
    } money[] = {
        {ISO_FILE_OFFERINGS, "price", ISO_OFFERING_PRICE, ISO_OFFERING_CURRENCY},
        {ISO_FILE_PRODUCTS, "hourly_fee", ISO_PRODUCT_HOURLY_FEE, ISO_PRODUCT_CURRENCY},
        {ISO_FILE_PRODUCTS, "upfront", ISO_PRODUCT_UPFRONT, ISO_PRODUCT_CURRENCY},
        {ISO_FILE_OVERLAYS, "price", ISO_OVERLAY_PRICE, ISO_OVERLAY_CURRENCY},
        {ISO_FILE_EGRESS_RATES, "price_per_gb", ISO_EGRESS_RATE_PRICE_PER_GB,
         ISO_EGRESS_RATE_CURRENCY},
    };
    static const char *const selectors[ISO_FILE_N_TABLES] = {
        [ISO_FILE_OFFERINGS] = "",    [ISO_FILE_PRODUCTS] = "eligible",
        [ISO_FILE_QUOTAS] = "scope",  [ISO_FILE_OVERLAYS] = "offerings",
        [ISO_FILE_EGRESS_RATES] = "",
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(money); i++)
        if (row->kind == money[i].kind && strcmp(name, money[i].name) == 0) {
            set_money(row, money[i].column, money[i].currency_column, name, value);
            return true;
        }
    if (row->kind == ISO_FILE_OFFERINGS && strcmp(name, "resources") == 0)
        set_resources(file, row, value);
    else if (row->kind == ISO_FILE_OFFERINGS && strcmp(name, "labels") == 0)
        set_labels(row, value);
    else if (row->kind == ISO_FILE_PRODUCTS && strcmp(name, "rates") == 0)
        set_rates(row, value);
    else if (strcmp(name, selectors[row->kind]) == 0 && value) {
        read_selector(row, value, &row->selector);
        row->has_selector = true;
    } else {
        return false;
    }
    return true;
}

static enum iso_status send_element(struct json_file *file, enum iso_file_kind kind,
                                    const struct iso_json_element *element, const char *place,
                                    struct iso_error *reterr)
{
    struct iso_row row = {.reader = file->reader, .kind = kind, .place = place, .error = reterr};

    if (!element->value)
        iso_row_refuse(&row, "invalid_json", "the row is not JSON: %s", element->problem);
    else if (iso_json_kind(element->value) != ISO_JSON_OBJECT)
        iso_row_refuse(&row, "invalid_json", "the row is not an object");
    if (row.refused)
        return row.status;

    iso_scratch_reset(file->reader->scratch);
    for (void *m = iso_json_first(element->value); m && !row.refused;
         m = iso_json_next(element->value, m)) {
        const char *name = iso_json_name(m);
        if (set_special(file, &row, name, iso_json_value(m)))
            continue;
        int column = column_by_name(&row, name);
        if (column < 0)
            remember_unknown(file, name);
        else
            set_scalar(&row, column, name, iso_json_value(m));
    }
    return row.refused ? row.status : iso_row_send(&row, reterr);
}

static enum iso_status on_element(void *context, const struct iso_json_element *element,
                                  struct iso_error *reterr)
{
    struct json_file *file = context;
    char place[MAX_PLACE_BYTES];
    int kind = 0;

    while (kind < ISO_FILE_N_TABLES && strcmp(element->member, iso_tables[kind].word) != 0)
        kind++;
    if (kind == ISO_FILE_N_TABLES) {
        remember_unknown(file, element->member);
        return ISO_OK;
    }
    if (element->index < 0)
        return iso_fail(reterr, ISO_E_INVALID, "", "line %lld: %s is not a list",
                        (long long)element->line, element->member);
    if (!iso_static_wants(file->reader, (enum iso_file_kind)kind))
        return ISO_OK;
    snprintf(place, sizeof(place), "%s:%lld", file->reader->file, (long long)element->line);
    return send_element(file, (enum iso_file_kind)kind, element, place, reterr);
}

static enum iso_status on_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                struct iso_error *reterr)
{
    struct json_file *file = context;

    return iso_json_feed(file->json, bytes, n_bytes, reterr);
}

/* An object with members of which none is a table is something else; `{}` is an empty catalog. */
static bool is_catalog(const struct iso_json_reader *json)
{
    for (int k = 0; k < ISO_FILE_N_TABLES; k++)
        if (iso_json_has_member(json, iso_tables[k].word))
            return true;
    return iso_json_n_members(json) == 0;
}

enum iso_status iso_json_file_read(struct iso_static_reader *reader, const char *path, bool named,
                                   struct iso_error *reterr)
{
    static const char foreign[] =
        "it has none of the lists offerings, products, quotas, overlays, egress_rates";
    struct json_file file = {.reader = reader};
    ISO_AUTO(iso_json_reader) json = iso_json_reader_new(on_element, &file);

    if (!json)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read %.200s", reader->file);
    file.json = json;
    ISO_TRY(reader->host->read_file(reader->host, path, reader->config->max_file_mib << 20,
                                    on_bytes, &file, reterr));
    ISO_TRY(iso_json_finish(json, reterr));
    if (!is_catalog(json) && named)
        return iso_fail(reterr, ISO_E_INVALID, "path", "%s", foreign);
    if (!is_catalog(json))
        return iso_report(reader->sink, "not_a_catalog", /* quarantined= */ false, reader->file,
                          "%s; the file is left out", reterr, foreign);
    if (!file.unknown[0])
        return ISO_OK;
    return iso_report(reader->sink, "unknown_field", /* quarantined= */ false, reader->file,
                      "fields without meaning here are ignored: %s", reterr, file.unknown);
}
