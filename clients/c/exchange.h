/* One call to the server, from its making to its end. */
#ifndef ISOCOST_CLIENT_EXCHANGE_H
#define ISOCOST_CLIENT_EXCHANGE_H

#include "client_internal.h"

struct iso_exchange {
    const struct iso_client *client;
    const struct iso_client_method *method;
    struct iso_client_cancel *cancel;
    grpc_completion_queue *queue;
    grpc_call *core;
    grpc_metadata metadata[2];
    size_t n_metadata;
    struct iso_client_ending ending;
    grpc_byte_buffer *received;
};

/* One batch of each kind may be under way. */
#define ISO_TAG_SEND ((void *)1)
#define ISO_TAG_RECEIVE ((void *)2)
#define ISO_TAG_END ((void *)3)
#define ISO_TAG_INITIAL ((void *)4)

/* After a failure, too, iso_exchange_end() must follow. */
enum iso_status iso_exchange_begin(struct iso_exchange *exchange, const struct iso_client *client,
                                   const struct iso_client_method *method,
                                   const struct iso_client_options *options,
                                   struct iso_error *reterr);
/* Every batch that was started must have been waited for. */
void iso_exchange_end(struct iso_exchange *exchange);

/* The batches here never have two of one kind in flight, so the core cannot refuse them but for
 * illegal metadata, which the server would refuse too. */
bool iso_exchange_start(struct iso_exchange *exchange, const grpc_op *ops, size_t n_ops, void *tag);
bool iso_exchange_wait(struct iso_exchange *exchange, void *tag);
/* Ends an exchange whose first batch was refused. */
enum iso_status iso_exchange_refused(struct iso_exchange *exchange, struct iso_error *reterr);

grpc_byte_buffer *iso_exchange_pack(const ProtobufCMessage *message);
/* Takes exchange->received. NULL when it cannot be read or the arena is full. */
ProtobufCMessage *iso_exchange_unpack(struct iso_exchange *exchange, struct iso_arena *arena);
enum iso_status iso_exchange_bad_answer(const struct iso_exchange *exchange,
                                        struct iso_arena *arena,
                                        struct iso_client_failure *ret_failure,
                                        struct iso_error *reterr);

/* The one answer of a call that ended well: it must be there and readable. */
enum iso_status iso_exchange_answer(struct iso_exchange *exchange, struct iso_arena *arena,
                                    ProtobufCMessage **ret_response,
                                    struct iso_client_failure *ret_failure,
                                    struct iso_error *reterr);

grpc_op iso_op_initial_out(struct iso_exchange *exchange, uint32_t flags);
grpc_op iso_op_initial_in(struct iso_exchange *exchange);
grpc_op iso_op_send(grpc_byte_buffer *message);
grpc_op iso_op_receive(struct iso_exchange *exchange);
grpc_op iso_op_end(struct iso_exchange *exchange);

#endif
