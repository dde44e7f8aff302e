/* What happens to a call before its handler, in this order: request id, drain, authenticate,
 * authorise, admission, deadline. Wire scan and decoding follow on a worker (call_run.c). */
#include <ctype.h>
#include <fcntl.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <sys/random.h>

#include "server_internal.h"

static bool slice_is(grpc_slice slice, const char *text)
{
    return grpc_slice_str_cmp(slice, text) == 0;
}

/* Gives the last value of a key that fits, or false. */
static bool get_metadata(const struct iso_call *call, const char *key, char *value, size_t n_bytes)
{
    for (size_t i = call->metadata.count; i-- > 0;) {
        grpc_slice found = call->metadata.metadata[i].value;

        if (!slice_is(call->metadata.metadata[i].key, key))
            continue;
        if (GRPC_SLICE_LENGTH(found) >= n_bytes) {
            memcpy(value, GRPC_SLICE_START_PTR(found), n_bytes - 1);
            value[n_bytes - 1] = '\0';
        } else {
            memcpy(value, GRPC_SLICE_START_PTR(found), GRPC_SLICE_LENGTH(found));
            value[GRPC_SLICE_LENGTH(found)] = '\0';
        }
        return true;
    }
    return false;
}

static bool is_id(const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return false;
    return n > 0 && n < ISO_CALL_ID_SIZE;
}

static void set_id(struct iso_call *call)
{
    unsigned char random[12] = {0};
    char id[ISO_CALL_ID_SIZE + 1];

    if (get_metadata(call, "x-request-id", id, sizeof(id)) && is_id(id)) {
        memcpy(call->id, id, strlen(id) + 1);
        return;
    }
    if (getrandom(random, sizeof(random), 0) < 0)
        memcpy(random, &call->start_ns, sizeof(call->start_ns));
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(call->id + 2 * i, 3, "%02x", random[i]);
}

static void set_path_and_peer(struct iso_call *call)
{
    char *peer = grpc_call_get_peer(call->core);

    snprintf(call->peer, sizeof(call->peer), "%s",
             !peer || strncmp(peer, "unix", 4) == 0 ? "unix" : peer);
    gpr_free(peer);
    if (call->method) {
        snprintf(call->path, sizeof(call->path), "%s", call->method->path);
    } else {
        size_t n = GRPC_SLICE_LENGTH(call->details.method);
        char raw[sizeof(call->path)];

        n = n < sizeof(raw) ? n : sizeof(raw) - 1;
        memcpy(raw, GRPC_SLICE_START_PTR(call->details.method), n);
        raw[n] = '\0';
        iso_text_clean(call->path, sizeof(call->path), raw);
        for (char *c = call->path; *c; c++)
            if (*c == ' ')
                *c = '?';
    }
}

/* Seconds until `deadline`, or false when there is none. */
static bool seconds_until(gpr_timespec deadline, double *ret_seconds)
{
    gpr_timespec left;

    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
        return false;
    left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    *ret_seconds = (double)left.tv_sec + (double)left.tv_nsec * 1e-9;
    return true;
}

static enum iso_status set_deadline(struct iso_call *call, struct iso_error *reterr)
{
    const struct iso_rpc_method *method = call->method;
    gpr_timespec deadline = method ? call->core_deadline : call->details.deadline;
    double seconds = 0;
    bool given = seconds_until(deadline, &seconds);

    call->deadline_ns = INT64_MAX;
    if (given && seconds <= 0)
        return iso_fail(reterr, ISO_E_DEADLINE, "", "the deadline had passed on arrival");
    if (!given && method && method->default_timeout_s > 0)
        seconds = method->default_timeout_s;
    else if (!given)
        return ISO_OK;
    if (method && method->max_timeout_s > 0 && seconds > method->max_timeout_s)
        seconds = method->max_timeout_s;
    if (seconds > 1e8)
        return ISO_OK;
    call->deadline_ns = call->start_ns + (int64_t)(seconds * 1e9);
    return ISO_OK;
}

/* The only listeners are unix sockets and loopback, whose callers are the machine's own. */
static void authenticate(struct iso_call *call)
{
    struct iso_principal *principal = &call->principal;

    snprintf(principal->tenant, sizeof(principal->tenant), "default");
    snprintf(principal->project, sizeof(principal->project), "default");
    snprintf(principal->subject, sizeof(principal->subject), "%s",
             strcmp(call->peer, "unix") == 0 ? "unix" : "loopback");
    principal->roles = ISO_ROLE_VIEWER | ISO_ROLE_PLANNER | ISO_ROLE_ADMIN;
}

static bool is_project(const char *text)
{
    size_t n = strlen(text);

    if (n == 0 || n > 64 || !(islower((unsigned char)text[0]) || isdigit((unsigned char)*text)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

static enum iso_status authorise(struct iso_call *call, struct iso_error *reterr)
{
    char project[66], shown[66];

    if (!call->method || (call->method->flags & ISO_RPC_NO_AUTH))
        return ISO_OK;
    if (get_metadata(call, "isocost-project", project, sizeof(project))) {
        iso_text_clean(shown, sizeof(shown), project);
        if (!is_project(project))
            return iso_fail(reterr, ISO_E_INVALID, "isocost-project",
                            "the project in metadata is \"%s\"; it must be like "
                            "[a-z0-9][a-z0-9_-]{0,63}",
                            shown);
        memcpy(call->principal.project, project, strlen(project) + 1);
    }
    if (!(call->principal.roles & call->method->role))
        return iso_fail(reterr, ISO_E_DENIED, "", "%s may not call %s in project %s",
                        call->principal.subject, call->path, call->principal.project);
    return ISO_OK;
}

static enum iso_status admit(struct iso_call *call, struct iso_error *reterr)
{
    struct iso_rpc_server *server = call->server;
    int n_open;

    pthread_mutex_lock(&server->mutex);
    n_open = server->n_open;
    pthread_mutex_unlock(&server->mutex);
    if (n_open < server->config.max_calls || (call->method->flags & ISO_RPC_NO_AUTH))
        return ISO_OK;
    iso_rpc_server_count_refused(server);
    iso_call_set_retry_after(call, 1);
    return iso_fail(reterr, ISO_E_LIMIT, "", "%d calls are open already; try again in a second",
                    server->config.max_calls);
}

enum iso_status iso_call_intercept(struct iso_call *call, struct iso_error *reterr)
{
    set_id(call);
    set_path_and_peer(call);
    call->deadline_ns = INT64_MAX;
    if (!call->method)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "", "this server has no method %s", call->path);
    if (iso_rpc_server_is_draining(call->server) && !(call->method->flags & ISO_RPC_WHILE_DRAIN)) {
        iso_rpc_server_count_refused(call->server);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server is shutting down");
    }
    authenticate(call);
    ISO_TRY(authorise(call, reterr));
    ISO_TRY(admit(call, reterr));
    return set_deadline(call, reterr);
}

static const char *end_name(const struct iso_call *call)
{
    if (call->core_cancelled) /* what was answered, if anything, did not arrive */
        return call->deadline_ns <= iso_monotonic_ns() ? "DEADLINE" : "CANCELLED";
    return strncmp(iso_status_name(call->status), "E_", 2) == 0 ? iso_status_name(call->status) + 2
                                                                : "OK";
}

void iso_call_log_end(struct iso_call *call)
{
    char line[1024];

    pthread_mutex_lock(&call->mutex);
    snprintf(line, sizeof(line),
             "%s rpc id=%s method=%s tenant=%s project=%s subject=%s peer=%s code=%s "
             "duration_ms=%.3f request_bytes=%zu response_bytes=%zu messages=%lld",
             call->status == ISO_E_INTERNAL && !call->core_cancelled ? "error" : "info", call->id,
             call->path, call->principal.tenant, call->principal.project, call->principal.subject,
             call->peer, end_name(call), iso_call_elapsed_s(call) * 1e3, call->request_bytes,
             call->response_bytes, (long long)call->n_sent);
    pthread_mutex_unlock(&call->mutex);
    iso_rpc_server_log(call->server, line);
}
