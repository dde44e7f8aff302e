/* Into the queue of stored plans, and out of it before the end. */
#include <unistd.h>

#include "message_new.h"
#include "plan_run.h"

static enum iso_status check_request_id(const char *request_id, struct iso_error *reterr)
{
    size_t n = strlen(request_id);

    if (n > 128 || strspn(request_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789._-") != n)
        return iso_fail(reterr, ISO_E_INVALID, "request_id",
                        "\"%.40s\" has %zu characters; it must be 1 to 128 of A-Z a-z 0-9 . _ -",
                        request_id, n);
    return ISO_OK;
}

static void digest_body(const char *model_digest, const char *note, char text[ISO_DIGEST_TEXT_SIZE])
{
    unsigned char bytes[ISO_SHA256_BYTES];
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, model_digest, strlen(model_digest) + 1);
    iso_sha256_update(&sha, note, strlen(note));
    iso_sha256_final(&sha, bytes);
    iso_digest_text(bytes, text);
}

static Isocost__V1__Plan *new_plan(const Isocost__V1__Model *model, const char *note,
                                   struct iso_arena *arena)
{
    Isocost__V1__Plan *plan = iso_message_new(arena, &isocost__v1__plan__descriptor);

    if (!plan)
        return NULL;
    plan->display_name = model->display_name;
    plan->note = iso_arena_strdup(arena, note);
    plan->options = model->options;
    plan->labels = iso_arena_calloc(arena, model->n_labels + 1, sizeof(plan->labels[0]));
    for (size_t i = 0; plan->labels && i < model->n_labels; i++) {
        Isocost__V1__Plan__LabelsEntry *entry =
            iso_message_new(arena, &isocost__v1__plan__labels_entry__descriptor);

        if (!entry)
            return NULL;
        entry->key = model->labels[i]->key;
        entry->value = model->labels[i]->value;
        plan->labels[plan->n_labels++] = entry;
    }
    return iso_arena_full(arena) ? NULL : plan;
}

enum iso_status iso_plan_enqueue(struct iso_api *api, struct iso_call *call,
                                 const Isocost__V1__Model *model, const char *model_digest,
                                 const char *request_id, const char *note, const char *id,
                                 bool *ret_existing, struct iso_plan_record *ret_record,
                                 struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_audit audit = {.action = "plan.create", .request_id = iso_call_id(call)};
    struct iso_plan_record record = {.id = id,
                                     .state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED,
                                     .create_ns = iso_wall_ns(),
                                     .request_id = request_id,
                                     .model_digest = model_digest};
    char body[ISO_DIGEST_TEXT_SIZE];
    Isocost__V1__Plan *plan;
    int snapshot_fd;

    ISO_TRY(check_request_id(request_id, reterr));
    ISO_TRY(iso_snapshot_open(api, principal, model, "", arena, &snapshot_fd,
                              &record.snapshot_digest, reterr));
    if (snapshot_fd >= 0)
        close(snapshot_fd);
    plan = new_plan(model, note, arena);
    if (!plan)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the plan");
    digest_body(model_digest, note, body);
    record.body_digest = body;
    record.labels = iso_plan_labels(plan, arena);
    record.plan = iso_message_pack(&plan->base, arena);
    record.lines = (struct iso_bytes){.bytes = (const unsigned char *)"", .n_bytes = 0};
    if (iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the plan");
    return iso_store_create_plan(api->config.store, principal, &record,
                                 iso_message_pack(&model->base, arena), &audit, arena, ret_existing,
                                 ret_record, reterr);
}

/* Stops a run; false when this process does not run the plan. claims held. */
static bool stop_run(struct iso_api *api, const struct iso_principal *principal, const char *id)
{
    bool found = false;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_run *run = api->runs; run && !found; run = run->next) {
        if (!iso_same_plan(&run->principal, run->plan_id, principal, id))
            continue;
        found = true;
        run->cancelled = true;
        if (run->job)
            iso_job_stop(run->job, ISO_STOP_CANCEL);
    }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

enum iso_status iso_plan_stop(struct iso_api *api, const struct iso_principal *principal,
                              const char *id, const char *call_id, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_audit audit = {.action = "plan.cancel", .request_id = call_id};
    struct iso_plan_record record;
    enum iso_status status = ISO_OK;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to stop a plan");
    pthread_mutex_lock(&api->claims);
    if (!stop_run(api, principal, id)) {
        status = iso_store_get_plan(api->config.store, principal, id, /* with_lines= */ false,
                                    arena, &record, reterr);
        if (status == ISO_OK && record.state != ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED) {
            status = iso_fail(reterr, ISO_E_PRECONDITION, "id", "plan %.32s has ended already", id);
        } else if (status == ISO_OK) {
            record.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED;
            record.end_ns = iso_wall_ns();
            status = iso_store_update_plan(api->config.store, principal, &record, /* attempt= */ -1,
                                           &audit, reterr);
        }
    }
    pthread_mutex_unlock(&api->claims);
    return status;
}
