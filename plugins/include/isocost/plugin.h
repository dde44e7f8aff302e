/* The plugin ABI: what a shared object exports to give Isocost a cloud provider's catalog.
 *
 * MAJOR changes when an existing plugin would break, MINOR when a capability or an end of a struct
 * is added. A host takes plugins of its own major version whose minor version is not above its own.
 *   1.0  first version: catalogs with prices and capacity, commitment products, quotas
 *   1.1  HTTP: requests that the host signs, sends and tries again
 *   1.2  usage, costs and inventory
 *   1.3  rates of egress; validity and a note of overlays; size and time of change of files
 *
 * The life of a plugin, all of it in a process of its own and on one thread:
 *
 *     load -> create(config) -> fetch, any number of times -> destroy -> the process ends
 *
 * A plugin is never unloaded. It runs without the right to start processes, to write files outside
 * its cache folder or to read files that its operator did not name. It may crash, hang or lie: the
 * server loses this refresh and keeps the last good catalog.
 *
 * All text is UTF-8 and ends in NUL. Memory that a plugin hands over is borrowed for the call, and
 * so is what it is given, except where said. Structs that the host fills grow at their end, and a
 * plugin never meets a host older than itself; rows and tables that a plugin fills travel with
 * their size. */
#ifndef ISOCOST_PLUGIN_H
#define ISOCOST_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/status.h"
#include "isocost/plugin_rows.h"

#define ISO_ABI_MAJOR 1u
#define ISO_ABI_MINOR 3u

/* What a plugin can give. A host refuses a bit that it does not know or that is reserved. */
enum iso_cap {
    ISO_CAP_CATALOG = 1u << 0,   /* offerings, and products if there are any; needs fetch() */
    ISO_CAP_PRICE = 1u << 1,     /* prices with them; needs fetch() */
    ISO_CAP_CAPACITY = 1u << 2,  /* whether and where they are to be had; needs fetch() */
    ISO_CAP_QUOTA = 1u << 3,     /* quotas; needs fetch() */
    ISO_CAP_USAGE = 1u << 4,     /* samples of use; needs fetch(); since 1.2 */
    ISO_CAP_COST = 1u << 5,      /* what was charged; needs fetch(); since 1.2 */
    ISO_CAP_INVENTORY = 1u << 6, /* what runs now; needs fetch(); since 1.2 */
    ISO_CAP_APPLY = 1u << 7,     /* reserved for good: Isocost plans, it does not buy */
};

/* ---- Parameters ---- */

enum iso_param_type {
    ISO_PARAM_END,
    ISO_PARAM_REAL, /* double */
    ISO_PARAM_INT,  /* int64_t */
    ISO_PARAM_BOOL, /* bool; "true" or "false" */
    ISO_PARAM_TEXT, /* const char *, never NULL; lives as long as the process */
};

/* One row of a parameter table. The host parses and range-checks by it; the reference is written
 * from it. */
struct iso_param {
    int32_t type; /* enum iso_param_type */
    const char *name;
    const char *def;     /* default, as text; NULL: must be given */
    double min, max;     /* closed range of a number, or of the length of a text in bytes */
    const char *unit;    /* "" if there is none */
    const char *choices; /* allowed words of a text with '|' between them; NULL: any text */
    const char *summary; /* one sentence */
    size_t offset;       /* of the member in the plugin's config struct */
};

/* ---- What the host gives ---- */

enum iso_row_kind {
    ISO_ROW_OFFERING,
    ISO_ROW_PRODUCT,
    ISO_ROW_QUOTA,
    ISO_ROW_OVERLAY,
    ISO_ROW_DIAGNOSTIC,
    ISO_ROW_USAGE,
    ISO_ROW_COST,
    ISO_ROW_RUNNING,
    ISO_ROW_EGRESS_RATE, /* since 1.3 */
};

/* Takes rows, any number at a time. A call returns when the rows are copied, and waits while the
 * server is slower than the plugin. After an error every further call fails: return it.
 * Errors: ISO_E_LIMIT (more than 2,000,000 rows, or one row over 1 MiB), ISO_E_CANCELLED,
 * ISO_E_DEADLINE, ISO_E_INVALID, ISO_E_NOMEM, ISO_E_UNAVAILABLE. */
struct iso_sink {
    enum iso_status (*put)(struct iso_sink *sink, int32_t kind, const void *rows, size_t n_rows,
                           size_t row_bytes, struct iso_error *reterr);
};

static inline enum iso_status iso_put_offerings(struct iso_sink *sink,
                                                const struct iso_plugin_offering *rows,
                                                size_t n_rows, struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_OFFERING, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_products(struct iso_sink *sink,
                                               const struct iso_plugin_product *rows, size_t n_rows,
                                               struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_PRODUCT, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_quotas(struct iso_sink *sink,
                                             const struct iso_plugin_quota *rows, size_t n_rows,
                                             struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_QUOTA, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_overlays(struct iso_sink *sink,
                                               const struct iso_plugin_overlay *rows, size_t n_rows,
                                               struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_OVERLAY, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_egress_rates(struct iso_sink *sink,
                                                   const struct iso_plugin_egress_rate *rows,
                                                   size_t n_rows, struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_EGRESS_RATE, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_usage(struct iso_sink *sink,
                                            const struct iso_plugin_usage *rows, size_t n_rows,
                                            struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_USAGE, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_costs(struct iso_sink *sink,
                                            const struct iso_plugin_cost *rows, size_t n_rows,
                                            struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_COST, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_running(struct iso_sink *sink,
                                              const struct iso_plugin_running *rows, size_t n_rows,
                                              struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_RUNNING, rows, n_rows, sizeof(*rows), reterr);
}

static inline enum iso_status iso_put_diagnostics(struct iso_sink *sink,
                                                  const struct iso_plugin_diagnostic *rows,
                                                  size_t n_rows, struct iso_error *reterr)
{
    return sink->put(sink, ISO_ROW_DIAGNOSTIC, rows, n_rows, sizeof(*rows), reterr);
}

enum iso_log_level { ISO_LOG_DEBUG, ISO_LOG_INFO, ISO_LOG_WARNING, ISO_LOG_ERROR };

/* Takes the next bytes of something that is read; an error stops the reading and is passed on. */
typedef enum iso_status (*iso_receive)(void *context, const unsigned char *bytes, size_t n_bytes,
                                       struct iso_error *reterr);

/* Takes the name of one entry of a folder. */
typedef enum iso_status (*iso_receive_name)(void *context, const char *name,
                                            struct iso_error *reterr);

struct iso_http_header {
    const char *name, *value;
};

/* How the host signs a request. The secrets are those of the instance, by the names beside the
 * scheme; a plugin names the scheme and never sees them. */
enum iso_auth_scheme {
    ISO_AUTH_NONE,
    ISO_AUTH_AWS,          /* access_key_id, secret_access_key, [session_token] */
    ISO_AUTH_AWS_S3,       /* the same, as S3 wants it */
    ISO_AUTH_ALIBABA_RPC,  /* access_key_id, access_key_secret, [security_token] */
    ISO_AUTH_ALIBABA_ACS3, /* the same */
    ISO_AUTH_HUAWEI,       /* access_key, secret_key, [security_token] */
    ISO_AUTH_AZURE,        /* tenant_id, client_id, client_secret: a bearer token for `scope` */
    ISO_AUTH_GCP,          /* service_account, the key file's text: likewise */
    ISO_AUTH_GCP_KEY,      /* api_key, as the parameter `key` of the query */
};

struct iso_http_auth {
    int32_t scheme;               /* enum iso_auth_scheme */
    const char *region, *service; /* AWS: required. Huawei: both, and the key is derived for them */
    const char *scope;            /* Azure, Google: of the token */
};

/* What a good answer is. A page of HTML is never one: it comes from something in between. */
enum iso_http_accept {
    ISO_HTTP_ANY,
    ISO_HTTP_JSON,
    ISO_HTTP_XML,
};

/* One request. The host signs it anew for each attempt, follows at most three redirects inside the
 * same origin and none to another, and tries again what may pass: broken connections, answers that
 * end early, 408, 429, 5xx, and what the clouds say when they throttle. */
struct iso_http_request {
    size_t request_bytes; /* sizeof(struct iso_http_request) */
    const char *method;   /* "GET" or "POST" */
    const char *service;  /* name by which the operator may set another base URL; NULL: none */
    const char *url;      /* https; its origin is the only one that is asked */
    const char *link;     /* NULL, or the whole URL that the service gave for the next page: it is
                           * asked instead, if it is of the same origin */
    const struct iso_http_header *headers; /* no credentials of a scheme below */
    size_t n_headers;
    const void *body;
    size_t n_body_bytes;
    struct iso_http_auth auth;
    int32_t accept;      /* enum iso_http_accept */
    bool stream;         /* true: bytes are handed on as they come, for what does not fit into
                          * memory; an answer that then ends early is not asked for again */
    int64_t max_bytes;   /* most bytes of the answer, decoded; 0: 64 MiB */
    iso_receive receive; /* takes the body of a good answer, in pieces; NULL: it is dropped */
    void *receive_context;
};

/* What is known of the last attempt. Also filled when the request fails, as far as it came. */
struct iso_http_response {
    int32_t status; /* 0: there was no answer */
    int32_t n_attempts;
    int64_t retry_after_ms; /* -1: not said */
    char provider_code[64]; /* of an answer that is an error, e.g. "ThrottlingException" */
    const char *error_body; /* its first 64 KiB, or ""; valid until the next request */
    size_t n_error_bytes;
};

/* The host's services. Valid from create() to destroy(). */
struct iso_host {
    uint32_t abi_minor; /* of the host, >= the plugin's */
    uint32_t struct_size;
    void *context;
    const char *instance;        /* name that the operator gave this configuration */
    const char *cache_directory; /* absolute, writable; "" when there is none */

    /* A line for the server's log; no secrets. */
    void (*log)(const struct iso_host *host, int32_t level, const char *text);

    /* Nanoseconds since 1970, UTC. Plugins take the time from here and nowhere else. */
    int64_t (*now_ns)(const struct iso_host *host);

    /* Fills `bytes` with random ones. Errors: ISO_E_IO. */
    enum iso_status (*nonce)(const struct iso_host *host, unsigned char *bytes, size_t n_bytes,
                             struct iso_error *reterr);

    /* Copies a secret with its NUL. The plugin clears the buffer after use. Errors:
     * ISO_E_NOT_FOUND, ISO_E_LIMIT (the buffer is too small). */
    enum iso_status (*secret)(const struct iso_host *host, const char *name, char *buffer,
                              size_t n_buffer_bytes, struct iso_error *reterr);

    /* Sends a request and waits. Only an answer with a status from 200 to 299 is ISO_OK. Errors:
     *   ISO_E_INVALID          the request breaks a rule, or the service says so (4xx)
     *   ISO_E_NOT_FOUND        404, 410; or a secret that the scheme needs is not configured
     *   ISO_E_UNAUTHENTICATED  401, 403, and what the clouds say of wrong or expired keys
     *   ISO_E_DENIED           a redirect or a link to another origin; nothing was sent there
     *   ISO_E_UNAVAILABLE      no good answer after all attempts, or a wait that is too long
     *   ISO_E_LIMIT            the answer is too long
     *   ISO_E_CANCELLED, ISO_E_DEADLINE, ISO_E_NOMEM, or those of receive()
     * The text names origin, path, HTTP status and the service's code, and no secrets.
     * ISO_E_UNSUPPORTED: the plugin was built for version 1.0, where this call did nothing. */
    enum iso_status (*http)(const struct iso_host *host, const struct iso_http_request *request,
                            struct iso_http_response *ret_response, struct iso_error *reterr);

    /* Streams a regular file. Only paths that the operator named can be read. Errors:
     * ISO_E_NOT_FOUND, ISO_E_DENIED, ISO_E_INVALID (a folder, a device), ISO_E_LIMIT (more than
     * `max_bytes`), ISO_E_IO, ISO_E_CANCELLED, ISO_E_DEADLINE, or those of receive(). */
    enum iso_status (*read_file)(const struct iso_host *host, const char *path, int64_t max_bytes,
                                 iso_receive receive, void *receive_context,
                                 struct iso_error *reterr);

    /* Names the regular files of a folder, in order of their bytes. ISO_E_INVALID if `path` is not
     * a folder; otherwise as read_file(). */
    enum iso_status (*list_files)(const struct iso_host *host, const char *path,
                                  iso_receive_name receive, void *receive_context,
                                  struct iso_error *reterr);

    /* True once the caller gave up or the deadline passed. Ask at least once a page. */
    bool (*cancelled)(const struct iso_host *host);

    /* Size and time of change, since 1970, of what read_file() would read. Errors: as there. */
    enum iso_status (*file_facts)(const struct iso_host *host, const char *path, int64_t *ret_bytes,
                                  int64_t *ret_changed_ns, struct iso_error *reterr);
};

/* What to fetch: a sum of bits. */
enum iso_want {
    ISO_WANT_OFFERINGS = 1u << 0, /* overlays and rates of egress too */
    ISO_WANT_PRODUCTS = 1u << 1,
    ISO_WANT_QUOTAS = 1u << 2,
    ISO_WANT_USAGE = 1u << 3,     /* samples that begin in [from_ns, to_ns) */
    ISO_WANT_COSTS = 1u << 4,     /* of periods that begin in [from_ns, to_ns) */
    ISO_WANT_INVENTORY = 1u << 5, /* what runs now */
};

struct iso_fetch {
    uint32_t want;
    double deadline_seconds; /* from the call on; the process is ended soon after it */
    int64_t from_ns, to_ns;  /* since 1970, UTC; both 0 where nothing that is wanted has a time */
};

enum iso_failure_class {
    ISO_FAILURE_BY_STATUS, /* the host takes it from the status */
    ISO_FAILURE_RETRYABLE,
    ISO_FAILURE_PERMANENT,
    ISO_FAILURE_AUTH,
    ISO_FAILURE_QUOTA,
};

/* What more is known about a failed fetch. The host hands it over cleared; all may stay so. */
struct iso_failure {
    int32_t failure_class; /* enum iso_failure_class */
    int32_t http_status;
    int64_t retry_after_ms; /* wait at least this long */
    char provider_code[64];
};

/* ---- The descriptor ---- */

struct iso_plugin {
    uint32_t abi_major, abi_minor, struct_size; /* these three never move: ISO_PLUGIN_HEAD */
    uint32_t param_bytes;                       /* sizeof(struct iso_param) */
    uint32_t caps;                              /* sum of enum iso_cap */
    const char *name;                           /* [a-z0-9][a-z0-9_-]{0,63} */
    const char *version;
    const char *summary;            /* one sentence */
    const struct iso_param *params; /* ends with ISO_PARAM_END; NULL: none */
    size_t config_size;             /* of the config struct */

    /* Makes an instance from a checked config, which lives as long as the process. */
    enum iso_status (*create)(const void *config, const struct iso_host *host, void **ret_instance,
                              struct iso_error *reterr);
    void (*destroy)(void *instance); /* undoes create; accepts NULL */

    /* Needed by every capability. Sends all rows that are wanted and that the plugin has, in any
     * order. An error loses what was sent. `retfailure` is written at most on failure. */
    enum iso_status (*fetch)(void *instance, const struct iso_fetch *what, struct iso_sink *sink,
                             struct iso_failure *retfailure, struct iso_error *reterr);
    /* New members go here, and only here. */
};

#define ISO_PLUGIN_HEAD                                     \
    .abi_major = ISO_ABI_MAJOR, .abi_minor = ISO_ABI_MINOR, \
    .struct_size = sizeof(struct iso_plugin), .param_bytes = sizeof(struct iso_param)

/* The one symbol that a plugin exports. */
ISO_EXPORT extern const struct iso_plugin iso_plugin_v1;

#endif
