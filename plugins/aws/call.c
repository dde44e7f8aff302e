/* Calls of AWS: EC2's query protocol with XML, JSON, and files of the price list. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/csv.h"
#include "isocost/sdk/pager.h"
#include "isocost/sdk/words.h"

#define EC2_VERSION "2016-11-15"
#define CHINA_FIXED_REGION "cn-northwest-1" /* of services that have one region */
#define URL_BYTES 256
#define MAX_PREAMBLE_ROWS 20 /* what a price file says of itself before its columns */

const struct iso_aws_service iso_aws_pricing = {
    .name = "pricing",
    .host = "api.pricing",
    .signed_as = "pricing",
    .target = "AWSPriceListService",
    .version = "1.1",
    .fixed_region = "us-east-1",
    .token_in = "NextToken",
    .token_out = "NextToken",
};
const struct iso_aws_service iso_aws_quotas = {
    .name = "servicequotas",
    .signed_as = "servicequotas",
    .target = "ServiceQuotasV20190624",
    .version = "1.1",
    .token_in = "NextToken",
    .token_out = "NextToken",
};
const struct iso_aws_service iso_aws_monitoring = {
    .name = "monitoring",
    .signed_as = "monitoring",
    .target = "GraniteServiceVersion20100801",
    .version = "1.0",
    .token_in = "NextToken",
    .token_out = "NextToken",
};
const struct iso_aws_service iso_aws_cost_explorer = {
    .name = "ce",
    .signed_as = "ce",
    .target = "AWSInsightsIndexService",
    .version = "1.1",
    .fixed_region = "us-east-1",
    .token_in = "NextPageToken",
    .token_out = "NextPageToken",
};

bool iso_aws_is_china(const char *region)
{
    return strncmp(region, "cn-", 3) == 0;
}

static const char *domain_of(const char *region)
{
    return iso_aws_is_china(region) ? "amazonaws.com.cn" : "amazonaws.com";
}

static enum iso_status check_cancelled(const struct iso_aws_fetch *fetch, struct iso_error *reterr)
{
    if (fetch->host->cancelled(fetch->host))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
    return ISO_OK;
}

/* The token of a page that is gone: what was fetched is lost, asking from the start helps. */
static enum iso_status judge(const struct iso_aws_fetch *fetch, enum iso_status status,
                             struct iso_error *reterr)
{
    const char *code = fetch->failure->provider_code;

    if (status != ISO_E_INVALID || !(strstr(code, "NextToken") || strstr(code, "PaginationToken")))
        return status;
    if (reterr)
        reterr->status = ISO_E_UNAVAILABLE;
    return ISO_E_UNAVAILABLE;
}

/* A call of EC2 under way. */
struct ec2_paging {
    const struct iso_aws_fetch *fetch;
    const char *region, *action, *parameters;
    iso_aws_on_xml on_page;
    void *context;
};

static enum iso_status ask_ec2_page(void *context, const char *token, struct iso_text *next,
                                    struct iso_error *reterr)
{
    static const struct iso_http_header form = {"Content-Type",
                                                "application/x-www-form-urlencoded; charset=utf-8"};
    const struct ec2_paging *paging = context;
    const struct iso_aws_fetch *fetch = paging->fetch;
    char url[URL_BYTES];
    ISO_AUTO_TEXT body = {0};
    ISO_AUTO(iso_xml) document = NULL;

    snprintf(url, sizeof(url), "https://ec2.%s.%s/", paging->region, domain_of(paging->region));
    iso_text_add(&body, "Action=%s&Version=" EC2_VERSION "%s", paging->action, paging->parameters);
    if (token[0]) {
        iso_text_add(&body, "&NextToken=");
        iso_text_add_url(&body, token);
    }
    ISO_TRY(iso_text_check(&body, reterr));
    const struct iso_http_request request = {
        .method = "POST",
        .service = "ec2",
        .url = url,
        .headers = &form,
        .n_headers = 1,
        .body = body.bytes,
        .n_body_bytes = body.n_bytes,
        .auth = {.scheme = ISO_AUTH_AWS, .region = paging->region, .service = "ec2"},
        .accept = ISO_HTTP_XML,
    };
    ISO_TRY(iso_ask_xml(fetch->host, &request, &document, fetch->failure, reterr));
    const struct iso_xml_element *root = iso_xml_root(document);
    ISO_TRY(paging->on_page(paging->context, root, reterr));
    iso_text_add(next, "%s", iso_xml_text_at(root, "nextToken"));
    return ISO_OK;
}

enum iso_status iso_aws_ask_ec2(const struct iso_aws_fetch *fetch, const char *region,
                                const char *action, const char *parameters, iso_aws_on_xml on_page,
                                void *context, struct iso_error *reterr)
{
    struct ec2_paging paging = {fetch, region, action, parameters, on_page, context};

    return judge(fetch, iso_pager_run(fetch->host, ask_ec2_page, &paging, reterr), reterr);
}

/* A call of a service that speaks JSON under way; `head` is its body without the last brace. */
struct json_paging {
    const struct iso_aws_fetch *fetch;
    const struct iso_aws_service *service;
    const char *region, *operation, *head;
    iso_aws_on_json on_page;
    void *context;
};

static enum iso_status ask_json_page(void *context, const char *token, struct iso_text *next,
                                     struct iso_error *reterr)
{
    const struct json_paging *paging = context;
    const struct iso_aws_fetch *fetch = paging->fetch;
    const struct iso_aws_service *service = paging->service;
    char url[URL_BYTES], target[128], type[64];
    ISO_AUTO_TEXT body = {0};
    ISO_AUTO_JSON *answer = NULL;
    const struct iso_http_header headers[] = {{"Content-Type", type}, {"X-Amz-Target", target}};

    snprintf(url, sizeof(url), "https://%s.%s.%s/", service->host ? service->host : service->name,
             paging->region, domain_of(paging->region));
    snprintf(target, sizeof(target), "%s.%s", service->target, paging->operation);
    snprintf(type, sizeof(type), "application/x-amz-json-%s", service->version);
    iso_text_add(&body, "%s", paging->head);
    if (token[0]) {
        iso_text_add(&body, ",\"%s\":", service->token_in);
        iso_text_add_json(&body, token);
    }
    iso_text_add(&body, "}");
    ISO_TRY(iso_text_check(&body, reterr));
    const struct iso_http_request request = {
        .method = "POST",
        .service = service->name,
        .url = url,
        .headers = headers,
        .n_headers = ISO_ARRAY_LENGTH(headers),
        .body = body.bytes,
        .n_body_bytes = body.n_bytes,
        .auth = {.scheme = ISO_AUTH_AWS, .region = paging->region, .service = service->signed_as},
        .accept = ISO_HTTP_JSON,
    };
    ISO_TRY(iso_ask_json(fetch->host, &request, &answer, fetch->failure, reterr));
    ISO_TRY(paging->on_page(paging->context, answer, reterr));
    iso_text_add(next, "%s", iso_json_text_at(answer, service->token_out));
    return ISO_OK;
}

enum iso_status iso_aws_ask_json(const struct iso_aws_fetch *fetch,
                                 const struct iso_aws_service *service, const char *region,
                                 const char *operation, const char *body, iso_aws_on_json on_page,
                                 void *context, struct iso_error *reterr)
{
    struct json_paging paging = {fetch, service, region, operation, body, on_page, context};

    if (service->fixed_region)
        paging.region = iso_aws_is_china(region) ? CHINA_FIXED_REGION : service->fixed_region;
    return judge(fetch, iso_pager_run(fetch->host, ask_json_page, &paging, reterr), reterr);
}

/* ---- Files of the price list ---- */

struct csv_stream {
    const struct iso_aws_fetch *fetch;
    struct iso_csv_reader *csv;
    iso_aws_on_row on_row;
    void *context;
    int n_preamble;
    bool has_header;
};

static enum iso_status on_csv_row(void *context, int64_t line, const char *const *fields,
                                  size_t n_fields, struct iso_error *reterr)
{
    struct csv_stream *stream = context;

    if (!stream->has_header) {
        stream->has_header = n_fields > 2 && iso_name_equal(fields[0], "SKU");
        if (!stream->has_header && ++stream->n_preamble > MAX_PREAMBLE_ROWS)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the price file has no line of columns that begins with SKU");
        if (!stream->has_header)
            return ISO_OK;
    }
    return stream->on_row(stream->context, line, fields, n_fields, reterr);
}

static enum iso_status on_csv_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                    struct iso_error *reterr)
{
    struct csv_stream *stream = context;

    ISO_TRY(check_cancelled(stream->fetch, reterr));
    return iso_csv_feed(stream->csv, bytes, n_bytes, reterr);
}

enum iso_status iso_aws_stream_csv(const struct iso_aws_fetch *fetch, const char *region,
                                   const char *path, iso_aws_on_row on_row, void *context,
                                   struct iso_error *reterr)
{
    struct csv_stream stream = {.fetch = fetch, .on_row = on_row, .context = context};
    ISO_AUTO(iso_csv_reader) csv = iso_csv_reader_new(on_csv_row, &stream);
    struct iso_http_response response = {0};
    char url[URL_BYTES];

    if (!csv)
        return iso_aws_full(reterr);
    stream.csv = csv;
    snprintf(url, sizeof(url), "https://pricing.%s.%s%s",
             iso_aws_is_china(region) ? "cn-north-1" : "us-east-1", domain_of(region), path);
    const struct iso_http_request request = {
        .request_bytes = sizeof(request),
        .method = "GET",
        .service = "price_files",
        .url = url,
        .stream = true,
        .max_bytes = fetch->aws->config->max_price_file_mib << 20,
        .receive = on_csv_bytes,
        .receive_context = &stream,
    };
    enum iso_status status = fetch->host->http(fetch->host, &request, &response, reterr);
    if (status != ISO_OK) {
        iso_failure_set(fetch->failure, &response);
        return status;
    }
    ISO_TRY(iso_csv_finish(csv, reterr));
    return stream.has_header ? ISO_OK
                             : iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                                        "the price file %.150s has no columns", path);
}
