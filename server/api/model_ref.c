#include <errno.h>
#include <fcntl.h>

#include "api_internal.h"
#include "isocost/proto/digest.h"
#include "isocost/proto/wire.h"

struct iso_bytes iso_message_pack(const ProtobufCMessage *message, struct iso_arena *arena)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = iso_arena_calloc(arena, n_bytes + 1, 1);

    if (!bytes)
        return (struct iso_bytes){0};
    protobuf_c_message_pack(message, bytes);
    return (struct iso_bytes){.bytes = bytes, .n_bytes = n_bytes};
}

enum iso_status iso_model_load(struct iso_api *api, const struct iso_principal *principal,
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
    ISO_TRY(iso_store_get_model(api->config.store, principal, digest, arena, &packed, reterr));
    ISO_TRY(iso_wire_decode(&isocost__v1__model__descriptor, packed.bytes, packed.n_bytes, &limits,
                            violations->arena, violations, &model, reterr));
    *ret_model = (const Isocost__V1__Model *)model;
    return ISO_OK;
}

static enum iso_status load_by_plan(struct iso_api *api, const struct iso_principal *principal,
                                    const char *id, struct iso_violations *violations,
                                    const Isocost__V1__Model **ret_model, struct iso_error *reterr)
{
    struct iso_plan_record record;

    ISO_TRY(iso_ulid_check(id, "model.plan_id", reterr));
    ISO_TRY(iso_store_get_plan(api->config.store, principal, id, /* with_lines= */ false,
                               violations->arena, &record, reterr));
    return iso_model_load(api, principal, record.model_digest, violations, ret_model, reterr);
}

enum iso_status iso_model_ref_get(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__ModelRef *ref,
                                  struct iso_violations *violations,
                                  const Isocost__V1__Model **ret_model,
                                  char ret_digest[ISO_DIGEST_TEXT_SIZE], struct iso_error *reterr)
{
    const Isocost__V1__Model *model = NULL;

    if (!ref || ref->ref_case == ISOCOST__V1__MODEL_REF__REF__NOT_SET)
        return iso_fail(reterr, ISO_E_INVALID, "model",
                        "is missing; give a model, a model_digest or a plan_id");
    if (ref->ref_case == ISOCOST__V1__MODEL_REF__REF_MODEL)
        model = ref->model;
    else if (ref->ref_case == ISOCOST__V1__MODEL_REF__REF_MODEL_DIGEST)
        ISO_TRY(iso_model_load(api, principal, ref->model_digest, violations, &model, reterr));
    else
        ISO_TRY(load_by_plan(api, principal, ref->plan_id, violations, &model, reterr));
    iso_model_check(model, "model", violations);
    ISO_TRY(iso_violations_status(violations, reterr));
    ISO_TRY(iso_message_digest(&model->base, NULL, ret_digest, reterr));
    *ret_model = model;
    return ISO_OK;
}

enum iso_status iso_snapshot_open(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__Model *model, const char *digest,
                                  struct iso_arena *arena, int *ret_fd, const char **ret_digest,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = model->catalog;
    struct iso_snapshot_record record;
    struct iso_error error = {0};
    const char *path;
    enum iso_status status;

    *ret_fd = -1;
    *ret_digest = "";
    if (!catalog || (catalog->n_selectors == 0 && catalog->n_snapshot_products == 0))
        return ISO_OK;
    if (!digest[0])
        digest = catalog->snapshot_digest;
    status = iso_store_get_snapshot(api->config.store, principal, digest, arena, &record, &error);
    if (status == ISO_E_NOT_FOUND && !digest[0])
        return ISO_OK; /* resolving says what is missing, with its place */
    if (status == ISO_E_NOT_FOUND)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "model.catalog.snapshot_digest",
                        "the server has no snapshot %.80s", digest);
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    path = iso_store_snapshot_path(api->config.store, record.digest, arena);
    if (!path)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a path");
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*ret_fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "the file of snapshot %.80s cannot be read: %s",
                        record.digest, strerror(errno));
    *ret_digest = record.digest;
    return ISO_OK;
}
