/* How the rows of plugins are judged: a table of dirty rows, and what is made of the good ones. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "currency.h"
#include "draft.h"
#include "isocost/proto/json.h"

#define ON_DEMAND ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND

struct fixture {
    char folder[64];
    struct iso_arena *arena;
    struct iso_draft *draft;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->folder, "/tmp/isocost-draft-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->arena = iso_arena_new(256u << 20);
    f->draft = iso_draft_new(/* hygiene= */ NULL);
    assert_non_null(f->draft);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    DIR *folder = opendir(f->folder);

    for (struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(f->folder);
    iso_draft_free(f->draft);
    iso_arena_free(f->arena);
    free(f);
    return 0;
}

static Google__Type__Money *money(struct fixture *f, const char *currency, int64_t units,
                                  int32_t nanos)
{
    Google__Type__Money *m = iso_arena_calloc(f->arena, 1, sizeof(*m));

    google__type__money__init(m);
    m->currency_code = (char *)currency;
    m->units = units;
    m->nanos = nanos;
    return m;
}

/* m6i.large of AWS in us-east-1: 2 vCPU, 8 GiB, 0.096 USD. */
static Isocost__V1__Offering *good_row(struct fixture *f)
{
    Isocost__V1__Offering *row = iso_arena_calloc(f->arena, 1, sizeof(*row));

    isocost__v1__offering__init(row);
    row->provider = (char *)"aws";
    row->region = (char *)"us-east-1";
    row->type = (char *)"m6i.large";
    row->purchase = ON_DEMAND;
    row->price = money(f, "USD", 0, 96000000);
    row->resources = iso_arena_calloc(f->arena, 1, sizeof(*row->resources));
    isocost__v1__resources__init(row->resources);
    row->resources->opt_vcpu_case = ISOCOST__V1__RESOURCES__OPT_VCPU_VCPU;
    row->resources->vcpu = 2;
    row->resources->opt_memory_gib_case = ISOCOST__V1__RESOURCES__OPT_MEMORY_GIB_MEMORY_GIB;
    row->resources->memory_gib = 8;
    return row;
}

static void add_offerings(struct fixture *f, Isocost__V1__Offering **rows, size_t n)
{
    Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
    struct iso_error error = {0};

    page.offerings = rows;
    page.n_offerings = n;
    assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, &error), ISO_OK);
}

static Isocost__V1__Snapshot *publish(struct fixture *f, bool with_overlays,
                                      struct iso_snapshot_record *ret_record)
{
    Isocost__V1__Snapshot *snapshot = NULL;
    struct iso_error error = {0};

    assert_int_equal(iso_draft_publish(f->draft, f->folder, with_overlays, 1000000000, f->arena,
                                       ret_record, &snapshot, &error),
                     ISO_OK);
    return snapshot;
}

static struct iso_snapshot *map(struct fixture *f, const char *digest)
{
    struct iso_snapshot *snapshot = NULL;
    char path[256];

    snprintf(path, sizeof(path), "%s/%s.snap", f->folder, digest);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(iso_snapshot_map(fd, &snapshot, NULL), ISO_OK);
    close(fd);
    return snapshot;
}

static int64_t count_of(const Isocost__V1__Snapshot *snapshot, const char *code, bool quarantined)
{
    for (size_t i = 0; i < snapshot->n_diagnostics; i++)
        if (strcmp(snapshot->diagnostics[i]->code, code) == 0 &&
            snapshot->diagnostics[i]->quarantined == quarantined)
            return snapshot->diagnostics[i]->count;
    return 0;
}

/* --- the table: each spoils a good row in one way --- */

static void no_price(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->price = NULL;
}
static void zero_price(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "USD", 0, 0);
}
static void negative_price(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "USD", -1, -500000000);
}
static void mixed_signs(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "USD", 1, -5);
}
static void too_many_nanos(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "USD", 0, 2000000000);
}
static void huge_price(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "USD", INT64_MAX, 0);
}
static void no_currency(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "", 1, 0);
}
static void lower_case_currency(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "usd", 1, 0);
}
static void made_up_currency(struct fixture *f, Isocost__V1__Offering *row)
{
    row->price = money(f, "QQQ", 1, 0);
}
static void no_provider(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->provider = (char *)"";
}
static void odd_provider(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->provider = (char *)"some cloud or other";
}
static void no_type(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->type = (char *)"";
}
static void no_purchase(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->purchase = ISOCOST__V1__PURCHASE__PURCHASE_UNSPECIFIED;
}
static void slash_in_type(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->type = (char *)"m6i/large";
}
static void line_break_in_region(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->region = (char *)"us-east\n1";
}
static void zero_lot(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->opt_lot_case = ISOCOST__V1__OFFERING__OPT_LOT_LOT;
    row->lot = 0;
}
static void nan_lot(struct fixture *f, Isocost__V1__Offering *row)
{
    zero_lot(f, row);
    row->lot = (double)NAN;
}
static void zero_availability(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->opt_availability_case = ISOCOST__V1__OFFERING__OPT_AVAILABILITY_AVAILABILITY;
    row->availability = 0;
}
static void availability_above_one(struct fixture *f, Isocost__V1__Offering *row)
{
    zero_availability(f, row);
    row->availability = 1.000000001;
}
static void negative_memory(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->resources->memory_gib = -1;
}
static void infinite_vcpu(struct fixture *f, Isocost__V1__Offering *row)
{
    (void)f;
    row->resources->vcpu = (double)INFINITY;
}

static const struct {
    const char *name;
    void (*spoil)(struct fixture *f, Isocost__V1__Offering *row);
    const char *code;
} dirty_rows[] = {
    {"no price", no_price, "missing_price"},
    {"price 0", zero_price, "zero_price"},
    {"price below 0", negative_price, "negative_price"},
    {"units and nanos of different signs", mixed_signs, "invalid_price"},
    {"2e9 nanos", too_many_nanos, "invalid_price"},
    {"price beyond a decimal", huge_price, "invalid_price"},
    {"no currency", no_currency, "unknown_currency"},
    {"currency in lower case", lower_case_currency, "unknown_currency"},
    {"currency that is none", made_up_currency, "unknown_currency"},
    {"no provider", no_provider, "missing_provider"},
    {"provider that is no word", odd_provider, "unknown_provider"},
    {"no type", no_type, "missing_type"},
    {"no purchase", no_purchase, "missing_purchase"},
    {"slash in the type", slash_in_type, "invalid_name"},
    {"line break in the region", line_break_in_region, "invalid_name"},
    {"lot 0", zero_lot, "invalid_lot"},
    {"lot NaN", nan_lot, "invalid_lot"},
    {"availability 0", zero_availability, "invalid_availability"},
    {"availability above 1", availability_above_one, "invalid_availability"},
    {"memory below 0", negative_memory, "invalid_resources"},
    {"infinite vcpu", infinite_vcpu, "invalid_resources"},
};

static void each_dirty_row_is_left_out_and_counted_by_its_reason(void **state)
{
    struct fixture *f = *state;
    struct iso_snapshot_record record;
    int64_t n_dirty = (int64_t)ISO_ARRAY_LENGTH(dirty_rows);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(dirty_rows); i++) {
        Isocost__V1__Offering *row = good_row(f);
        char type[32];
        snprintf(type, sizeof(type), "type-%zu", i);
        row->type = iso_arena_strdup(f->arena, type);
        dirty_rows[i].spoil(f, row);
        add_offerings(f, &row, 1);
    }
    Isocost__V1__Offering *good = good_row(f);
    add_offerings(f, &good, 1);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);

    assert_int_equal(snapshot->offering_count, 1);
    assert_int_equal(snapshot->row_count, n_dirty + 1);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(dirty_rows); i++) {
        int64_t expected = 0;
        for (size_t k = 0; k < ISO_ARRAY_LENGTH(dirty_rows); k++)
            expected += strcmp(dirty_rows[k].code, dirty_rows[i].code) == 0;
        if (count_of(snapshot, dirty_rows[i].code, true) != expected)
            fail_msg("%s: %s was counted %lld times, not %lld", dirty_rows[i].name,
                     dirty_rows[i].code, (long long)count_of(snapshot, dirty_rows[i].code, true),
                     (long long)expected);
    }
    assert_int_equal(iso_draft_counts(f->draft).quarantined, n_dirty);
}

static void of_two_rows_with_one_id_the_first_is_kept(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Offering *rows[] = {good_row(f), good_row(f), good_row(f)};
    struct iso_snapshot_record record;
    struct iso_snapshot_offering offering;

    rows[1]->price = money(f, "USD", 7, 0);
    rows[2]->provider = (char *)"Amazon Web Services"; /* the same, spelt otherwise */
    rows[2]->type = (char *)"M6I.LARGE";
    add_offerings(f, rows, 3);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);
    assert_int_equal(snapshot->offering_count, 1);
    assert_int_equal(count_of(snapshot, "duplicate_offering", true), 2);
    struct iso_snapshot *mapped = map(f, snapshot->digest);
    iso_snapshot_offering(mapped, 0, &offering);
    assert_int_equal(offering.price, 96000000);
    iso_snapshot_free(mapped);
}

static void defaults_are_filled_in_and_names_folded(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Offering *row = good_row(f);
    struct iso_snapshot_record record;
    struct iso_snapshot_offering offering;

    row->provider = (char *)"阿里云";
    row->region = (char *)"";
    row->type = (char *)"ecs.G7.large";
    row->price = money(f, "CNY", 0, 500000000);
    add_offerings(f, &row, 1);
    struct iso_snapshot *mapped = map(f, publish(f, false, &record)->digest);
    iso_snapshot_offering(mapped, 0, &offering);
    assert_string_equal(offering.id, "alibaba/*/*/ecs.g7.large/linux/on-demand");
    assert_string_equal(offering.native_id, "ecs.G7.large");
    assert_string_equal(offering.tenancy, "shared");
    assert_string_equal(offering.currency, "CNY");
    assert_string_equal(offering.source, "test");
    assert_int_equal(offering.kind, ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM);
    assert_int_equal(offering.status, ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_AVAILABLE);
    assert_int_equal(offering.price_unit, ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_HOUR);
    assert_int_equal(offering.lot, ISO_DECIMAL_ONE);
    assert_int_equal(offering.availability, ISO_DECIMAL_ONE);
    assert_int_equal(offering.capacity[ISO_RESOURCE_VCPU], 2 * ISO_DECIMAL_ONE);
    assert_int_equal(offering.capacity[ISO_RESOURCE_GPU], ISO_UNKNOWN);
    iso_snapshot_free(mapped);
}

static void a_row_without_resources_stays_and_is_counted(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Offering *row = good_row(f);
    struct iso_snapshot_record record;

    row->resources->opt_memory_gib_case = ISOCOST__V1__RESOURCES__OPT_MEMORY_GIB__NOT_SET;
    add_offerings(f, &row, 1);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);
    assert_int_equal(snapshot->offering_count, 1);
    assert_int_equal(count_of(snapshot, "resources_unknown", false), 1);
    assert_int_equal(iso_draft_counts(f->draft).quarantined, 0);
}

static void at_most_a_thousand_examples_are_kept_of_each_code(void **state)
{
    struct fixture *f = *state;
    struct iso_snapshot_record record;

    for (int i = 0; i < ISO_DRAFT_EXAMPLES + 5; i++) {
        Isocost__V1__Offering *row = good_row(f);
        row->price = NULL;
        add_offerings(f, &row, 1);
    }
    Isocost__V1__Offering *zero = good_row(f);
    zero->price = money(f, "USD", 0, 0);
    add_offerings(f, &zero, 1);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);
    Isocost__V1__ListDiagnosticsResponse *list = isocost__v1__list_diagnostics_response__unpack(
        NULL, record.diagnostics.n_bytes, record.diagnostics.bytes);
    assert_int_equal(count_of(snapshot, "missing_price", true), ISO_DRAFT_EXAMPLES + 5);
    assert_int_equal(list->n_diagnostics, ISO_DRAFT_EXAMPLES + 1);
    assert_string_equal(list->diagnostics[0]->place,
                        "test: aws/us-east-1/*/m6i.large/linux/on-demand");
    assert_string_equal(list->diagnostics[0]->text,
                        "the row has no price; that is not a price of 0");
    isocost__v1__list_diagnostics_response__free_unpacked(list, NULL);
}

static void a_plugins_own_diagnostics_count_as_rows_when_they_stand_for_one(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Diagnostic left_out = ISOCOST__V1__DIAGNOSTIC__INIT;
    Isocost__V1__Diagnostic odd = ISOCOST__V1__DIAGNOSTIC__INIT;
    Isocost__V1__Diagnostic *list[] = {&left_out, &odd};
    Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
    struct iso_snapshot_record record;

    left_out.code = (char *)"non_finite_price";
    left_out.quarantined = true;
    left_out.place = (char *)"prices.csv:17";
    odd.code = (char *)"Not A Code!";
    page.diagnostics = list;
    page.n_diagnostics = 2;
    assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, NULL), ISO_OK);
    Isocost__V1__Offering *row = good_row(f);
    add_offerings(f, &row, 1);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);
    assert_int_equal(snapshot->row_count, 2);
    assert_int_equal(count_of(snapshot, "non_finite_price", true), 1);
    assert_int_equal(count_of(snapshot, "other", false), 1);
}

static void rows_of_other_providers_stay(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Offering *first[] = {good_row(f), good_row(f)}, *second = good_row(f);
    struct iso_snapshot_record record;
    struct iso_snapshot_offering offering;

    first[1]->provider = (char *)"gcp";
    first[1]->type = (char *)"n2-standard-2";
    add_offerings(f, first, 2);
    struct iso_snapshot *base = map(f, publish(f, false, &record)->digest);

    iso_draft_free(f->draft);
    f->draft = iso_draft_new(/* hygiene= */ NULL);
    second->type = (char *)"m7i.large";
    add_offerings(f, &second, 1);
    assert_int_equal(iso_draft_add_base(f->draft, base, NULL, NULL), ISO_OK);
    Isocost__V1__Snapshot *snapshot = publish(f, false, &record);
    assert_int_equal(snapshot->offering_count, 2); /* aws is new, gcp stays */
    struct iso_snapshot *mapped = map(f, snapshot->digest);
    iso_snapshot_offering(mapped, 0, &offering);
    assert_string_equal(offering.id, "aws/us-east-1/*/m7i.large/linux/on-demand");
    iso_snapshot_offering(mapped, 1, &offering);
    assert_string_equal(offering.id, "gcp/us-east-1/*/n2-standard-2/linux/on-demand");
    iso_snapshot_free(mapped);
    iso_snapshot_free(base);
}

static void overlays_are_in_the_tenants_snapshot_only(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__Overlay good = ISOCOST__V1__OVERLAY__INIT, bad = ISOCOST__V1__OVERLAY__INIT;
    Isocost__V1__Overlay *list[] = {&good, &bad};
    Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
    struct iso_snapshot_record record;
    Isocost__V1__Offering *row = good_row(f);
    char public_digest[ISO_DIGEST_TEXT_SIZE];

    good.change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR;
    good.price_factor = 0.9;
    bad.change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR;
    bad.price_factor = 0;
    page.overlays = list;
    page.n_overlays = 2;
    add_offerings(f, &row, 1);
    assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, NULL), ISO_OK);
    assert_true(iso_draft_has_overlays(f->draft));
    snprintf(public_digest, sizeof(public_digest), "%s", publish(f, false, &record)->digest);
    Isocost__V1__Snapshot *own = publish(f, true, &record);
    assert_string_not_equal(own->digest, public_digest);
    assert_int_equal(count_of(own, "invalid_overlay", true), 1);
    struct iso_snapshot *mapped = map(f, public_digest);
    assert_int_equal(iso_snapshot_n_overlays(mapped), 0);
    iso_snapshot_free(mapped);
    mapped = map(f, own->digest);
    assert_int_equal(iso_snapshot_n_overlays(mapped), 1);
    iso_snapshot_free(mapped);
}

/* A row of a kind as YAML, sent alone: "" as code when it stays. */
static void a_bad_overlay_or_rate_is_left_out_with_its_reason(void **state)
{
    static const struct {
        bool is_rate;
        const char *yaml, *code, *text;
    } cases[] = {
        {false, "{price_factor: 0.9, valid_from: 2026-07-01, note: c}", "", ""},
        {false, "{price_factor: 0.9, valid_from: 1 July}", "invalid_date",
         "valid_from \"1 July\" is no day like 2026-01-31"},
        {false, "{price_factor: 0.9, valid_until: '2026-13-01'}", "invalid_date", "valid_until"},
        {false, "{price_factor: 0.9, valid_from: 2026-07-01, valid_until: 2026-06-30}",
         "invalid_date", "valid_until 2026-06-30 is before valid_from 2026-07-01"},
        {false, "{status: sold-out, valid_from: 2026-07-01}", "invalid_overlay",
         "changes the price only"},
        {true, "{provider: AWS, to: internet, price_per_gb: 0 USD}", "", ""},
        {true, "{provider: aws, region: us-*, to: 阿里云/cn-*, price_per_gb: 1 CNY}", "", ""},
        {true, "{to: internet, price_per_gb: 1 USD}", "missing_provider", "names no provider"},
        {true, "{provider: aws, to: '', price_per_gb: 1 USD}", "invalid_place",
         "to \"\" is none of: internet, a provider, provider/region"},
        {true, "{provider: aws, to: '*/x', price_per_gb: 1 USD}", "invalid_place", "to \"*/x\""},
        {true, "{provider: aws, to: 'az*', price_per_gb: 1 USD}", "invalid_place", "to \"az*\""},
        {true, "{provider: aws, to: aws/, price_per_gb: 1 USD}", "invalid_place", "to \"aws/\""},
        {true, "{provider: aws, to: aws/a/b, price_per_gb: 1 USD}", "invalid_name", "to has a '/'"},
        {true, "{provider: aws, region: a/b, to: internet, price_per_gb: 1 USD}", "invalid_name",
         "region has a '/'"},
        {true, "{provider: aws, region: '*-1', to: internet, price_per_gb: 1 USD}", "invalid_place",
         "which may end in *"},
        {true, "{provider: aws, to: internet}", "missing_price", "is not a price of 0"},
        {true, "{provider: aws, to: internet, price_per_gb: -1 USD}", "negative_price", "below 0"},
        {true, "{provider: aws, to: internet, price_per_gb: 1 XTS}", "unknown_currency", "XTS"},
        {true, "{provider: aws, to: internet, from_gb: -1, price_per_gb: 1 USD}",
         "invalid_egress_rate", "from_gb is -1"},
        {true, "{provider: aws, to: internet, price_per_gb: 1 USD, valid_until: soon}",
         "invalid_date", "valid_until \"soon\""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_violations violations = {.arena = f->arena};
        Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
        ProtobufCMessage *message = NULL;
        Isocost__V1__Overlay *overlay;
        Isocost__V1__EgressRate *rate;
        bool bad = cases[i].code[0] != '\0';
        iso_draft_free(f->draft);
        f->draft = iso_draft_new(NULL);
        if (iso_yaml_read(cases[i].is_rate ? &isocost__v1__egress_rate__descriptor
                                           : &isocost__v1__overlay__descriptor,
                          cases[i].yaml, strlen(cases[i].yaml), f->arena, &violations, &message,
                          NULL) != ISO_OK)
            fail_msg("%s cannot be read", cases[i].yaml);
        overlay = (Isocost__V1__Overlay *)message;
        rate = (Isocost__V1__EgressRate *)message;
        page.n_overlays = !cases[i].is_rate;
        page.overlays = &overlay;
        page.n_egress_rates = cases[i].is_rate;
        page.egress_rates = &rate;
        assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, NULL), ISO_OK);
        struct iso_draft_counts counts = iso_draft_counts(f->draft);
        if (counts.rows != 1 || counts.good != !bad || counts.quarantined != bad ||
            !strstr(iso_draft_first_fault(f->draft), cases[i].text))
            fail_msg("%s: %s", cases[i].yaml, iso_draft_first_fault(f->draft));
        struct iso_snapshot_record record;
        assert_int_equal(count_of(publish(f, true, &record), cases[i].code, true), bad);
    }
}

/* The first of two with one id stays; a refresh of one provider leaves the rates of others. */
static void rates_of_a_provider_are_replaced_as_one(void **state)
{
    static const char *const rates[] = {
        "{provider: 阿里云, to: aws/US-East-1, price_per_gb: 0.8 CNY}",
        "{provider: alibaba, region: '*', to: aws/us-east-1, price_per_gb: 0.9 CNY}",
        "{provider: gcp, to: internet, price_per_gb: 0.12 USD}"};
    struct fixture *f = *state;
    Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
    Isocost__V1__EgressRate *list[3];
    struct iso_snapshot_record record;

    for (size_t i = 0; i < 3; i++) {
        struct iso_violations violations = {.arena = f->arena};
        ProtobufCMessage *message = NULL;
        assert_int_equal(iso_yaml_read(&isocost__v1__egress_rate__descriptor, rates[i],
                                       strlen(rates[i]), f->arena, &violations, &message, NULL),
                         ISO_OK);
        list[i] = (Isocost__V1__EgressRate *)message;
    }
    page.egress_rates = list;
    page.n_egress_rates = 3;
    assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, NULL), ISO_OK);
    Isocost__V1__Snapshot *snapshot = publish(f, true, &record);
    assert_int_equal(snapshot->egress_rate_count, 2);
    assert_int_equal(count_of(snapshot, "duplicate_egress_rate", true), 1);
    struct iso_snapshot *base = map(f, snapshot->digest);
    const Isocost__V1__EgressRate *kept = iso_snapshot_egress_rate(base, 0, f->arena);
    assert_string_equal(kept->provider, "alibaba");
    assert_string_equal(kept->region, "*");
    assert_string_equal(kept->to, "aws/us-east-1");
    assert_int_equal(kept->price_per_gb->nanos, 800000000);

    iso_draft_free(f->draft);
    f->draft = iso_draft_new(NULL);
    page.egress_rates = &list[2];
    page.n_egress_rates = 1;
    list[2]->price_per_gb->nanos = 110000000;
    assert_int_equal(iso_draft_add_page(f->draft, "test", &page, f->arena, NULL), ISO_OK);
    assert_int_equal(iso_draft_add_base(f->draft, base, NULL, NULL), ISO_OK);
    snapshot = publish(f, true, &record);
    assert_int_equal(snapshot->egress_rate_count, 2);
    struct iso_snapshot *after = map(f, snapshot->digest);
    assert_string_equal(iso_snapshot_egress_rate(after, 0, f->arena)->provider, "alibaba");
    assert_int_equal(iso_snapshot_egress_rate(after, 1, f->arena)->price_per_gb->nanos, 110000000);
    iso_snapshot_free(after);
    iso_snapshot_free(base);
}

static void currencies_are_those_of_iso_4217(void **state)
{
    (void)state;
    assert_true(iso_currency_known("USD"));
    assert_true(iso_currency_known("CNY"));
    assert_true(iso_currency_known("AED"));
    assert_true(iso_currency_known("ZWL"));
    assert_false(iso_currency_known("XTS")); /* for tests */
    assert_false(iso_currency_known("XAU")); /* gold */
    assert_false(iso_currency_known("RMB")); /* what people say for CNY */
    assert_false(iso_currency_known("US"));
    assert_false(iso_currency_known("USD "));
    assert_false(iso_currency_known(" US"));
    assert_false(iso_currency_known("D E"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_dirty_row_is_left_out_and_counted_by_its_reason),
        TEST(of_two_rows_with_one_id_the_first_is_kept),
        TEST(defaults_are_filled_in_and_names_folded),
        TEST(a_row_without_resources_stays_and_is_counted),
        TEST(at_most_a_thousand_examples_are_kept_of_each_code),
        TEST(a_plugins_own_diagnostics_count_as_rows_when_they_stand_for_one),
        TEST(rows_of_other_providers_stay),
        TEST(overlays_are_in_the_tenants_snapshot_only),
        TEST(a_bad_overlay_or_rate_is_left_out_with_its_reason),
        TEST(rates_of_a_provider_are_replaced_as_one),
        cmocka_unit_test(currencies_are_those_of_iso_4217),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
