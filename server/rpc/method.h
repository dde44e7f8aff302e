/* The method table: one row an RPC. At start the rows are checked against the contract's own
 * descriptor set, so that no RPC is without a row and no row is without an RPC. */
#ifndef ISOCOST_SERVER_METHOD_H
#define ISOCOST_SERVER_METHOD_H

#include "call.h"
#include "isocost/proto/wire.h"

enum iso_rpc_kind {
    ISO_RPC_UNARY,
    ISO_RPC_SERVER_STREAM,
    ISO_RPC_CLIENT_STREAM,
    ISO_RPC_BOTH_STREAM, /* read like a client stream, answered like a server stream */
};

enum iso_rpc_flags {
    ISO_RPC_NO_AUTH = 1u << 0,     /* anybody may call it; the project is not looked at */
    ISO_RPC_ON_POLLER = 1u << 1,   /* runs at once on an I/O thread: well under 1 ms, no blocking */
    ISO_RPC_WHILE_DRAIN = 1u << 2, /* also served while the server stops */
    ISO_RPC_END_ON_DRAIN =
        1u << 3,                 /* endless stream: ended with UNAVAILABLE when the server stops */
    ISO_RPC_SAME_WIRE = 1u << 4, /* the row's messages are other types with the same wire form */
};

/* Runs on a worker. ISO_OK: the call was answered or somebody will answer it. Otherwise the call
 * fails with *reterr and the call's violations. Of a client stream it runs for each message in turn
 * and a last time with no message; when it answers or fails earlier, the rest is not read. */
typedef enum iso_status iso_rpc_handler(struct iso_call *call, void *service,
                                        struct iso_error *reterr);

struct iso_rpc_method {
    const char *path; /* "/package.Service/Method"; NULL ends a table */
    enum iso_rpc_kind kind;
    unsigned flags;
    unsigned role; /* the least of enum iso_role that may call; 0 with ISO_RPC_NO_AUTH */
    const ProtobufCMessageDescriptor *request, *response;
    const struct iso_wire_limits *limits; /* of one request message; NULL: the default, 4 MiB */
    double default_timeout_s;             /* when the caller gives none; 0 = none */
    double max_timeout_s;                 /* longer ones are cut; 0 = not cut */
    iso_rpc_handler *handler;
};

#endif
