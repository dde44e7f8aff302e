/* The host's end of the socket to the server: reads requests, sends events. */
#ifndef ISOCOST_PLUGIN_HOST_CHANNEL_H
#define ISOCOST_PLUGIN_HOST_CHANNEL_H

#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/plugin.h"
#include "isocost/proto/frame.h"

#define ISO_CHANNEL_REQUEST 1u /* frame types */
#define ISO_CHANNEL_EVENT 2u
#define ISO_CHANNEL_REQUEST_BYTES (4u << 20) /* most bytes of a request */

struct iso_channel {
    int fd;
    struct iso_frame_reader *reader;
    struct iso_frame_writer *writer;
    uint64_t request_id; /* of the request under way; events carry it */
};

/* `fd` is borrowed. Errors: ISO_E_NOMEM. */
enum iso_status iso_channel_init(struct iso_channel *channel, int fd, struct iso_error *reterr);
void iso_channel_fini(struct iso_channel *channel);

/* Waits for the next request; *ret_request is freed with
 * isocost__internal__v1__host_request__free_unpacked(). Errors: ISO_E_UNAVAILABLE when the server
 * closed, ISO_E_INVALID, ISO_E_IO. */
enum iso_status iso_channel_receive(struct iso_channel *channel,
                                    Isocost__Internal__V1__HostRequest **ret_request,
                                    struct iso_error *reterr);

/* Sends and waits until the socket has taken it. Errors: ISO_E_UNAVAILABLE, ISO_E_IO, ISO_E_NOMEM.
 */
enum iso_status iso_channel_send(struct iso_channel *channel,
                                 const Isocost__Internal__V1__HostEvent *event,
                                 struct iso_error *reterr);

/* Sends the failure of the request under way. `failure` may be NULL. */
enum iso_status iso_channel_fail(struct iso_channel *channel, const struct iso_error *error,
                                 const struct iso_failure *failure);

/* Whether the server closed its end. */
bool iso_channel_closed(const struct iso_channel *channel);

#endif
