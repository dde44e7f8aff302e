/* UploadModel: pieces are put together, checked as a whole, and stored under their digest. */
#include "api_internal.h"
#include "isocost/proto/digest.h"
#include "isocost/proto/wire.h"

struct upload {
    unsigned char *bytes;
    size_t n_bytes, capacity;
};

static void free_upload(void *data)
{
    struct upload *upload = data;

    free(upload->bytes);
    free(upload);
}

static enum iso_status append(struct upload *upload, const ProtobufCBinaryData *chunk,
                              struct iso_error *reterr)
{
    if (chunk->len > ISO_MAX_CHUNK_BYTES)
        return iso_fail(reterr, ISO_E_LIMIT, "chunk", "a chunk has %zu bytes; at most %zu",
                        chunk->len, ISO_MAX_CHUNK_BYTES);
    if (chunk->len > ISO_MAX_UPLOAD_BYTES - upload->n_bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "chunk", "the model has more than %zu bytes in all",
                        ISO_MAX_UPLOAD_BYTES);
    if (upload->n_bytes + chunk->len > upload->capacity) {
        size_t capacity = 2 * (upload->n_bytes + chunk->len);
        unsigned char *grown = iso_realloc(upload->bytes, capacity, 1);

        if (!grown)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for %zu bytes", capacity);
        upload->bytes = grown;
        upload->capacity = capacity;
    }
    if (chunk->len)
        memcpy(upload->bytes + upload->n_bytes, chunk->data, chunk->len);
    upload->n_bytes += chunk->len;
    return ISO_OK;
}

static enum iso_status finish(struct iso_api *api, struct iso_call *call,
                              const struct upload *upload, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_wire_limits limits = ISO_WIRE_LIMITS_MODEL;
    struct iso_audit audit = {.action = "model.upload", .request_id = iso_call_id(call)};
    Isocost__V1__UploadModelResponse response = ISOCOST__V1__UPLOAD_MODEL_RESPONSE__INIT;
    struct iso_violations *violations = iso_call_violations(call);
    char digest[ISO_DIGEST_TEXT_SIZE];
    ProtobufCMessage *model;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the model");
    limits.max_bytes = ISO_MAX_UPLOAD_BYTES;
    ISO_TRY(iso_wire_decode(&isocost__v1__model__descriptor, upload->bytes, upload->n_bytes,
                            &limits, arena, violations, &model, reterr));
    iso_model_check((const Isocost__V1__Model *)model, "model", violations);
    ISO_TRY(iso_violations_status(violations, reterr));
    ISO_TRY(iso_message_digest(model, NULL, digest, reterr));
    ISO_TRY(iso_store_put_model(
        api->config.store, iso_call_principal(call), digest,
        (struct iso_bytes){.bytes = upload->bytes, .n_bytes = upload->n_bytes}, &audit, reterr));
    response.model_digest = digest;
    response.size_bytes = (int64_t)upload->n_bytes;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_upload_model(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__UploadModelRequest *request =
        (const Isocost__V1__UploadModelRequest *)iso_call_request(call);
    struct upload *upload = iso_call_data(call);

    if (!upload) {
        upload = iso_calloc(1, sizeof(*upload));
        if (!upload)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an upload");
        iso_call_set_data(call, upload, free_upload);
    }
    return request ? append(upload, &request->chunk, reterr)
                   : finish(service, call, upload, reterr);
}
