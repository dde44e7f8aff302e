#include <stdio.h>
#include <strings.h>

#include "crypto.h"
#include "http_internal.h"

#define MAX_LOCATION_BYTES 8192

static const Isocost__Internal__V1__HttpSettings *settings_of(const struct iso_http *http)
{
    static const Isocost__Internal__V1__HttpSettings defaults =
        ISOCOST__INTERNAL__V1__HTTP_SETTINGS__INIT;

    return http->world.load->http ? http->world.load->http : &defaults;
}

static bool is_good(int32_t status)
{
    return status >= 200 && status <= 299;
}

static void stop(struct iso_transfer *transfer, enum iso_status status, const char *text)
{
    transfer->stopped = iso_fail(&transfer->error, status, "", "%s", text);
}

/* ---- Headers ---- */

/* Seconds or a date, RFC 9110 section 10.2.3. */
static int64_t read_wait_ms(const char *value, int64_t now_s)
{
    char *end;
    double seconds = strtod(value, &end);

    if (end != value && (*end == '\0' || *end == ' '))
        return seconds >= 0 && seconds < 1e9 ? (int64_t)(seconds * 1000) : -1;
    time_t when = curl_getdate(value, NULL);
    if (when == (time_t)-1)
        return -1;
    return (int64_t)when > now_s ? ((int64_t)when - now_s) * 1000 : 0;
}

/* Azure's Cost Management has one of several names that end so. */
static bool is_azure_wait(const char *name)
{
    static const char end[] = "retry-after";
    size_t n = strlen(name);

    return strncasecmp(name, "x-ms-ratelimit-", 15) == 0 && n >= sizeof(end) &&
           strcasecmp(name + n - (sizeof(end) - 1), end) == 0;
}

static void take_wait(struct iso_transfer *transfer, int64_t wait_ms)
{
    if (wait_ms > transfer->retry_after_ms)
        transfer->retry_after_ms = wait_ms;
}

static void take_header(struct iso_transfer *transfer, const char *name, const char *value)
{
    const struct iso_http_world *world = &transfer->http->world;
    int64_t now_s = world->now_ns(world->context) / INT64_C(1000000000);

    if (strcasecmp(name, "Retry-After") == 0 || is_azure_wait(name)) {
        take_wait(transfer, read_wait_ms(value, now_s));
    } else if (strcasecmp(name, "x-ms-retry-after-ms") == 0 ||
               strcasecmp(name, "retry-after-ms") == 0) {
        int64_t wait_ms = read_wait_ms(value, now_s);
        take_wait(transfer, wait_ms < 0 ? wait_ms : wait_ms / 1000);
    } else if (strcasecmp(name, "Location") == 0 && strlen(value) < MAX_LOCATION_BYTES) {
        free(transfer->location);
        transfer->location = iso_strdup(value);
    } else if (strcasecmp(name, "Content-Type") == 0) {
        free(transfer->content_type);
        transfer->content_type = iso_strdup(value);
    } else if (strcasecmp(name, "Date") == 0) {
        time_t when = curl_getdate(value, NULL);
        transfer->skew_s = when == (time_t)-1 ? 0 : (int64_t)when - now_s;
    }
}

static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
    char line[MAX_LOCATION_BYTES + 64];
    size_t n_bytes = size * n, n_line = n_bytes;

    while (n_line > 0 && strchr("\r\n \t", bytes[n_line - 1]))
        n_line--;
    if (n_line >= sizeof(line))
        return n_bytes; /* no header that counts is so long */
    memcpy(line, bytes, n_line);
    line[n_line] = '\0';
    char *colon = strchr(line, ':');
    if (colon) {
        *colon = '\0';
        take_header(context, line, colon + 1 + strspn(colon + 1, " \t"));
    }
    return n_bytes;
}

/* ---- The body ---- */

static bool keep(struct iso_transfer *transfer, const char *bytes, size_t n_bytes)
{
    size_t needed = transfer->n_body_bytes + n_bytes + 1;

    if (needed > transfer->n_body_room) {
        size_t room = needed > 2 * transfer->n_body_room ? needed : 2 * transfer->n_body_room;
        char *body = iso_realloc(transfer->body, room, 1);
        if (!body) {
            stop(transfer, ISO_E_NOMEM, "no memory for an answer");
            return false;
        }
        transfer->body = body;
        transfer->n_body_room = room;
    }
    memcpy(transfer->body + transfer->n_body_bytes, bytes, n_bytes);
    transfer->n_body_bytes += n_bytes;
    transfer->body[transfer->n_body_bytes] = '\0';
    return true;
}

static bool keep_error(struct iso_transfer *transfer, const char *bytes, size_t n_bytes)
{
    size_t left = ISO_HTTP_ERROR_BYTES - transfer->n_body_bytes;

    return keep(transfer, bytes, n_bytes < left ? n_bytes : left);
}

bool iso_transfer_is_wrong_page(const struct iso_transfer *transfer)
{
    return transfer->request->accept != ISO_HTTP_ANY && transfer->content_type &&
           strncasecmp(transfer->content_type, "text/html", 9) == 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct iso_transfer *transfer = context;
    const struct iso_http_request *request = transfer->request;
    int64_t most = request->max_bytes > 0 ? request->max_bytes : ISO_HTTP_DEFAULT_BYTES;
    size_t n_bytes = size * n;
    long status = 0;

    curl_easy_getinfo(transfer->http->curl, CURLINFO_RESPONSE_CODE, &status);
    transfer->n_bytes += (int64_t)n_bytes;
    if (!is_good((int32_t)status) || iso_transfer_is_wrong_page(transfer))
        return keep_error(transfer, bytes, n_bytes) ? n_bytes : 0;
    if (transfer->n_bytes > most) {
        char text[96];
        snprintf(text, sizeof(text), "the answer has more than %lld bytes", (long long)most);
        stop(transfer, ISO_E_LIMIT, text);
        return 0;
    }
    if (!request->stream)
        return keep(transfer, bytes, n_bytes) ? n_bytes : 0;
    transfer->handed_on = true;
    if (request->receive) {
        transfer->stopped = request->receive(request->receive_context, (unsigned char *)bytes,
                                             n_bytes, &transfer->error);
        if (transfer->stopped != ISO_OK)
            iso_fail(&transfer->error, transfer->stopped, "", "the answer was not taken");
    }
    return transfer->stopped == ISO_OK ? n_bytes : 0;
}

static int on_progress(void *context, curl_off_t n_to_get, curl_off_t n_got, curl_off_t n_to_put,
                       curl_off_t n_put)
{
    struct iso_transfer *transfer = context;
    const struct iso_http_world *world = &transfer->http->world;

    (void)n_to_get, (void)n_got, (void)n_to_put, (void)n_put;
    if (transfer->stopped == ISO_OK)
        transfer->stopped = world->stop(world->context, &transfer->error);
    return transfer->stopped != ISO_OK;
}

/* ---- The request ---- */

static void set_way(struct iso_http *http)
{
    const Isocost__Internal__V1__HttpSettings *settings = settings_of(http);
    double connect_s = settings->connect_timeout_seconds, idle_s = settings->idle_timeout_seconds;
    CURL *curl = http->curl;

    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)((connect_s > 0 ? connect_s : 10) * 1000));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(idle_s >= 1 ? idle_s : 60));
    curl_easy_setopt(curl, CURLOPT_PROXY, settings->proxy); /* "": none, whatever is around */
    if (settings->ca_file[0]) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    for (size_t i = 0; i < http->world.load->n_secrets; i++) {
        const Isocost__Internal__V1__ConfigValue *secret = http->world.load->secrets[i];
        if (strcmp(secret->name, "proxy_user") == 0)
            curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, secret->value);
        if (strcmp(secret->name, "proxy_password") == 0)
            curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD, secret->value);
    }
}

/* "Name: value" lines, and no "Expect: 100-continue", for which some proxies wait. */
static bool add_headers(const struct iso_message *message, struct curl_slist **ret_list)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list && i < message->headers.n; i++) {
        const struct iso_pair *pair = &message->headers.list[i];
        ISO_AUTO_SECRET char *line = NULL;
        struct curl_slist *longer = NULL;
        if (iso_text_make(&line, NULL, "%s: %s", pair->name, pair->value) == ISO_OK)
            longer = curl_slist_append(list, line);
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    *ret_list = list;
    return list != NULL;
}

static void set_request(struct iso_transfer *transfer, const struct iso_message *message,
                        const char *url, struct curl_slist *headers)
{
    CURL *curl = transfer->http->curl;
    bool is_post = strcmp(message->method, "POST") == 0;

    curl_easy_reset(curl); /* connections stay */
    set_way(transfer->http);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "isocost/" ISO_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (is_post) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message->n_body_bytes);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, message->body ? message->body : "");
    }
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

static void forget_list(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line; line = line->next)
        iso_wipe(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

void iso_transfer_run(struct iso_transfer *transfer, const struct iso_message *message)
{
    ISO_AUTO_SECRET char *url = iso_message_url(message);
    struct curl_slist *headers = NULL;
    long status = 0;

    transfer->retry_after_ms = -1;
    if (!url || !add_headers(message, &headers)) {
        stop(transfer, ISO_E_NOMEM, "no memory for a request");
        return;
    }
    set_request(transfer, message, url, headers);
    transfer->code = curl_easy_perform(transfer->http->curl);
    if (curl_easy_getinfo(transfer->http->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        transfer->status = (int32_t)status;
    curl_easy_setopt(transfer->http->curl, CURLOPT_HTTPHEADER, NULL);
    forget_list(headers);
}

void iso_transfer_fini(struct iso_transfer *transfer)
{
    free(transfer->location);
    free(transfer->content_type);
    if (transfer->body)
        iso_wipe(transfer->body, transfer->n_body_bytes); /* it may be a token */
    free(transfer->body);
    *transfer = (struct iso_transfer){0};
}
