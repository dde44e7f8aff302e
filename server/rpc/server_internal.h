/* The server behind server.h. */
#ifndef ISOCOST_SERVER_RPC_SERVER_INTERNAL_H
#define ISOCOST_SERVER_RPC_SERVER_INTERNAL_H

#include "call_internal.h"
#include "descriptor_index.h"
#include "server.h"

#define ISO_RPC_MAX_METHODS 256
#define ISO_RPC_CORE_MAX_BYTES                                        \
    (32 << 20) /* above every method's own limit, so that ours speaks \
                */
#define ISO_RPC_MAX_METADATA_BYTES (16 << 10)

struct iso_health;

struct iso_rpc_slot {
    const struct iso_rpc_method *method;
    void *service;
    void *registered; /* the core's handle */
};

struct iso_rpc_server {
    struct iso_rpc_config config;
    struct iso_rpc_slot slots[ISO_RPC_MAX_METHODS];
    int n_slots;
    struct iso_descriptor_index *index;
    struct iso_health *health;

    grpc_server *core;
    grpc_completion_queue *queue;
    struct iso_rpc_tag shutdown_tag;
    pthread_t *pollers;
    int n_pollers;
    bool grpc_running, core_started;
    struct iso_worker_pool *workers;
    struct iso_timer_queue *timers;
    char *addresses[ISO_RPC_MAX_LISTENERS];
    int n_addresses;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct iso_call *live; /* open calls */
    int n_open, n_objects; /* objects: armed ones too */
    int64_t n_accepted, n_refused;
    bool draining, drained, stopped;
};

void iso_rpc_server_log(struct iso_rpc_server *server, const char *line);
bool iso_rpc_server_is_draining(struct iso_rpc_server *server);
void iso_rpc_server_count_refused(struct iso_rpc_server *server);

/* listen.c: checks one address, clears the way and binds it. */
enum iso_status iso_rpc_listen(struct iso_rpc_server *server, const char *address,
                               struct iso_error *reterr);

/* method_check.c: every rpc of the served services has a row that fits, and every row an rpc. */
enum iso_status iso_rpc_check_methods(const struct iso_rpc_server *server,
                                      struct iso_error *reterr);

/* health.c and reflection.c: the server's own services. */
enum iso_status iso_health_new(struct iso_rpc_server *server, struct iso_health **ret_health,
                               struct iso_error *reterr);
void iso_health_free(struct iso_health *health);
void iso_health_set(struct iso_health *health, bool serving);
extern const struct iso_rpc_method iso_health_methods[];
extern const struct iso_rpc_method iso_reflection_methods[]; /* service: the descriptor index */

#endif
