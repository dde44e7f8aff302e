/* Into the queue of stored plans. */
#include <unistd.h>

#include "api_internal.h"
#include "message_new.h"

#define RETRY_AFTER_S 5 /* when the queue is full */

enum iso_status iso_request_id_check(const char *request_id, struct iso_error *reterr)
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
                                 const char *request_id, const char *note, int priority,
                                 bool incumbents, const char *id, bool *ret_existing,
                                 struct iso_plan_record *ret_record, struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_audit audit = {.action = "plan.create", .request_id = iso_call_id(call)};
    struct iso_plan_record record = {.id = id,
                                     .state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED,
                                     .create_ns = iso_wall_ns(),
                                     .request_id = request_id,
                                     .model_digest = model_digest,
                                     .incumbents = incumbents};
    char body[ISO_DIGEST_TEXT_SIZE];
    Isocost__V1__Plan *plan;
    enum iso_status status;
    int snapshot_fd;

    ISO_TRY(iso_request_id_check(request_id, reterr));
    ISO_TRY(iso_snapshot_open(api->config.store, principal, model, "", arena, &snapshot_fd,
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
    status = iso_store_create_plan(api->config.store, principal, &record, priority,
                                   iso_message_pack(&model->base, arena), &audit, arena,
                                   ret_existing, ret_record, reterr);
    if (status == ISO_E_LIMIT)
        iso_call_set_retry_after(call, RETRY_AFTER_S);
    return status;
}
