/* What an answer means, by its HTTP status and by what the clouds write into their errors. */
#include <ctype.h>
#include <stdio.h>

#include "http_internal.h"

/* Codes of errors, as they begin. From the services' documentation; see plugins' READMEs. */
static const char *const throttling_codes[] = {
    "Throttl",              /* AWS ThrottlingException, Throttling; Alibaba Throttling.User */
    "RequestLimitExceeded", /* EC2 */
    "RequestThrottled",     /* AWS */
    "TooManyRequests",      /* AWS, Azure */
    "SlowDown",             /* S3 */
    "PriorRequestNotComplete",
    "LimitExceededException", /* Cost Explorer */
    "APIG.0308",              /* Huawei: rate limit of the gateway */
    "ces.0429",               /* Huawei: Cloud Eye */
    "RESOURCE_EXHAUSTED",     /* Google */
    "ServiceUnavailable",
    "InternalFailure",
};

static const char *const key_codes[] = {
    "SignatureDoesNotMatch", /* AWS, Alibaba */
    "IncompleteSignature",   /* AWS, Alibaba */
    "InvalidSignature",
    "InvalidClientTokenId",       /* AWS */
    "UnrecognizedClient",         /* AWS */
    "AuthFailure",                /* EC2 */
    "ExpiredToken",               /* AWS */
    "RequestExpired",             /* EC2 */
    "InvalidAccessKeyId",         /* Alibaba, S3 */
    "InvalidSecurityToken",       /* Alibaba */
    "InvalidTimeStamp",           /* Alibaba */
    "APIGW.0301",                 /* Huawei */
    "InvalidAuthenticationToken", /* Azure */
    "invalid_client",             /* OAuth 2.0 */
    "invalid_grant",
    "unauthorized_client",
    "UNAUTHENTICATED", /* Google */
};

/* Where a code stands, in the order of how well it says what happened. */
static const char *const json_names[] = {"__type", "error_code", "status", "Code", "code", "error"};

static bool begins_with_any(const char *code, const char *const *beginnings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(code, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* Copies up to a character of `ends`. False: that is no code. */
static bool copy_code(const char *from, const char *ends, char ret_code[64])
{
    size_t n = strcspn(from, ends);

    if (n == 0 || n >= 64 || !from[n])
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isgraph((unsigned char)from[i]))
            return false;
    memcpy(ret_code, from, n);
    ret_code[n] = '\0';
    char *after = strrchr(ret_code, '#'); /* a namespace before it */
    if (after)
        memmove(ret_code, after + 1, strlen(after));
    return true;
}

static bool find_json_code(const char *body, const char *name, char ret_code[64])
{
    char quoted[32];

    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    for (const char *at = strstr(body, quoted); at; at = strstr(at, quoted)) {
        at += strlen(quoted);
        at += strspn(at, " \t\r\n");
        if (*at++ != ':')
            continue;
        at += strspn(at, " \t\r\n");
        if (*at == '"' && copy_code(at + 1, "\"", ret_code))
            return true;
        if (isdigit((unsigned char)*at) && copy_code(at, ",} \r\n", ret_code))
            return true;
    }
    return false;
}

/* The service's own code in an error's body; "" when none is found. A body need not be whole. */
static void find_code(const char *body, char ret_code[64])
{
    const char *xml = strstr(body, "<Code>");

    ret_code[0] = '\0';
    if (xml && copy_code(xml + strlen("<Code>"), "<", ret_code))
        return;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(json_names); i++)
        if (find_json_code(body, json_names[i], ret_code))
            return;
    ret_code[0] = '\0';
}

static bool is_transient_status(int32_t status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

static void judge_error(const struct iso_transfer *transfer, bool has_token,
                        struct iso_judgement *judgement)
{
    const char *code = judgement->provider_code;
    int32_t status = transfer->status;

    if (transfer->body)
        find_code(transfer->body, judgement->provider_code);
    snprintf(judgement->text, sizeof(judgement->text), "HTTP %d%s%s", (int)status,
             code[0] ? " " : "", code);
    judgement->verdict = ISO_VERDICT_FAILED;
    if (begins_with_any(code, throttling_codes, ISO_ARRAY_LENGTH(throttling_codes)) ||
        is_transient_status(status)) {
        judgement->verdict = ISO_VERDICT_AGAIN;
        judgement->status = ISO_E_UNAVAILABLE;
    } else if (status == 401 || status == 403 ||
               begins_with_any(code, key_codes, ISO_ARRAY_LENGTH(key_codes))) {
        judgement->verdict = has_token && status == 401 ? ISO_VERDICT_TOKEN : ISO_VERDICT_FAILED;
        judgement->status = ISO_E_UNAUTHENTICATED;
    } else if (status == 404 || status == 410) {
        judgement->status = ISO_E_NOT_FOUND;
    } else {
        judgement->status = ISO_E_INVALID;
    }
}

/* The library's reason, in words that are the same for all of its versions. */
static void judge_broken(const struct iso_transfer *transfer, struct iso_judgement *judgement)
{
    judgement->verdict = transfer->handed_on ? ISO_VERDICT_FAILED : ISO_VERDICT_AGAIN;
    judgement->status = ISO_E_UNAVAILABLE;
    snprintf(judgement->text, sizeof(judgement->text), "%s%s", curl_easy_strerror(transfer->code),
             transfer->handed_on ? ", after a part of the answer" : "");
    switch (transfer->code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        judgement->verdict = ISO_VERDICT_FAILED; /* it will not pass by itself */
        break;
    case CURLE_OUT_OF_MEMORY:
        judgement->verdict = ISO_VERDICT_FAILED;
        judgement->status = ISO_E_NOMEM;
        break;
    default:
        break;
    }
}

void iso_http_judge(const struct iso_transfer *transfer, bool has_token,
                    struct iso_judgement *ret_judgement)
{
    *ret_judgement = (struct iso_judgement){.verdict = ISO_VERDICT_GOOD, .status = ISO_OK};
    if (transfer->stopped != ISO_OK) {
        ret_judgement->verdict = ISO_VERDICT_FAILED;
        ret_judgement->status = transfer->stopped; /* its report is the transfer's */
    } else if (transfer->code != CURLE_OK) {
        judge_broken(transfer, ret_judgement);
    } else if (transfer->status >= 300 && transfer->status <= 399 && transfer->location) {
        ret_judgement->verdict = ISO_VERDICT_REDIRECT;
    } else if (transfer->status < 200 || transfer->status > 299) {
        judge_error(transfer, has_token, ret_judgement);
    } else if (iso_transfer_is_wrong_page(transfer)) {
        ret_judgement->verdict = ISO_VERDICT_AGAIN;
        ret_judgement->status = ISO_E_UNAVAILABLE;
        snprintf(ret_judgement->text, sizeof(ret_judgement->text),
                 "HTTP %d with a page of HTML, which something in between must have sent",
                 (int)transfer->status);
    }
}
