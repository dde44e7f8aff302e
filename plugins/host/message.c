#include "message.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "crypto.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a request");
}

static void pair_fini(struct iso_pair *pair)
{
    iso_wipe_free(pair->name);
    iso_wipe_free(pair->value);
}

enum iso_status iso_pairs_add(struct iso_pairs *pairs, const char *name, const char *value,
                              struct iso_error *reterr)
{
    struct iso_pair pair;

    if (pairs->n == pairs->room) {
        size_t room = pairs->room ? 2 * pairs->room : 8;
        struct iso_pair *list = iso_realloc(pairs->list, room, sizeof(*list));
        if (!list)
            return no_memory(reterr);
        pairs->list = list;
        pairs->room = room;
    }
    pair = (struct iso_pair){iso_strdup(name), iso_strdup(value)};
    if (!pair.name || !pair.value) {
        pair_fini(&pair);
        return no_memory(reterr);
    }
    pairs->list[pairs->n++] = pair;
    return ISO_OK;
}

void iso_pairs_remove(struct iso_pairs *pairs, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < pairs->n; i++) {
        if (strcasecmp(pairs->list[i].name, name) == 0)
            pair_fini(&pairs->list[i]);
        else
            pairs->list[n++] = pairs->list[i];
    }
    pairs->n = n;
}

enum iso_status iso_pairs_set(struct iso_pairs *pairs, const char *name, const char *value,
                              struct iso_error *reterr)
{
    iso_pairs_remove(pairs, name);
    return iso_pairs_add(pairs, name, value, reterr);
}

const char *iso_pairs_get(const struct iso_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (strcasecmp(pairs->list[i].name, name) == 0)
            return pairs->list[i].value;
    return NULL;
}

void iso_pairs_fini(struct iso_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        pair_fini(&pairs->list[i]);
    free(pairs->list);
    *pairs = (struct iso_pairs){0};
}

static void forget_url(struct iso_message *message)
{
    free(message->origin);
    free(message->host);
    free(message->path);
    message->origin = message->host = message->path = NULL;
    iso_pairs_fini(&message->query);
}

void iso_message_fini(struct iso_message *message)
{
    forget_url(message);
    iso_pairs_fini(&message->headers);
    *message = (struct iso_message){0};
}

/* Splits "a=b&c" into decoded pairs. '+' stays what it is: RFC 3986 gives it no other meaning. */
static enum iso_status read_query(const char *query, struct iso_pairs *ret_pairs,
                                  struct iso_error *reterr)
{
    while (*query) {
        int n = (int)strcspn(query, "&");
        int n_name = (int)strcspn(query, "=&");
        int n_value = n > n_name ? n - n_name - 1 : 0;
        char *name = curl_easy_unescape(NULL, query, n_name, NULL);
        char *value = n_value ? curl_easy_unescape(NULL, query + n_name + 1, n_value, NULL) : NULL;
        enum iso_status status = ISO_OK;

        if (!name || (n_value && !value))
            status = no_memory(reterr);
        else if (n > 0)
            status = iso_pairs_add(ret_pairs, n_name ? name : "", value ? value : "", reterr);
        curl_free(name);
        curl_free(value);
        ISO_TRY(status);
        query += n;
        query += *query == '&';
    }
    return ISO_OK;
}

/* The path with what may not stand in a request line, spaces and bytes beyond ASCII, encoded. */
static char *sent_path(const char *path)
{
    char *sent = iso_calloc(3 * strlen(path) + 1, 1);
    char *to = sent;

    for (const unsigned char *c = (const unsigned char *)path; sent && *c; c++)
        to += snprintf(to, 4, *c <= ' ' || *c >= 0x7f ? "%%%02X" : "%c", *c);
    return sent;
}

/* What libcurl found in the URL. */
struct parts {
    char *scheme, *user, *host, *port, *path, *query;
};

static enum iso_status take_parts(struct iso_message *message, const struct parts *parts,
                                  struct iso_error *reterr)
{
    bool is_https = strcmp(parts->scheme, "https") == 0;
    bool has_port = parts->port && strcmp(parts->port, is_https ? "443" : "80") != 0;
    char text[512];

    if (!is_https && strcmp(parts->scheme, "http") != 0)
        return iso_fail(reterr, ISO_E_INVALID, "url", "\"%.32s\" is not allowed; https is",
                        parts->scheme);
    if (parts->user)
        return iso_fail(reterr, ISO_E_INVALID, "url", "a URL with a user name is not allowed");
    int n = snprintf(text, sizeof(text), "%s://%s%s%s", parts->scheme, parts->host,
                     has_port ? ":" : "", has_port ? parts->port : "");
    if (n < 0 || (size_t)n >= sizeof(text))
        return iso_fail(reterr, ISO_E_INVALID, "url", "the host's name is too long");
    message->origin = iso_strdup(text);
    message->host = iso_strdup(text + strlen(parts->scheme) + 3);
    message->path = sent_path(parts->path);
    if (!message->origin || !message->host || !message->path)
        return no_memory(reterr);
    return parts->query ? read_query(parts->query, &message->query, reterr) : ISO_OK;
}

enum iso_status iso_message_set_url(struct iso_message *message, const char *url,
                                    struct iso_error *reterr)
{
    CURLU *parsed = curl_url();
    struct parts parts = {0};
    enum iso_status status;

    forget_url(message);
    if (!parsed)
        return no_memory(reterr);
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url,
                                  CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS | CURLU_ALLOW_SPACE);
    if (code == CURLUE_OK) {
        curl_url_get(parsed, CURLUPART_SCHEME, &parts.scheme, 0);
        curl_url_get(parsed, CURLUPART_USER, &parts.user, 0);
        curl_url_get(parsed, CURLUPART_HOST, &parts.host, 0);
        curl_url_get(parsed, CURLUPART_PORT, &parts.port, 0);
        curl_url_get(parsed, CURLUPART_PATH, &parts.path, 0);
        curl_url_get(parsed, CURLUPART_QUERY, &parts.query, 0);
    }
    if (code == CURLUE_OUT_OF_MEMORY)
        status = no_memory(reterr);
    else if (!parts.scheme || !parts.host || !parts.path)
        status = iso_fail(reterr, ISO_E_INVALID, "url", "\"%.200s\" is not an absolute URL", url);
    else
        status = take_parts(message, &parts, reterr);
    curl_free(parts.scheme);
    curl_free(parts.user);
    curl_free(parts.host);
    curl_free(parts.port);
    curl_free(parts.path);
    curl_free(parts.query);
    curl_url_cleanup(parsed);
    return status;
}

char *iso_url_resolve(const char *base, const char *reference)
{
    CURLU *url = curl_url();
    char *text = NULL, *resolved = NULL;

    if (url &&
        curl_url_set(url, CURLUPART_URL, base, CURLU_PATH_AS_IS | CURLU_ALLOW_SPACE) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, reference,
                     CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS | CURLU_ALLOW_SPACE) == CURLUE_OK)
        curl_url_get(url, CURLUPART_URL, &text, 0);
    if (text)
        resolved = iso_strdup(text);
    curl_free(text);
    curl_url_cleanup(url);
    return resolved;
}

enum iso_status iso_text_make(char **ret_text, struct iso_error *reterr, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vasprintf(ret_text, format, arguments);
    va_end(arguments);
    if (n >= 0)
        return ISO_OK;
    *ret_text = NULL;
    return no_memory(reterr);
}

char *iso_message_url(const struct iso_message *message)
{
    ISO_AUTO_MEM char *query = iso_form(&message->query);
    char *url = NULL;

    if (query)
        iso_text_make(&url, /* reterr= */ NULL, "%s%s%s%s", message->origin, message->path,
                      query[0] ? "?" : "", query);
    return url;
}
