/* The services behind struct iso_host. */
#ifndef ISOCOST_PLUGIN_HOST_SERVICES_H
#define ISOCOST_PLUGIN_HOST_SERVICES_H

#include "channel.h"
#include "http.h"

struct iso_services {
    struct iso_host host; /* what the plugin sees */
    struct iso_channel *channel;
    const Isocost__Internal__V1__LoadRequest *load; /* borrowed; instance, secrets, cache */
    int64_t deadline_ns;                            /* on the monotonic clock; 0: none */
    bool said_cancelled;
    uint32_t plugin_minor;   /* of the ABI that the plugin was built for */
    int64_t clock_offset_ns; /* what the plugin's clock is ahead */
    struct iso_http *http;   /* owned */
};

/* Everything is borrowed and must outlive the services. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_services_init(struct iso_services *services, struct iso_channel *channel,
                                  const Isocost__Internal__V1__LoadRequest *load,
                                  uint32_t plugin_minor, struct iso_error *reterr);
void iso_services_fini(struct iso_services *services);

/* From now on cancelled() is true after `seconds`, and soon after that the kernel ends the
 * process; 0 takes the deadline away. */
void iso_services_set_deadline(struct iso_services *services, double seconds);

/* ISO_OK, or the reason to stop: ISO_E_CANCELLED, ISO_E_DEADLINE. */
enum iso_status iso_services_check(struct iso_services *services, struct iso_error *reterr);

#endif
