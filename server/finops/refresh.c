/* One refresh: ask the plugin, judge its records, write them where nobody sees them, publish. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "diagnostics.h"
#include "instance.h"
#include "record_check.h"
#include "usage_internal.h"

#define ARENA_BYTES ((size_t)16 << 20)
enum { MAX_EXAMPLES = 5 };

static const uint32_t bit_of_kind[] = {[ISO_RECORD_USAGE] = ISO_INSTANCE_USAGE,
                                       [ISO_RECORD_COST] = ISO_INSTANCE_COST,
                                       [ISO_RECORD_RUNNING] = ISO_INSTANCE_INVENTORY};
static const char *const word_of_kind[] = {
    [ISO_RECORD_USAGE] = "usage", [ISO_RECORD_COST] = "costs", [ISO_RECORD_RUNNING] = "what runs"};

struct refresh {
    struct iso_usage *usage;
    const struct iso_usage_task *task;
    struct iso_arena *arena;
    struct iso_diagnostics *diagnostics;
    bool kinds[ISO_RECORD_RUNNING + 1];
    struct iso_record_set sets[ISO_RECORD_RUNNING + 1]; /* id 0: not begun */
    int64_t n_pages, n_rows;                            /* read; quarantined ones too */
    int64_t n_expected;                                 /* rows that the range had before */
    double begin_s;                                     /* of the first page */
};

static bool cancelled(void *context)
{
    const struct refresh *refresh = context;

    return iso_usage_stopping(refresh->usage) ||
           (refresh->task->cancelled && refresh->task->cancelled(refresh->task->context));
}

/* --- pages --- */

/* The next record of a page by its kind; false: left out. */
static bool check(const struct refresh *refresh, Isocost__Internal__V1__Page *page,
                  enum iso_record_kind kind, size_t i, struct iso_arena *arena,
                  struct iso_record_row *ret_row, struct iso_row_fault *ret_fault)
{
    int64_t from_ns = refresh->task->from_ns, to_ns = refresh->task->to_ns;

    switch (kind) {
    case ISO_RECORD_USAGE:
        return iso_record_check_usage(page->usage[i], from_ns, to_ns, arena, ret_row, ret_fault);
    case ISO_RECORD_COST:
        return iso_record_check_cost(page->costs[i], from_ns, to_ns, arena, ret_row, ret_fault);
    default:
        return iso_record_check_running(page->inventory[i], arena, ret_row, ret_fault);
    }
}

/* Where a record is, as far as it says. */
static const char *place_of(const struct refresh *refresh, const Isocost__Internal__V1__Page *page,
                            enum iso_record_kind kind, size_t i)
{
    const char *place = kind == ISO_RECORD_COST    ? page->costs[i]->place
                        : kind == ISO_RECORD_USAGE ? page->usage[i]->resource
                                                   : page->inventory[i]->resource;

    return place[0] ? place : refresh->task->provider;
}

static enum iso_status take_kind(struct refresh *refresh, Isocost__Internal__V1__Page *page,
                                 enum iso_record_kind kind, size_t n, struct iso_arena *arena,
                                 struct iso_error *reterr)
{
    struct iso_record_row *rows = iso_arena_calloc(arena, n, sizeof(*rows));
    struct iso_row_fault fault;
    int n_good = 0;

    if (n == 0 || !refresh->kinds[kind])
        return ISO_OK;
    if (!rows)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
    for (size_t i = 0; i < n; i++) {
        if (check(refresh, page, kind, i, arena, &rows[n_good], &fault))
            n_good++;
        else
            ISO_TRY(iso_diagnostics_add(refresh->diagnostics, fault.code, /* quarantined= */ true,
                                        place_of(refresh, page, kind, i), fault.text, reterr));
    }
    if (iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
    return iso_store_add_records(refresh->usage->store, &refresh->sets[kind], rows, n_good, reterr);
}

static void tell_progress(const struct refresh *refresh)
{
    Isocost__V1__UsageProgress progress = ISOCOST__V1__USAGE_PROGRESS__INIT;

    if (!refresh->task->progress)
        return;
    progress.pages = refresh->n_pages;
    progress.rows = refresh->n_rows;
    progress.quarantined = iso_diagnostics_quarantined(refresh->diagnostics);
    if (refresh->n_expected > 0 && refresh->n_rows > 0) {
        /* As many rows as before, as fast as so far. */
        double rows_left = (double)(refresh->n_expected - refresh->n_rows);
        progress.opt_seconds_left_case = ISOCOST__V1__USAGE_PROGRESS__OPT_SECONDS_LEFT_SECONDS_LEFT;
        progress.seconds_left =
            fmax(0, rows_left) * (iso_usage_now_s() - refresh->begin_s) / (double)refresh->n_rows;
    }
    refresh->task->progress(refresh->task->context, &progress);
}

static enum iso_status take_page(void *context, Isocost__Internal__V1__Page *page,
                                 struct iso_arena *page_arena, struct iso_error *reterr)
{
    struct refresh *refresh = context;

    refresh->n_pages++;
    refresh->n_rows += (int64_t)(page->n_usage + page->n_costs + page->n_inventory);
    for (size_t i = 0; i < page->n_diagnostics; i++) {
        if (page->diagnostics[i]->quarantined)
            refresh->n_rows += iso_diagnostic_rows(page->diagnostics[i]);
        ISO_TRY(iso_diagnostics_take(refresh->diagnostics, page->diagnostics[i], reterr));
    }
    ISO_TRY(take_kind(refresh, page, ISO_RECORD_USAGE, page->n_usage, page_arena, reterr));
    ISO_TRY(take_kind(refresh, page, ISO_RECORD_COST, page->n_costs, page_arena, reterr));
    ISO_TRY(take_kind(refresh, page, ISO_RECORD_RUNNING, page->n_inventory, page_arena, reterr));
    tell_progress(refresh);
    return ISO_OK;
}

/* --- what is asked for --- */

/* All that the provider can when the task names nothing. */
static enum iso_status choose_kinds(struct refresh *refresh, struct iso_error *reterr)
{
    const struct iso_usage_task *task = refresh->task;
    uint32_t can = 0;
    bool any = false, named = false;

    ISO_TRY(iso_catalog_capabilities(refresh->usage->catalog, task->provider, &can, reterr));
    for (int kind = ISO_RECORD_USAGE; kind <= ISO_RECORD_RUNNING; kind++) {
        named |= task->kinds[kind];
        if (task->kinds[kind] && !(can & bit_of_kind[kind]))
            return iso_fail(reterr, ISO_E_PRECONDITION, "kinds", "provider %.64s cannot tell %s",
                            task->provider, word_of_kind[kind]);
    }
    for (int kind = ISO_RECORD_USAGE; kind <= ISO_RECORD_RUNNING; kind++) {
        refresh->kinds[kind] = named ? task->kinds[kind] : (can & bit_of_kind[kind]) != 0;
        any |= refresh->kinds[kind];
    }
    if (!any)
        return iso_fail(reterr, ISO_E_PRECONDITION, "provider",
                        "provider %.64s has a catalog only: no usage, costs or what runs",
                        task->provider);
    if ((refresh->kinds[ISO_RECORD_USAGE] || refresh->kinds[ISO_RECORD_COST]) &&
        task->from_ns >= task->to_ns)
        return iso_fail(reterr, ISO_E_INVALID, "from",
                        "usage and costs need a range: `from` and a later `to`");
    return ISO_OK;
}

static enum iso_status begin_sets(struct refresh *refresh, struct iso_error *reterr)
{
    const struct iso_usage_task *task = refresh->task;

    for (int kind = ISO_RECORD_USAGE; kind <= ISO_RECORD_RUNNING; kind++) {
        int64_t n_before = 0;

        if (!refresh->kinds[kind])
            continue;
        ISO_TRY(iso_store_count_records(refresh->usage->store, &task->principal, task->provider,
                                        (enum iso_record_kind)kind, task->from_ns, task->to_ns,
                                        &n_before, reterr));
        refresh->n_expected += n_before;
        ISO_TRY(iso_store_begin_records(refresh->usage->store, &task->principal, task->provider,
                                        (enum iso_record_kind)kind, task->from_ns, task->to_ns,
                                        &refresh->sets[kind], reterr));
    }
    return ISO_OK;
}

static enum iso_status fetch(struct refresh *refresh, struct iso_error *reterr)
{
    const struct iso_record_fetch fetch = {
        .provider = refresh->task->provider,
        .usage = refresh->kinds[ISO_RECORD_USAGE],
        .costs = refresh->kinds[ISO_RECORD_COST],
        .inventory = refresh->kinds[ISO_RECORD_RUNNING],
        .from_ns = refresh->task->from_ns,
        .to_ns = refresh->task->to_ns,
        .context = refresh,
        .cancelled = cancelled,
        .page = take_page,
    };

    refresh->begin_s = iso_usage_now_s();
    return iso_catalog_fetch_records(refresh->usage->catalog, &fetch, reterr);
}

/* --- the end --- */

/* The sets that were begun, without gaps. */
static int begun_sets(const struct refresh *refresh,
                      struct iso_record_set ret_sets[ISO_RECORD_RUNNING + 1])
{
    int n = 0;

    for (int kind = ISO_RECORD_USAGE; kind <= ISO_RECORD_RUNNING; kind++)
        if (refresh->sets[kind].id)
            ret_sets[n++] = refresh->sets[kind];
    return n;
}

static enum iso_status make_message(struct refresh *refresh, Isocost__V1__UsageRefresh *message,
                                    struct iso_error *reterr)
{
    const struct iso_usage_task *task = refresh->task;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    message->provider = (char *)task->provider;
    if (task->from_ns < task->to_ns) {
        message->from = iso_usage_time(task->from_ns, refresh->arena);
        message->to = iso_usage_time(task->to_ns, refresh->arena);
    }
    message->create_time =
        iso_usage_time((int64_t)now.tv_sec * 1000000000 + now.tv_nsec, refresh->arena);
    message->pages = refresh->n_pages;
    message->usage_count = refresh->sets[ISO_RECORD_USAGE].n_rows;
    message->cost_count = refresh->sets[ISO_RECORD_COST].n_rows;
    message->running_count = refresh->sets[ISO_RECORD_RUNNING].n_rows;
    message->quarantined = iso_diagnostics_quarantined(refresh->diagnostics);
    iso_diagnostics_counts(refresh->diagnostics, &message->diagnostics, &message->n_diagnostics);
    iso_diagnostics_examples(refresh->diagnostics, &message->examples, &message->n_examples);
    message->kinds = iso_arena_calloc(refresh->arena, ISO_RECORD_RUNNING, sizeof(*message->kinds));
    for (int kind = ISO_RECORD_USAGE; message->kinds && kind <= ISO_RECORD_RUNNING; kind++)
        if (refresh->kinds[kind])
            message->kinds[message->n_kinds++] = (Isocost__V1__RecordKind)kind;
    return iso_arena_full(refresh->arena)
               ? iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a refresh")
               : ISO_OK;
}

static enum iso_status publish(struct refresh *refresh, Isocost__V1__UsageRefresh *message,
                               struct iso_error *reterr)
{
    const struct iso_audit audit = {"usage.refresh", refresh->task->request_id};
    struct iso_record_set sets[ISO_RECORD_RUNNING + 1];
    const Isocost__V1__Diagnostic *first = iso_diagnostics_first(refresh->diagnostics);
    int64_t n_good = 0;
    int n = begun_sets(refresh, sets);

    for (int i = 0; i < n; i++)
        n_good += sets[i].n_rows;
    if (n_good == 0 && first)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "no usable row: %lld were read and all of them left out; the first: "
                        "%.80s: %.200s",
                        (long long)refresh->n_rows, first->place, first->text);
    ISO_TRY(make_message(refresh, message, reterr));
    struct iso_bytes packed = iso_message_pack(&message->base, refresh->arena);
    if (!packed.bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a refresh");
    return iso_store_publish_records(refresh->usage->store, &refresh->task->principal, sets, n,
                                     packed, &audit, reterr);
}

static enum iso_status run(struct refresh *refresh, Isocost__V1__UsageRefresh *message,
                           struct iso_error *reterr)
{
    ISO_TRY(choose_kinds(refresh, reterr));
    ISO_TRY(begin_sets(refresh, reterr));
    ISO_TRY(fetch(refresh, reterr));
    return publish(refresh, message, reterr);
}

static void give_up(struct refresh *refresh, const struct iso_error *error)
{
    struct iso_record_set sets[ISO_RECORD_RUNNING + 1];
    struct iso_error told = {0};
    char text[512];
    int n = begun_sets(refresh, sets);

    iso_store_drop_records(refresh->usage->store, sets, n, NULL); /* else retention finds them */
    snprintf(text, sizeof(text), "refresh of usage of %.64s failed, nothing was changed: %.300s",
             refresh->task->provider, error->text);
    if (refresh->usage->log)
        refresh->usage->log(2, text);
    iso_fail(&told, error->status, error->field, "%.330s; nothing was changed", error->text);
    refresh->task->done(refresh->task->context, NULL, &told);
}

void iso_usage_run_task(struct iso_usage *usage, const struct iso_usage_task *task)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    ISO_AUTO(iso_diagnostics) diagnostics = iso_diagnostics_new(MAX_EXAMPLES);
    struct refresh refresh = {
        .usage = usage, .task = task, .arena = arena, .diagnostics = diagnostics};
    Isocost__V1__UsageRefresh message = ISOCOST__V1__USAGE_REFRESH__INIT;
    struct iso_error error = {0};

    if (!arena || !diagnostics)
        iso_fail(&error, ISO_E_NOMEM, "", "no memory for a refresh");
    else
        run(&refresh, &message, &error);
    if (error.status == ISO_OK)
        task->done(task->context, &message, NULL);
    else
        give_up(&refresh, &error);
}
