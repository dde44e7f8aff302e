#include "draft.h"

#include "diagnostics.h"
#include "hygiene.h"
#include "isocost/proto/timestamp.h"
#include "row_check.h"

enum { MAX_PROVIDERS = 1000, MAX_SOURCES = 100 };
#define ARENA_BYTES ((size_t)256 << 20)

/* Providers that sent rows of one kind: theirs replace what the base has. */
struct provider_set {
    size_t n;
    const char *words[MAX_PROVIDERS];
};

struct iso_draft {
    const Isocost__Internal__V1__HygieneSettings *hygiene; /* borrowed; NULL: the defaults */
    struct iso_arena *arena;                               /* overlays, words, sources */
    struct iso_snapshot_builder *builder;
    struct iso_diagnostics *diagnostics;
    struct provider_set offering_providers, product_providers, quota_providers, rate_providers;
    size_t n_overlays, overlay_capacity;
    Isocost__V1__Overlay **overlays;
    size_t n_sources;
    char *sources[MAX_SOURCES];
    int64_t n_rows, n_offerings, n_products, n_quotas, n_rates;
    int64_t oldest_ns; /* 0 = no row says when */
};

struct iso_draft *iso_draft_new(const Isocost__Internal__V1__HygieneSettings *hygiene)
{
    struct iso_draft *draft = iso_calloc(1, sizeof(*draft));

    if (!draft)
        return NULL;
    draft->hygiene = hygiene;
    draft->arena = iso_arena_new(ARENA_BYTES);
    draft->builder = iso_snapshot_builder_new();
    draft->diagnostics = iso_diagnostics_new(ISO_DRAFT_EXAMPLES);
    if (!draft->arena || !draft->builder || !draft->diagnostics) {
        iso_draft_free(draft);
        return NULL;
    }
    return draft;
}

void iso_draft_free(struct iso_draft *draft)
{
    if (!draft)
        return;
    iso_snapshot_builder_free(draft->builder);
    iso_diagnostics_free(draft->diagnostics);
    iso_arena_free(draft->arena);
    free(draft->overlays);
    free(draft);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a catalog");
}

static bool has_provider(const struct provider_set *set, const char *provider)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->words[i], provider) == 0)
            return true;
    return false;
}

static enum iso_status add_provider(struct iso_draft *draft, struct provider_set *set,
                                    const char *provider, struct iso_error *reterr)
{
    if (has_provider(set, provider))
        return ISO_OK;
    if (set->n == MAX_PROVIDERS)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a catalog holds at most %d providers",
                        MAX_PROVIDERS);
    set->words[set->n] = iso_arena_strdup(draft->arena, provider);
    return set->words[set->n++] ? ISO_OK : no_memory(reterr);
}

static void note_time(struct iso_draft *draft, int64_t observed_ns)
{
    if (observed_ns > 0 && (draft->oldest_ns == 0 || observed_ns < draft->oldest_ns))
        draft->oldest_ns = observed_ns;
}

enum iso_status iso_draft_add_diagnostic(struct iso_draft *draft, const char *code,
                                         bool quarantined, const char *place, const char *text,
                                         struct iso_error *reterr)
{
    return iso_diagnostics_add(draft->diagnostics, code, quarantined, place, text, reterr);
}

enum iso_status iso_draft_add_source(struct iso_draft *draft, const char *source,
                                     struct iso_error *reterr)
{
    for (size_t i = 0; i < draft->n_sources; i++)
        if (strcmp(draft->sources[i], source) == 0)
            return ISO_OK;
    if (draft->n_sources == MAX_SOURCES)
        return ISO_OK; /* information only */
    draft->sources[draft->n_sources] = iso_arena_strdup(draft->arena, source);
    return draft->sources[draft->n_sources++] ? ISO_OK : no_memory(reterr);
}

/* --- the rows of a page --- */

static enum iso_status quarantine(struct iso_draft *draft, const char *source, const char *row,
                                  const struct iso_row_fault *fault, struct iso_arena *arena,
                                  struct iso_error *reterr)
{
    const char *place = iso_arena_printf(arena, "%s: %s", source, row);

    if (!place)
        return no_memory(reterr);
    return iso_draft_add_diagnostic(draft, fault->code, true, place, fault->text, reterr);
}

static enum iso_status quarantine_offering(struct iso_draft *draft, const char *source,
                                           const Isocost__V1__Offering *row,
                                           const struct iso_row_fault *fault,
                                           struct iso_arena *arena, struct iso_error *reterr)
{
    return quarantine(draft, row->source[0] ? row->source : source, iso_row_describe(row, arena),
                      fault, arena, reterr);
}

static enum iso_status note_unknown_resources(struct iso_draft *draft,
                                              const struct iso_snapshot_offering *offering,
                                              struct iso_error *reterr)
{
    bool vcpu = offering->capacity[ISO_RESOURCE_VCPU] != ISO_UNKNOWN;
    bool memory = offering->capacity[ISO_RESOURCE_MEMORY_GIB] != ISO_UNKNOWN;

    if (offering->kind != ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM || (vcpu && memory))
        return ISO_OK;
    return iso_draft_add_diagnostic(
        draft, "resources_unknown", false, offering->id,
        vcpu     ? "memory is unknown; replicas that need it cannot be placed there"
        : memory ? "vcpu is unknown; replicas that need it cannot be placed there"
                 : "vcpu and memory are unknown; replicas that need them cannot be placed there",
        reterr);
}

static enum iso_status add_offering(struct iso_draft *draft, const char *source,
                                    Isocost__V1__Offering *row, struct iso_arena *arena,
                                    struct iso_error *reterr)
{
    int n_nulls = iso_row_clear_nulls(row);
    struct iso_snapshot_offering offering;
    struct iso_row_fault fault;
    struct iso_error error = {0};
    enum iso_status status;

    if (!iso_row_check_offering(row, source, arena, &offering, &fault))
        return iso_arena_full(arena)
                   ? no_memory(reterr)
                   : quarantine_offering(draft, source, row, &fault, arena, reterr);
    if (iso_arena_full(arena))
        return no_memory(reterr);
    if (n_nulls > 0)
        ISO_TRY(iso_draft_add_diagnostic(draft, "null_spelling", false, offering.id,
                                         "a word for nothing was read as nothing", reterr));
    status = iso_snapshot_add_offering(draft->builder, &offering, &error);
    if (status == ISO_E_EXISTS) {
        fault = (struct iso_row_fault){.code = "duplicate_offering",
                                       .text = "an earlier row has the same id and was kept"};
        return quarantine_offering(draft, source, row, &fault, arena, reterr);
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    draft->n_offerings++;
    note_time(draft, offering.observed_ns);
    ISO_TRY(note_unknown_resources(draft, &offering, reterr));
    return add_provider(draft, &draft->offering_providers, offering.provider, reterr);
}

static enum iso_status add_product(struct iso_draft *draft, const char *source,
                                   Isocost__V1__CommitmentProduct *row, struct iso_arena *arena,
                                   struct iso_error *reterr)
{
    struct iso_row_fault fault;
    struct iso_error error = {0};
    enum iso_status status;

    if (!iso_row_check_product(row, arena, &fault))
        return quarantine(draft, row->source[0] ? row->source : source, row->id, &fault, arena,
                          reterr);
    if (iso_arena_full(arena))
        return no_memory(reterr);
    status = iso_snapshot_add_product(draft->builder, row, &error);
    if (status == ISO_E_EXISTS) {
        fault = (struct iso_row_fault){.code = "duplicate_product",
                                       .text = "an earlier row has the same id and was kept"};
        return quarantine(draft, row->source[0] ? row->source : source, row->id, &fault, arena,
                          reterr);
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    draft->n_products++;
    return add_provider(draft, &draft->product_providers, row->provider, reterr);
}

static enum iso_status add_quota(struct iso_draft *draft, const char *source,
                                 Isocost__V1__Quota *row, struct iso_arena *arena,
                                 struct iso_error *reterr)
{
    struct iso_row_fault fault;

    if (!iso_row_check_quota(row, arena, &fault)) {
        const char *name = iso_arena_printf(arena, "quota %.64s/%.64s/%.64s", row->provider,
                                            row->region, row->code);
        return quarantine(draft, source, name ? name : "quota", &fault, arena, reterr);
    }
    if (iso_arena_full(arena))
        return no_memory(reterr);
    ISO_TRY(iso_snapshot_add_quota(draft->builder, row, reterr));
    draft->n_quotas++;
    note_time(draft, iso_timestamp_ns(row->observed_at));
    return add_provider(draft, &draft->quota_providers, row->provider, reterr);
}

static enum iso_status add_rate(struct iso_draft *draft, const char *source,
                                Isocost__V1__EgressRate *row, struct iso_arena *arena,
                                struct iso_error *reterr)
{
    const char *name = iso_arena_printf(arena, "egress %.64s/%.64s > %.64s", row->provider,
                                        row->region[0] ? row->region : "*", row->to);
    struct iso_row_fault fault;
    struct iso_error error = {0};

    source = row->source[0] ? row->source : source;
    if (!name)
        return no_memory(reterr);
    if (!iso_row_check_egress_rate(row, arena, &fault))
        return iso_arena_full(arena) ? no_memory(reterr)
                                     : quarantine(draft, source, name, &fault, arena, reterr);
    if (iso_arena_full(arena))
        return no_memory(reterr);
    enum iso_status status = iso_snapshot_add_egress_rate(draft->builder, row, &error);
    if (status == ISO_E_EXISTS) {
        fault = (struct iso_row_fault){
            .code = "duplicate_egress_rate",
            .text = "an earlier row is of the same places, first day and GB and was kept"};
        return quarantine(draft, source, name, &fault, arena, reterr);
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    draft->n_rates++;
    note_time(draft, iso_timestamp_ns(row->observed_at));
    return add_provider(draft, &draft->rate_providers, row->provider, reterr);
}

/* Overlays wait in the draft's arena, so that the public snapshot can be written without them. */
static enum iso_status hold_overlay(struct iso_draft *draft, const Isocost__V1__Overlay *row,
                                    struct iso_error *reterr)
{
    Isocost__V1__Overlay *copy = iso_arena_copy(draft->arena, &row->base);

    if (draft->n_overlays == draft->overlay_capacity) {
        size_t capacity = 2 * draft->overlay_capacity + 16;
        Isocost__V1__Overlay **larger = iso_realloc(draft->overlays, capacity, sizeof(*larger));
        if (!larger)
            return no_memory(reterr);
        draft->overlays = larger;
        draft->overlay_capacity = capacity;
    }
    if (!copy)
        return no_memory(reterr);
    draft->overlays[draft->n_overlays++] = copy;
    return ISO_OK;
}

static enum iso_status add_overlay(struct iso_draft *draft, const char *source,
                                   Isocost__V1__Overlay *row, struct iso_arena *arena,
                                   struct iso_error *reterr)
{
    struct iso_row_fault fault;

    if (!iso_row_check_overlay(row, arena, &fault)) {
        const char *name = iso_arena_printf(arena, "overlay %.128s", row->note);
        return quarantine(draft, source, name ? name : "overlay", &fault, arena, reterr);
    }
    return hold_overlay(draft, row, reterr);
}

enum iso_status iso_draft_add_page(struct iso_draft *draft, const char *source,
                                   Isocost__Internal__V1__Page *page, struct iso_arena *page_arena,
                                   struct iso_error *reterr)
{
    draft->n_rows += (int64_t)(page->n_offerings + page->n_products + page->n_quotas +
                               page->n_overlays + page->n_egress_rates);
    for (size_t i = 0; i < page->n_diagnostics; i++) {
        const Isocost__V1__Diagnostic *d = page->diagnostics[i];
        if (d->quarantined) /* stands for rows that were not sent */
            draft->n_rows += iso_diagnostic_rows(d);
        ISO_TRY(iso_diagnostics_take(draft->diagnostics, d, reterr));
    }
    for (size_t i = 0; i < page->n_offerings; i++)
        ISO_TRY(add_offering(draft, source, page->offerings[i], page_arena, reterr));
    for (size_t i = 0; i < page->n_products; i++)
        ISO_TRY(add_product(draft, source, page->products[i], page_arena, reterr));
    for (size_t i = 0; i < page->n_quotas; i++)
        ISO_TRY(add_quota(draft, source, page->quotas[i], page_arena, reterr));
    for (size_t i = 0; i < page->n_overlays; i++)
        ISO_TRY(add_overlay(draft, source, page->overlays[i], page_arena, reterr));
    for (size_t i = 0; i < page->n_egress_rates; i++)
        ISO_TRY(add_rate(draft, source, page->egress_rates[i], page_arena, reterr));
    return ISO_OK;
}

struct iso_draft_counts iso_draft_counts(const struct iso_draft *draft)
{
    return (struct iso_draft_counts){
        .rows = draft->n_rows,
        .quarantined = iso_diagnostics_quarantined(draft->diagnostics),
        .good = draft->n_offerings + draft->n_products + draft->n_quotas +
                (int64_t)draft->n_overlays + draft->n_rates,
    };
}

const char *iso_draft_first_fault(const struct iso_draft *draft)
{
    const Isocost__V1__Diagnostic *first = iso_diagnostics_first(draft->diagnostics);
    const char *text =
        first ? iso_arena_printf(draft->arena, "%.150s: %.150s", first->place, first->text) : NULL;

    return text ? text : "";
}

/* --- all rows together --- */

static enum iso_status tell_finding(void *context, const char *code, bool quarantined,
                                    const char *place, const char *text, struct iso_error *reterr)
{
    return iso_draft_add_diagnostic(context, code, quarantined, place, text, reterr);
}

enum iso_status iso_draft_compare(struct iso_draft *draft, struct iso_error *reterr)
{
    ISO_TRY(iso_hygiene_run(draft->hygiene, draft->builder, tell_finding, draft, reterr));
    draft->n_offerings = (int64_t)iso_snapshot_n_added(draft->builder);
    draft->n_products = (int64_t)iso_snapshot_n_added_products(draft->builder);
    return ISO_OK;
}

/* --- the rows that stay --- */

static enum iso_status keep_offerings(struct iso_draft *draft, const struct iso_snapshot *base,
                                      struct iso_error *reterr)
{
    struct iso_snapshot_offering offering;

    for (int32_t i = 0; i < iso_snapshot_n_offerings(base); i++) {
        iso_snapshot_offering(base, i, &offering);
        if (has_provider(&draft->offering_providers, offering.provider))
            continue;
        ISO_TRY(iso_snapshot_add_offering(draft->builder, &offering, reterr));
        draft->n_offerings++;
        note_time(draft, offering.observed_ns);
    }
    return ISO_OK;
}

/* Each record is unpacked into an arena of its own, so that a large base needs little memory. */
static enum iso_status keep_product(struct iso_draft *draft, const struct iso_snapshot *base,
                                    int32_t index, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    Isocost__V1__CommitmentProduct *product =
        arena ? iso_snapshot_product(base, index, arena) : NULL;

    if (!product)
        return no_memory(reterr);
    if (has_provider(&draft->product_providers, product->provider))
        return ISO_OK;
    draft->n_products++;
    return iso_snapshot_add_product(draft->builder, product, reterr);
}

static enum iso_status keep_quota(struct iso_draft *draft, const struct iso_snapshot *base,
                                  int32_t index, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    Isocost__V1__Quota *quota = arena ? iso_snapshot_quota(base, index, arena) : NULL;

    if (!quota)
        return no_memory(reterr);
    if (has_provider(&draft->quota_providers, quota->provider))
        return ISO_OK;
    draft->n_quotas++;
    note_time(draft, iso_timestamp_ns(quota->observed_at));
    return iso_snapshot_add_quota(draft->builder, quota, reterr);
}

static enum iso_status keep_rate(struct iso_draft *draft, const struct iso_snapshot *base,
                                 int32_t index, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    Isocost__V1__EgressRate *rate = arena ? iso_snapshot_egress_rate(base, index, arena) : NULL;

    if (!rate)
        return no_memory(reterr);
    if (has_provider(&draft->rate_providers, rate->provider))
        return ISO_OK;
    draft->n_rates++;
    note_time(draft, iso_timestamp_ns(rate->observed_at));
    return iso_snapshot_add_egress_rate(draft->builder, rate, reterr);
}

enum iso_status iso_draft_replace_overlays(struct iso_draft *draft,
                                           const struct iso_snapshot *overlay_base,
                                           struct iso_error *reterr)
{
    draft->n_overlays = 0;
    for (int32_t i = 0; i < iso_snapshot_n_overlays(overlay_base); i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
        Isocost__V1__Overlay *overlay = arena ? iso_snapshot_overlay(overlay_base, i, arena) : NULL;
        if (!overlay)
            return no_memory(reterr);
        ISO_TRY(hold_overlay(draft, overlay, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_draft_add_base(struct iso_draft *draft, const struct iso_snapshot *base,
                                   const struct iso_snapshot *overlay_base,
                                   struct iso_error *reterr)
{
    if (base) {
        ISO_TRY(keep_offerings(draft, base, reterr));
        for (int32_t i = 0; i < iso_snapshot_n_products(base); i++)
            ISO_TRY(keep_product(draft, base, i, reterr));
        for (int32_t i = 0; i < iso_snapshot_n_quotas(base); i++)
            ISO_TRY(keep_quota(draft, base, i, reterr));
        for (int32_t i = 0; i < iso_snapshot_n_egress_rates(base); i++)
            ISO_TRY(keep_rate(draft, base, i, reterr));
    }
    return overlay_base && draft->n_overlays == 0
               ? iso_draft_replace_overlays(draft, overlay_base, reterr)
               : ISO_OK;
}

bool iso_draft_has_overlays(const struct iso_draft *draft)
{
    return draft->n_overlays > 0;
}

/* --- publishing --- */

static void describe(const struct iso_draft *draft, const char *digest, bool with_overlays,
                     int64_t create_ns, struct iso_arena *arena, Isocost__V1__Snapshot *snapshot)
{
    isocost__v1__snapshot__init(snapshot);
    snapshot->digest = iso_arena_strdup(arena, digest);
    snapshot->create_time = iso_timestamp(create_ns, arena);
    snapshot->offering_count = draft->n_offerings;
    snapshot->product_count = draft->n_products;
    snapshot->quota_count = draft->n_quotas;
    snapshot->overlay_count = with_overlays ? (int64_t)draft->n_overlays : 0;
    snapshot->egress_rate_count = draft->n_rates;
    snapshot->row_count = draft->n_rows;
    snapshot->oldest_observation = iso_timestamp(draft->oldest_ns, arena);
    snapshot->sources = (char **)draft->sources;
    snapshot->n_sources = draft->n_sources;
    iso_diagnostics_counts(draft->diagnostics, &snapshot->diagnostics, &snapshot->n_diagnostics);
}

enum iso_status iso_draft_publish(struct iso_draft *draft, const char *folder, bool with_overlays,
                                  int64_t create_ns, struct iso_arena *arena,
                                  struct iso_snapshot_record *ret_record,
                                  Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr)
{
    Isocost__V1__ListDiagnosticsResponse diagnostics = ISOCOST__V1__LIST_DIAGNOSTICS_RESPONSE__INIT;
    Isocost__V1__Snapshot *snapshot = iso_arena_calloc(arena, 1, sizeof(*snapshot));
    struct iso_snapshot_record record = {.create_ns = create_ns};
    char digest[ISO_DIGEST_TEXT_SIZE];

    if (!snapshot)
        return no_memory(reterr);
    iso_snapshot_clear_overlays(draft->builder);
    for (size_t i = 0; with_overlays && i < draft->n_overlays; i++)
        ISO_TRY(iso_snapshot_add_overlay(draft->builder, draft->overlays[i], reterr));
    ISO_TRY(iso_snapshot_write(draft->builder, folder, digest, reterr));
    describe(draft, digest, with_overlays, create_ns, arena, snapshot);
    iso_diagnostics_examples(draft->diagnostics, &diagnostics.diagnostics,
                             &diagnostics.n_diagnostics);
    iso_diagnostics_counts(draft->diagnostics, &diagnostics.counts, &diagnostics.n_counts);
    record.digest = snapshot->digest;
    record.snapshot = iso_message_pack(&snapshot->base, arena);
    record.diagnostics = iso_message_pack(&diagnostics.base, arena);
    if (iso_arena_full(arena))
        return no_memory(reterr);
    *ret_record = record;
    *ret_snapshot = snapshot;
    return ISO_OK;
}
