#include <stdio.h>

#include "server_internal.h"

static const struct iso_rpc_method *find_row(const struct iso_rpc_server *server, const char *path)
{
    for (int i = 0; i < server->n_slots; i++)
        if (strcmp(server->slots[i].method->path, path) == 0)
            return server->slots[i].method;
    return NULL;
}

static bool serves(const struct iso_rpc_server *server, const char *prefix)
{
    for (int i = 0; i < server->n_slots; i++)
        if (strncmp(server->slots[i].method->path, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static enum iso_rpc_kind kind_of(const Google__Protobuf__MethodDescriptorProto *method)
{
    bool in = method->has_client_streaming && method->client_streaming;
    bool out = method->has_server_streaming && method->server_streaming;

    if (in)
        return out ? ISO_RPC_BOTH_STREAM : ISO_RPC_CLIENT_STREAM;
    return out ? ISO_RPC_SERVER_STREAM : ISO_RPC_UNARY;
}

static enum iso_status check_row(const struct iso_rpc_method *row, const char *path,
                                 const Google__Protobuf__MethodDescriptorProto *method,
                                 struct iso_error *reterr)
{
    static const char *const kinds[] = {"unary", "server stream", "client stream", "both stream"};

    if (!row)
        return iso_fail(reterr, ISO_E_INVALID, path, "rpc %s is in the contract and has no row",
                        path);
    if (row->kind != kind_of(method))
        return iso_fail(reterr, ISO_E_INVALID, path, "the row of %s says %s; the contract says %s",
                        path, kinds[row->kind], kinds[kind_of(method)]);
    if (!row->handler || !row->request || !row->response)
        return iso_fail(reterr, ISO_E_INVALID, path, "the row of %s is not complete", path);
    if (!(row->flags & ISO_RPC_NO_AUTH) && row->role == 0)
        return iso_fail(reterr, ISO_E_INVALID, path, "the row of %s names no role", path);
    if (!(row->flags & ISO_RPC_SAME_WIRE) &&
        (strcmp(row->request->name, method->input_type + 1) != 0 ||
         strcmp(row->response->name, method->output_type + 1) != 0))
        return iso_fail(reterr, ISO_E_INVALID, path,
                        "the row of %s has messages %s and %s; the contract says %s and %s", path,
                        row->request->name, row->response->name, method->input_type + 1,
                        method->output_type + 1);
    return ISO_OK;
}

enum iso_status iso_rpc_check_methods(const struct iso_rpc_server *server, struct iso_error *reterr)
{
    int n_found = 0;

    for (int f = 0; f < server->index->n_files; f++) {
        const Google__Protobuf__FileDescriptorProto *file = server->index->files[f].proto;

        for (size_t s = 0; s < file->n_service; s++) {
            const Google__Protobuf__ServiceDescriptorProto *service = file->service[s];
            char path[256];

            snprintf(path, sizeof(path), "/%s.%s/", file->package, service->name);
            if (!serves(server, path))
                continue;
            for (size_t m = 0; m < service->n_method; m++) {
                snprintf(path, sizeof(path), "/%s.%s/%s", file->package, service->name,
                         service->method[m]->name);
                ISO_TRY(check_row(find_row(server, path), path, service->method[m], reterr));
                n_found++;
            }
        }
    }
    for (int i = 0; i < server->n_slots && n_found != server->n_slots; i++) {
        const char *path = server->slots[i].method->path;
        char symbol[256];

        snprintf(symbol, sizeof(symbol), "%s", path + 1);
        if (strchr(symbol, '/'))
            *strchr(symbol, '/') = '.';
        if (iso_descriptor_index_symbol(server->index, symbol) < 0)
            return iso_fail(reterr, ISO_E_INVALID, path, "row %s has no rpc in the contract", path);
        if (find_row(server, path) != server->slots[i].method)
            return iso_fail(reterr, ISO_E_INVALID, path, "%s has two rows", path);
    }
    return ISO_OK;
}
