#include "remote.h"

#include <string.h>

#define INLINE_MODEL_BYTES_MAX ((size_t)15 << 20) /* of the 16 MiB that a message may have */
#define CHUNK_BYTES ((size_t)1 << 20)

enum iso_exit_code iso_remote_open(struct iso_cli *cli)
{
    struct iso_error error = {0};

    if (cli->client)
        return ISO_EXIT_OK;
    enum iso_status status = iso_client_open(cli->address, &cli->client, &error);
    if (status == ISO_OK)
        return ISO_EXIT_OK;
    iso_cli_complain(cli, &error);
    return status == ISO_E_INVALID ? ISO_EXIT_USAGE : iso_exit_code_of_status(status);
}

struct iso_client_options iso_remote_options(const struct iso_cli *cli)
{
    return (struct iso_client_options){.project = cli->project};
}

static void hint(struct iso_cli *cli, const struct iso_client_failure *failure,
                 enum iso_status status)
{
    bool answered = failure && failure->request_id && *failure->request_id;

    switch (status) {
    case ISO_E_UNAVAILABLE:
        if (answered) /* it runs: what it asks, a provider for example, is away */
            break;
        fprintf(cli->err,
                "The server is %s. Start one with `isocost serve`, name another with --address, "
                "or solve without one: `isocost solve --local -f MODEL`.\n",
                cli->client ? iso_client_target(cli->client) : "not known");
        break;
    case ISO_E_UNAUTHENTICATED: /* of a provider; the server itself has no accounts */
        fputs("The provider refuses what the server shows it: see `secret_files` in the server's "
              "configuration.\n",
              cli->err);
        break;
    case ISO_E_DENIED:
        fputs("Ask whoever runs the server for the right, or name another project with "
              "--project.\n",
              cli->err);
        break;
    case ISO_E_LIMIT:
        if (failure && failure->retry_after_s >= 0)
            fprintf(cli->err, "Try again in %.0f s.\n", failure->retry_after_s);
        break;
    case ISO_E_INTERNAL:
        if (answered)
            fprintf(cli->err, "The server's log tells more about request %s.\n",
                    failure->request_id);
        break;
    default:
        break;
    }
}

enum iso_exit_code iso_remote_complain(struct iso_cli *cli,
                                       const struct iso_client_failure *failure,
                                       const struct iso_error *error,
                                       const struct iso_model_file *file)
{
    const int n = failure ? failure->n_fields : 0;

    for (int i = 0; i < n; i++) {
        if (file)
            iso_model_file_complain(file, failure->fields[i].field, failure->fields[i].text,
                                    cli->err);
        else
            fprintf(cli->err, "isocost: %s: %s\n", failure->fields[i].field,
                    failure->fields[i].text);
    }
    if (n == 0 && file && error->status == ISO_E_INVALID)
        iso_model_file_complain(file, error->field, error->text, cli->err);
    else if (n == 0)
        iso_cli_complain(cli, error);
    hint(cli, failure, error->status);
    return iso_exit_code_of_status(error->status);
}

enum iso_exit_code iso_remote_call(struct iso_cli *cli, const struct iso_client_method *method,
                                   const ProtobufCMessage *request, ProtobufCMessage **ret_response)
{
    struct iso_client_options options = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    enum iso_exit_code code = iso_remote_open(cli);

    if (code != ISO_EXIT_OK)
        return code;
    if (iso_client_call(cli->client, method, &options, request, cli->arena, ret_response, &failure,
                        &error) == ISO_OK)
        return ISO_EXIT_OK;
    return iso_remote_complain(cli, &failure, &error, NULL);
}

enum iso_exit_code
iso_remote_stream(struct iso_cli *cli, const struct iso_client_method *method,
                  const ProtobufCMessage *request,
                  bool (*on_message)(void *context, const ProtobufCMessage *message), void *context)
{
    struct iso_client_options options = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    enum iso_exit_code code = iso_remote_open(cli);

    if (code != ISO_EXIT_OK)
        return code;
    if (iso_client_stream(cli->client, method, &options, request, on_message, context, cli->arena,
                          &failure, &error) == ISO_OK)
        return ISO_EXIT_OK;
    return iso_remote_complain(cli, &failure, &error, NULL);
}

struct model_chunks {
    Isocost__V1__UploadModelRequest request;
    unsigned char *bytes;
    size_t n_bytes, sent;
};

static const ProtobufCMessage *next_chunk(void *context, struct iso_error *reterr)
{
    struct model_chunks *chunks = context;
    size_t n = chunks->n_bytes - chunks->sent;

    (void)reterr;
    if (n == 0)
        return NULL;
    if (n > CHUNK_BYTES)
        n = CHUNK_BYTES;
    chunks->request.chunk.data = chunks->bytes + chunks->sent;
    chunks->request.chunk.len = n;
    chunks->sent += n;
    return &chunks->request.base;
}

static enum iso_exit_code upload(struct iso_cli *cli, const Isocost__V1__Model *model,
                                 size_t n_bytes, char **ret_digest)
{
    struct model_chunks chunks = {.request = ISOCOST__V1__UPLOAD_MODEL_REQUEST__INIT,
                                  .bytes = iso_arena_calloc(cli->arena, n_bytes, 1),
                                  .n_bytes = n_bytes};
    struct iso_client_options options = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    ProtobufCMessage *response;

    if (!chunks.bytes) {
        iso_fail(&error, ISO_E_NOMEM, "", "no memory to send the model");
        return iso_remote_complain(cli, NULL, &error, NULL);
    }
    isocost__v1__model__pack(model, chunks.bytes);
    if (iso_client_upload(cli->client, &ISO_CLIENT_PLAN("UploadModel", upload_model), &options,
                          next_chunk, &chunks, cli->arena, &response, &failure, &error) != ISO_OK)
        return iso_remote_complain(cli, &failure, &error, NULL);
    *ret_digest = ((Isocost__V1__UploadModelResponse *)response)->model_digest;
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_remote_model(struct iso_cli *cli, Isocost__V1__Model *model,
                                    Isocost__V1__ModelRef *ret_reference)
{
    size_t n_bytes = isocost__v1__model__get_packed_size(model);
    enum iso_exit_code code = iso_remote_open(cli);
    char *digest;

    if (code != ISO_EXIT_OK)
        return code;
    isocost__v1__model_ref__init(ret_reference);
    if (n_bytes <= INLINE_MODEL_BYTES_MAX) {
        ret_reference->ref_case = ISOCOST__V1__MODEL_REF__REF_MODEL;
        ret_reference->model = model;
        return ISO_EXIT_OK;
    }
    code = upload(cli, model, n_bytes, &digest);
    if (code != ISO_EXIT_OK)
        return code;
    ret_reference->ref_case = ISOCOST__V1__MODEL_REF__REF_MODEL_DIGEST;
    ret_reference->model_digest = digest;
    return ISO_EXIT_OK;
}
