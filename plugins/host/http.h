/* The HTTP of plugins: one session a host, with its connections, its tokens and its rules.
 *
 *     request -> message -> [sign -> transfer -> judge -> wait] x attempts -> answer or error
 *
 * What is asked is fixed by the request's URL: endpoints that the operator set replace its origin,
 * links of the service are followed inside that origin, redirects likewise. Credentials therefore
 * never leave for another host. */
#ifndef ISOCOST_PLUGIN_HOST_HTTP_H
#define ISOCOST_PLUGIN_HOST_HTTP_H

#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/plugin.h"
#include "message.h"

struct iso_http;

/* What a session needs of its host. `stop` says why to stop, or ISO_OK; it is asked at least once a
 * second. */
struct iso_http_world {
    const Isocost__Internal__V1__LoadRequest *load; /* settings and secrets */
    void *context;
    int64_t (*now_ns)(void *context);
    enum iso_status (*stop)(void *context, struct iso_error *reterr);
    double (*seconds_left)(void *context); /* INFINITY: no deadline */
    void (*log)(void *context, const char *text);
};

/* Once in a process, before its sandbox is closed: libraries read files when they start. */
void iso_http_start(void);

/* Everything is borrowed. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_http_new(const struct iso_http_world *world, struct iso_http **ret_http,
                             struct iso_error *reterr);
void iso_http_free(struct iso_http *http); /* accepts NULL */

/* As struct iso_host's http(). */
enum iso_status iso_http_ask(struct iso_http *http, const struct iso_http_request *request,
                             struct iso_http_response *ret_response, struct iso_error *reterr);

#endif
