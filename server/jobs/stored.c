#include "stored.h"

#include <time.h>

#include "isocost/proto/wire.h"
#include "message_new.h"

int64_t iso_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum iso_status iso_model_load(struct iso_store *store, const struct iso_principal *principal,
                               const char *digest, struct iso_violations *violations,
                               const Isocost__V1__Model **ret_model, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(2 * ISO_MAX_UPLOAD_BYTES); /* of the packed bytes */
    struct iso_wire_limits limits = ISO_WIRE_LIMITS_MODEL;
    struct iso_bytes packed;
    ProtobufCMessage *model;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the model");
    limits.max_bytes = ISO_MAX_UPLOAD_BYTES;
    ISO_TRY(iso_store_get_model(store, principal, digest, arena, &packed, reterr));
    ISO_TRY(iso_wire_decode(&isocost__v1__model__descriptor, packed.bytes, packed.n_bytes, &limits,
                            violations->arena, violations, &model, reterr));
    *ret_model = (const Isocost__V1__Model *)model;
    return ISO_OK;
}

enum iso_status iso_snapshot_open(struct iso_store *store, const struct iso_principal *principal,
                                  const Isocost__V1__Model *model, const char *digest,
                                  struct iso_arena *arena, int *ret_fd, const char **ret_digest,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = model->catalog;
    struct iso_snapshot_record record;
    struct iso_error error = {0};
    enum iso_status status;

    *ret_fd = -1;
    *ret_digest = "";
    if (!catalog || (catalog->n_selectors == 0 && catalog->n_snapshot_products == 0))
        return ISO_OK;
    if (!digest[0])
        digest = catalog->snapshot_digest;
    status = iso_store_get_snapshot(store, principal, digest, arena, &record, &error);
    if (status == ISO_E_NOT_FOUND && !digest[0])
        return ISO_OK; /* resolving says what is missing, with its place */
    if (status == ISO_E_NOT_FOUND)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "model.catalog.snapshot_digest",
                        "the server has no snapshot %.80s", digest);
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    ISO_TRY(iso_store_open_snapshot(store, &record, ret_fd, reterr));
    *ret_digest = record.digest;
    return ISO_OK;
}

enum iso_status iso_plan_from_record(const struct iso_plan_record *record, struct iso_arena *arena,
                                     Isocost__V1__Plan **ret_plan, struct iso_error *reterr)
{
    Isocost__V1__Plan *plan = isocost__v1__plan__unpack(iso_arena_allocator(arena),
                                                        record->plan.n_bytes, record->plan.bytes);

    if (plan && !plan->digests)
        plan->digests = iso_message_new(arena, &isocost__v1__plan_digests__descriptor);
    if (!plan || !plan->digests)
        return iso_fail(reterr, iso_arena_full(arena) ? ISO_E_LIMIT : ISO_E_INTERNAL, "",
                        "plan %.32s cannot be read", record->id);
    plan->id = iso_arena_strdup(arena, record->id);
    plan->state = (Isocost__V1__PlanState)record->state;
    plan->create_time = iso_timestamp(record->create_ns, arena);
    plan->start_time = iso_timestamp(record->start_ns, arena);
    plan->end_time = iso_timestamp(record->end_ns, arena);
    plan->etag = iso_arena_printf(arena, "%lld", (long long)record->etag);
    plan->request_id = iso_arena_strdup(arena, record->request_id ? record->request_id : "");
    plan->digests->model = iso_arena_strdup(arena, record->model_digest);
    if (iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for plan %.32s", record->id);
    *ret_plan = plan;
    return ISO_OK;
}
