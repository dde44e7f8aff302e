#include "http.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "crypto.h"
#include "http_internal.h"

#define DEFAULT_ATTEMPTS 5
#define DEFAULT_RETRY_S 1.0
#define LONGEST_WAIT_S 60.0 /* more is for the server, which comes back later */
#define MAX_REDIRECTS 3
#define POLL_NS 50000000L /* between two looks at whether the caller gave up */

void iso_http_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum iso_status iso_http_new(const struct iso_http_world *world, struct iso_http **ret_http,
                             struct iso_error *reterr)
{
    struct iso_http *http = iso_calloc(1, sizeof(*http));

    if (!http)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for HTTP");
    http->world = *world;
    http->curl = curl_easy_init();
    if (!http->curl) {
        free(http);
        return iso_fail(reterr, ISO_E_BACKEND, "", "the HTTP library did not start");
    }
    *ret_http = http;
    return ISO_OK;
}

void iso_http_free(struct iso_http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->n_tokens; i++) {
        free(http->tokens[i].scope);
        iso_wipe_free(http->tokens[i].text);
    }
    curl_easy_cleanup(http->curl);
    free(http->error_body);
    free(http);
}

/* ---- What is asked, and of whom ---- */

static const char *endpoint_of(const struct iso_http *http, const char *service)
{
    const Isocost__Internal__V1__HttpSettings *settings = http->world.load->http;

    for (size_t i = 0; settings && service && i < settings->n_endpoints; i++)
        if (strcmp(settings->endpoints[i]->key, service) == 0)
            return settings->endpoints[i]->value;
    return NULL;
}

static enum iso_status refuse_origin(const char *what, const struct iso_message *other,
                                     const char *origin, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_DENIED, "url",
                    "%s leads to %.100s, which is not %.100s; nothing was sent there", what,
                    other->origin, origin);
}

/* Replaces the origin by the operator's, its path before the message's. */
static enum iso_status move_to(struct iso_message *message, const char *base,
                               struct iso_error *reterr)
{
    struct iso_message there = {0};
    enum iso_status status = iso_message_set_url(&there, base, reterr);

    if (status == ISO_OK) {
        size_t n = strlen(there.path);
        char *path = NULL;
        n -= n > 0 && there.path[n - 1] == '/';
        status = iso_text_make(&path, reterr, "%.*s%s", (int)n, there.path, message->path);
        if (status == ISO_OK) {
            free(message->path);
            free(message->origin);
            free(message->host);
            message->path = path;
            message->origin = ISO_STEAL(there.origin);
            message->host = ISO_STEAL(there.host);
        }
    }
    iso_message_fini(&there);
    return status;
}

/* The service's own link to the next page. Behind an endpoint of the operator's, services that know
 * of it name that, others the provider's; both are this origin. */
static enum iso_status take_link(const struct iso_http_request *request, const char *base,
                                 struct iso_message *message, struct iso_error *reterr)
{
    struct iso_message first = {0}, moved = {0};
    enum iso_status status = iso_message_set_url(&first, request->url, reterr);
    bool is_moved = false;

    if (status == ISO_OK && base)
        status = iso_message_set_url(&moved, base, reterr);
    if (status == ISO_OK)
        status = iso_message_set_url(message, request->link, reterr);
    if (status == ISO_OK) {
        is_moved = moved.origin && strcmp(message->origin, moved.origin) == 0;
        if (strcmp(message->origin, first.origin) != 0 && !is_moved)
            status = refuse_origin("the link to the next page", message, first.origin, reterr);
    }
    iso_message_fini(&first);
    iso_message_fini(&moved);
    ISO_TRY(status);
    return base && !is_moved ? move_to(message, base, reterr) : ISO_OK;
}

static enum iso_status check_origin(const struct iso_message *message, bool is_operators,
                                    struct iso_error *reterr)
{
    if (strncmp(message->origin, "https:", 6) != 0 && !is_operators)
        return iso_fail(reterr, ISO_E_INVALID, "url", "%.100s is not allowed; https is",
                        message->origin);
    return ISO_OK;
}

static enum iso_status make_message(const struct iso_http *http,
                                    const struct iso_http_request *request,
                                    struct iso_message *message, struct iso_error *reterr)
{
    const char *base = endpoint_of(http, request->service);

    message->method = request->method;
    message->body = request->body;
    message->n_body_bytes = request->n_body_bytes;
    if (request->link) {
        ISO_TRY(take_link(request, base, message, reterr));
    } else {
        ISO_TRY(iso_message_set_url(message, request->url, reterr));
        if (base)
            ISO_TRY(move_to(message, base, reterr));
    }
    for (size_t i = 0; i < request->n_headers; i++)
        ISO_TRY(iso_pairs_add(&message->headers, request->headers[i].name,
                              request->headers[i].value, reterr));
    return check_origin(message, base != NULL, reterr);
}

static enum iso_status check_request(const struct iso_http_request *request,
                                     struct iso_error *reterr)
{
    if (!request->method ||
        (strcmp(request->method, "GET") != 0 && strcmp(request->method, "POST") != 0))
        return iso_fail(reterr, ISO_E_INVALID, "method", "\"%.16s\" is not allowed; GET or POST is",
                        request->method ? request->method : "");
    if (!request->url)
        return iso_fail(reterr, ISO_E_INVALID, "url", "a URL is required");
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct iso_http_header *header = &request->headers[i];
        if (strpbrk(header->name, "\r\n:") || strpbrk(header->value, "\r\n"))
            return iso_fail(reterr, ISO_E_INVALID, "headers", "a header with a line break");
    }
    return ISO_OK;
}

/* Goes where a redirect says, inside the origin. */
static enum iso_status follow(struct iso_message *message, const char *location,
                              struct iso_error *reterr)
{
    ISO_AUTO_MEM char *origin = iso_strdup(message->origin);
    ISO_AUTO_SECRET char *here = iso_message_url(message);
    enum iso_status status;

    if (!origin || !here)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a redirect");
    ISO_AUTO_MEM char *there = iso_url_resolve(here, location);
    if (!there)
        return iso_fail(reterr, ISO_E_DENIED, "url", "a redirect to \"%.100s\", which is no URL",
                        location);
    status = iso_message_set_url(message, there, reterr);
    if (status == ISO_OK && strcmp(message->origin, origin) != 0)
        status = refuse_origin("a redirect", message, origin, reterr);
    return status;
}

/* ---- Attempts ---- */

/* A uniform number in [0, 1). */
static double chance(void)
{
    uint32_t bits = 0;

    iso_random((unsigned char *)&bits, sizeof(bits), /* reterr= */ NULL);
    return bits / 4294967296.0;
}

/* Seconds before attempt `n` (1: the second): as long as the service asks, or a random share of a
 * wait that doubles ("full jitter", Brooker, Exponential Backoff and Jitter, 2015). */
static double wait_before(const struct iso_http *http, int n, int64_t asked_ms)
{
    const Isocost__Internal__V1__HttpSettings *settings = http->world.load->http;
    double longest =
        settings && settings->retry_seconds > 0 ? settings->retry_seconds : DEFAULT_RETRY_S;
    double own = fmin(longest * pow(2, n - 1), LONGEST_WAIT_S) * (0.5 + 0.5 * chance());

    return asked_ms > 0 ? fmax(own, (double)asked_ms / 1000) : own;
}

static enum iso_status pause_for(const struct iso_http *http, double seconds,
                                 struct iso_error *reterr)
{
    const struct iso_http_world *world = &http->world;

    for (double left = seconds; left > 0; left -= POLL_NS / 1e9) {
        double part = fmin(left, POLL_NS / 1e9);
        struct timespec nap = {.tv_nsec = (long)(part * 1e9)};
        ISO_TRY(world->stop(world->context, reterr));
        nanosleep(&nap, NULL);
    }
    return world->stop(world->context, reterr);
}

static void note(struct iso_http *http, struct iso_transfer *transfer,
                 const struct iso_judgement *judgement, struct iso_http_response *response)
{
    bool is_good = judgement->verdict == ISO_VERDICT_GOOD;

    response->status = transfer->status;
    response->n_attempts++;
    response->retry_after_ms = transfer->retry_after_ms;
    memcpy(response->provider_code, judgement->provider_code, sizeof(response->provider_code));
    free(http->error_body);
    http->error_body = NULL;
    response->error_body = "";
    response->n_error_bytes = 0;
    if (!is_good && transfer->body) {
        http->error_body = ISO_STEAL(transfer->body);
        response->error_body = http->error_body;
        response->n_error_bytes = transfer->n_body_bytes;
        transfer->n_body_bytes = 0;
    }
}

static enum iso_status hand_on(const struct iso_transfer *transfer, struct iso_error *reterr)
{
    const struct iso_http_request *request = transfer->request;

    if (request->stream || !request->receive || transfer->n_body_bytes == 0)
        return ISO_OK;
    return request->receive(request->receive_context, (const unsigned char *)transfer->body,
                            transfer->n_body_bytes, reterr);
}

static enum iso_status report(const struct iso_message *message,
                              const struct iso_http_response *response, int64_t skew_s,
                              const struct iso_judgement *judgement, struct iso_error *reterr)
{
    bool is_late = judgement->status == ISO_E_UNAUTHENTICATED && llabs(skew_s) > 300;
    char clock[64] = "", attempts[32] = "";

    if (is_late)
        snprintf(clock, sizeof(clock), "; this machine's clock is %lld seconds off",
                 (long long)-skew_s);
    if (response->n_attempts > 1)
        snprintf(attempts, sizeof(attempts), " after %d attempts", (int)response->n_attempts);
    return iso_fail(reterr, judgement->status, "", "%s %.100s%.80s: %.100s%s%s", message->method,
                    message->origin, message->path, judgement->text, attempts, clock);
}

/* A request under way. */
struct exchange {
    struct iso_http *http;
    const struct iso_http_request *request;
    struct iso_message message;
    struct iso_http_response *response;
    int n_redirects, n_tokens;
};

/* One attempt. *ret_again: the exchange goes on after *ret_wait_s. */
static enum iso_status attempt(struct exchange *exchange, bool is_last, bool *ret_again,
                               double *ret_wait_s, struct iso_error *reterr)
{
    const struct iso_http_request *request = exchange->request;
    struct iso_transfer transfer = {.http = exchange->http, .request = request};
    struct iso_judgement judgement;
    enum iso_status status;

    status = iso_http_authorize(exchange->http, &request->auth, &exchange->message, reterr);
    if (status != ISO_OK) { /* asking for a token may have taken the place of the last answer */
        exchange->response->error_body = "";
        exchange->response->n_error_bytes = 0;
        return status;
    }
    iso_transfer_run(&transfer, &exchange->message);
    iso_http_judge(&transfer, iso_http_has_token(&request->auth), &judgement);
    iso_http_redact(exchange->http, judgement.text);
    iso_http_redact(exchange->http, judgement.provider_code);
    *ret_wait_s =
        wait_before(exchange->http, exchange->response->n_attempts + 1, transfer.retry_after_ms);
    note(exchange->http, &transfer, &judgement, exchange->response);

    if (transfer.stopped != ISO_OK) {
        status =
            iso_fail(reterr, transfer.stopped, transfer.error.field, "%s", transfer.error.text);
    } else if (judgement.verdict == ISO_VERDICT_GOOD) {
        status = hand_on(&transfer, reterr);
    } else if (judgement.verdict == ISO_VERDICT_REDIRECT) {
        *ret_again = true;
        *ret_wait_s = 0;
        status = exchange->n_redirects++ < MAX_REDIRECTS
                     ? follow(&exchange->message, transfer.location, reterr)
                     : iso_fail(reterr, ISO_E_UNAVAILABLE, "url", "more than %d redirects",
                                MAX_REDIRECTS);
    } else if (judgement.verdict == ISO_VERDICT_TOKEN && exchange->n_tokens++ == 0) {
        iso_http_drop_token(exchange->http, &request->auth);
        *ret_again = true;
        *ret_wait_s = 0;
        status = ISO_OK;
    } else {
        double left = exchange->http->world.seconds_left(exchange->http->world.context);
        *ret_again = judgement.verdict == ISO_VERDICT_AGAIN && !is_last &&
                     *ret_wait_s <= fmin(LONGEST_WAIT_S, left);
        status = *ret_again ? ISO_OK
                            : report(&exchange->message, exchange->response, transfer.skew_s,
                                     &judgement, reterr);
    }
    iso_transfer_fini(&transfer);
    return status;
}

static enum iso_status exchange_all(struct exchange *exchange, struct iso_error *reterr)
{
    const Isocost__Internal__V1__HttpSettings *settings = exchange->http->world.load->http;
    const struct iso_http_world *world = &exchange->http->world;
    int n_most = settings && settings->attempts > 0 ? settings->attempts : DEFAULT_ATTEMPTS;
    int n_free = 0; /* attempts that redirects and tokens took */
    bool again = true;

    while (again) {
        double wait_s = 0;
        again = false;
        ISO_TRY(world->stop(world->context, reterr));
        n_free = exchange->n_redirects + exchange->n_tokens;
        ISO_TRY(attempt(exchange, exchange->response->n_attempts + 1 >= n_most + n_free, &again,
                        &wait_s, reterr));
        if (again && wait_s > 0)
            ISO_TRY(pause_for(exchange->http, wait_s, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_http_ask(struct iso_http *http, const struct iso_http_request *request,
                             struct iso_http_response *ret_response, struct iso_error *reterr)
{
    struct iso_http_response response = {.retry_after_ms = -1, .error_body = ""};
    struct iso_http_request own = {0};
    struct exchange exchange = {.http = http, .request = &own, .response = &response};
    enum iso_status status;

    if (request->request_bytes == 0 || request->request_bytes > sizeof(own))
        return iso_fail(reterr, ISO_E_INVALID, "request_bytes",
                        "a request of %zu bytes; this host's have %zu", request->request_bytes,
                        sizeof(own));
    memcpy(&own, request, request->request_bytes);
    status = check_request(&own, reterr);
    if (status == ISO_OK)
        status = make_message(http, &own, &exchange.message, reterr);
    if (status == ISO_OK)
        status = exchange_all(&exchange, reterr);
    iso_message_fini(&exchange.message);
    if (ret_response)
        *ret_response = response;
    return status;
}
