#include "evaluation_end.h"

#include <math.h>

#include "stored.h"

#define EVENTS_AT_ONCE 500
#define CANCEL_TRIES 50

void iso_stored_evaluation_progress(const struct iso_evaluation_record *record,
                                    Isocost__V1__EvaluationProgress *ret_progress)
{
    int64_t until_ns = record->end_ns ? record->end_ns : iso_wall_ns();

    isocost__v1__evaluation_progress__init(ret_progress);
    ret_progress->done = record->n_done;
    ret_progress->total = record->n_scenarios;
    ret_progress->same = record->n_same;
    ret_progress->running = record->n_running;
    ret_progress->seconds = (double)(until_ns - record->create_ns) * 1e-9;
}

/* Notes the points of some events; *ret_after is the last one's number. */
static enum iso_status read_points(const struct iso_event_record *records, int n_records,
                                   enum iso_curve_height height, struct iso_curve_point *points,
                                   int n_points, struct iso_error *reterr)
{
    for (int i = 0; i < n_records; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(16 * records[i].event.n_bytes + (1u << 20));
        const Isocost__V1__EvaluationEvent *event =
            arena ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena),
                                                          records[i].event.n_bytes,
                                                          records[i].event.bytes)
                  : NULL;
        if (!event)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a result");
        if (event->event_case != ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT ||
            event->result->place < 0 || event->result->place >= n_points)
            continue;
        const Isocost__V1__ScenarioResult *result = event->result;
        points[result->place] =
            (struct iso_curve_point){.has_value = result->n_values == 1,
                                     .value = result->n_values == 1 ? result->values[0] : 0,
                                     .height = iso_curve_height_of(height, result)};
    }
    return ISO_OK;
}

/* Only curves have a knee, and those are of 1,000 points at most. */
static enum iso_status find_knee(struct iso_store *store,
                                 const struct iso_evaluation_record *record,
                                 enum iso_curve_height height, int *ret_knee,
                                 struct iso_error *reterr)
{
    int64_t after = 0;
    int n = EVENTS_AT_ONCE;

    *ret_knee = -1;
    if (height == ISO_CURVE_NONE)
        return ISO_OK;
    ISO_AUTO_MEM struct iso_curve_point *points =
        iso_calloc((size_t)record->n_scenarios + 1, sizeof(*points));
    if (!points)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a curve");
    while (n == EVENTS_AT_ONCE) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
        struct iso_event_record *events;

        if (!arena)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for results");
        ISO_TRY(iso_store_list_evaluation_events(store, &record->principal, record->id, after,
                                                 EVENTS_AT_ONCE, arena, &events, &n, reterr));
        ISO_TRY(read_points(events, n, height, points, record->n_scenarios, reterr));
        after = n > 0 ? events[n - 1].sequence : after;
    }
    *ret_knee = iso_curve_knee(points, record->n_scenarios);
    return ISO_OK;
}

static enum iso_status end(struct iso_store *store, const struct iso_evaluation_record *record,
                           Isocost__V1__EvaluationEnd how, int knee, struct iso_arena *arena,
                           struct iso_error *reterr)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationEnded ended = ISOCOST__V1__EVALUATION_ENDED__INIT;
    Isocost__V1__EvaluationProgress progress;
    const struct iso_audit audit = {.action = "evaluation.end", .request_id = ""};

    iso_stored_evaluation_progress(record, &progress);
    progress.running = 0;
    ended.end = how;
    ended.progress = &progress;
    ended.cpu_seconds = (double)record->cpu_us * 1e-6;
    if (knee >= 0) {
        ended.opt_knee_case = ISOCOST__V1__EVALUATION_ENDED__OPT_KNEE_KNEE;
        ended.knee = knee;
    }
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_ENDED;
    event.ended = &ended;
    struct iso_bytes packed = iso_message_pack(&event.base, arena);
    if (!packed.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for an event");
    return iso_store_end_evaluation(store, &record->principal, record->id, record->n_done, packed,
                                    &audit, reterr);
}

enum iso_status iso_stored_evaluation_end(struct iso_store *store,
                                          const struct iso_principal *principal, const char *id,
                                          enum iso_curve_height height, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 20);
    struct iso_evaluation_record record;
    int knee;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to end an evaluation");
    ISO_TRY(iso_store_get_evaluation(store, principal, id, arena, &record, reterr));
    if (record.end_ns != 0 || record.n_done < record.n_scenarios)
        return ISO_OK;
    ISO_TRY(find_knee(store, &record, height, &knee, reterr));
    return end(store, &record, ISOCOST__V1__EVALUATION_END__EVALUATION_END_DONE, knee, arena,
               reterr);
}

static enum iso_status cancel(struct iso_store *store, const struct iso_principal *principal,
                              const char *id, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 20);
    struct iso_evaluation_record record;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to end an evaluation");
    ISO_TRY(iso_store_get_evaluation(store, principal, id, arena, &record, reterr));
    if (record.end_ns != 0)
        return ISO_OK;
    return end(store, &record, ISOCOST__V1__EVALUATION_END__EVALUATION_END_CANCELLED, -1, arena,
               reterr);
}

/* Results may come while the end is written. */
enum iso_status iso_stored_evaluation_cancel(struct iso_store *store,
                                             const struct iso_principal *principal, const char *id,
                                             struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_status status = ISO_E_CONFLICT;

    for (int i = 0; i < CANCEL_TRIES && status == ISO_E_CONFLICT; i++) {
        error = (struct iso_error){0};
        status = cancel(store, principal, id, &error);
    }
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
}
