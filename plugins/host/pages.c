#include "pages.h"

#include "convert.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define FIELD_OVERHEAD_BYTES 8 /* tag and length of a row inside its page */
#define HEADROOM_BYTES 64      /* tag and length of the page inside its event */

/* Where a page keeps its rows of one kind; the array of pointers has ISO_PAGE_ROWS places. */
struct list {
    size_t n_offset, rows_offset;
};

static const struct list lists[] = {
#define LIST(name)                                       \
    {                                                    \
        offsetof(Isocost__Internal__V1__Page, n_##name), \
            offsetof(Isocost__Internal__V1__Page, name)  \
    }
    [ISO_ROW_OFFERING] = LIST(offerings),
    [ISO_ROW_PRODUCT] = LIST(products),
    [ISO_ROW_QUOTA] = LIST(quotas),
    [ISO_ROW_OVERLAY] = LIST(overlays),
    [ISO_ROW_DIAGNOSTIC] = LIST(diagnostics),
    [ISO_ROW_USAGE] = LIST(usage),
    [ISO_ROW_COST] = LIST(costs),
    [ISO_ROW_RUNNING] = LIST(inventory),
    [ISO_ROW_EGRESS_RATE] = LIST(egress_rates),
#undef LIST
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page of rows");
}

static enum iso_status begin_page(struct iso_pages *pages, struct iso_error *reterr)
{
    pages->arena = iso_arena_new(ARENA_BYTES);
    pages->page = pages->arena ? iso_arena_calloc(pages->arena, 1, sizeof(*pages->page)) : NULL;
    if (!pages->page)
        return no_memory(reterr);
    isocost__internal__v1__page__init(pages->page);
    pages->n_page_bytes = HEADROOM_BYTES;
    pages->n_page_rows = 0;
    return ISO_OK;
}

static void drop_page(struct iso_pages *pages)
{
    iso_arena_free(ISO_STEAL(pages->arena));
    pages->page = NULL;
}

/* protobuf-c packs into this, which keeps only the digest. */
struct digest_buffer {
    ProtobufCBuffer base;
    struct iso_sha256 *sha;
};

static void digest_append(ProtobufCBuffer *buffer, size_t n_bytes, const uint8_t *bytes)
{
    iso_sha256_update(((struct digest_buffer *)buffer)->sha, bytes, n_bytes);
}

static enum iso_status send_page(struct iso_pages *pages, struct iso_error *reterr)
{
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    struct digest_buffer buffer = {.base = {.append = digest_append}, .sha = &pages->sha};

    if (!pages->page)
        return ISO_OK;
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_PAGE;
    event.page = pages->page;
    ISO_TRY(iso_services_check(pages->services, reterr));
    ISO_TRY(iso_channel_send(pages->services->channel, &event, reterr));
    protobuf_c_message_pack_to_buffer(&event.base, &buffer.base);
    pages->n_pages++;
    drop_page(pages);
    return ISO_OK;
}

/* Appends a message that is in the page's arena already. */
static enum iso_status append(struct iso_pages *pages, int32_t kind, ProtobufCMessage *message,
                              size_t n_bytes, struct iso_error *reterr)
{
    size_t *n = (size_t *)((char *)pages->page + lists[kind].n_offset);
    char *member = (char *)pages->page + lists[kind].rows_offset;
    ProtobufCMessage **rows;

    memcpy(&rows, member, sizeof(rows)); /* the arrays differ in type, their pointers do not */
    if (!rows)
        rows = iso_arena_calloc(pages->arena, ISO_PAGE_ROWS, sizeof(*rows));
    if (!rows)
        return no_memory(reterr);
    rows[(*n)++] = message;
    memcpy(member, &rows, sizeof(rows));
    pages->n_page_bytes += n_bytes;
    pages->n_page_rows++;
    *(kind == ISO_ROW_DIAGNOSTIC ? &pages->n_diagnostics : &pages->n_rows) += 1;
    return ISO_OK;
}

static enum iso_status put_row(struct iso_pages *pages, int32_t kind, const void *row,
                               struct iso_error *reterr)
{
    if (pages->n_rows + pages->n_diagnostics >= ISO_FETCH_ROWS)
        return iso_fail(reterr, ISO_E_LIMIT, "rows", "more than %d rows; at most so many are taken",
                        ISO_FETCH_ROWS);
    if (pages->page && pages->n_page_rows == ISO_PAGE_ROWS)
        ISO_TRY(send_page(pages, reterr));
    if (!pages->page)
        ISO_TRY(begin_page(pages, reterr));

    ProtobufCMessage *message = iso_row_to_proto(kind, row, pages->arena);
    if (!message)
        return no_memory(reterr);
    size_t n_bytes = protobuf_c_message_get_packed_size(message) + FIELD_OVERHEAD_BYTES;
    if (n_bytes > ISO_ROW_BYTES)
        return iso_fail(reterr, ISO_E_LIMIT, "rows", "a row of %zu bytes; at most %zu are taken",
                        n_bytes, ISO_ROW_BYTES);
    if (pages->n_page_bytes + n_bytes > ISO_PAGE_BYTES) {
        ISO_TRY(send_page(pages, reterr)); /* the message went with its arena */
        ISO_TRY(begin_page(pages, reterr));
        message = iso_row_to_proto(kind, row, pages->arena);
        if (!message)
            return no_memory(reterr);
    }
    return append(pages, kind, message, n_bytes, reterr);
}

static enum iso_status put_rows(struct iso_pages *pages, int32_t kind, const void *rows,
                                size_t n_rows, size_t row_bytes, struct iso_error *reterr)
{
    union { /* aligned for any row */
        struct iso_plugin_offering offering;
        struct iso_plugin_product product;
        struct iso_plugin_quota quota;
        struct iso_plugin_overlay overlay;
        struct iso_plugin_diagnostic diagnostic;
        struct iso_plugin_usage usage;
        struct iso_plugin_cost cost;
        struct iso_plugin_running running;
        struct iso_plugin_egress_rate egress_rate;
    } row;
    size_t own_bytes = iso_row_bytes(kind);

    if (own_bytes == 0 || row_bytes == 0 || row_bytes > own_bytes)
        return iso_fail(reterr, ISO_E_INVALID, "rows",
                        "rows of kind %d with %zu bytes each; this host's have %zu", kind,
                        row_bytes, own_bytes);
    for (size_t i = 0; i < n_rows; i++) {
        memset(&row, 0, sizeof(row));
        memcpy(&row, (const char *)rows + i * row_bytes, row_bytes);
        ISO_TRY(put_row(pages, kind, &row, reterr));
    }
    return ISO_OK;
}

static enum iso_status pages_put(struct iso_sink *sink, int32_t kind, const void *rows,
                                 size_t n_rows, size_t row_bytes, struct iso_error *reterr)
{
    struct iso_pages *pages = (struct iso_pages *)sink;

    if (pages->error.status == ISO_OK)
        put_rows(pages, kind, rows, n_rows, row_bytes, &pages->error);
    if (pages->error.status != ISO_OK)
        return iso_fail(reterr, pages->error.status, pages->error.field, "%s", pages->error.text);
    return ISO_OK;
}

void iso_pages_init(struct iso_pages *pages, struct iso_services *services)
{
    *pages = (struct iso_pages){.sink = {.put = pages_put}, .services = services};
    iso_sha256_init(&pages->sha);
}

void iso_pages_fini(struct iso_pages *pages)
{
    drop_page(pages);
}

enum iso_status iso_pages_finish(struct iso_pages *pages, struct iso_error *reterr)
{
    Isocost__Internal__V1__End end = ISOCOST__INTERNAL__V1__END__INIT;
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    unsigned char sum[ISO_SHA256_BYTES];

    if (pages->error.status == ISO_OK)
        send_page(pages, &pages->error);
    if (pages->error.status != ISO_OK)
        return iso_fail(reterr, pages->error.status, pages->error.field, "%s", pages->error.text);
    iso_sha256_final(&pages->sha, sum);
    end.pages = pages->n_pages;
    end.rows = pages->n_rows;
    end.sha256 = (ProtobufCBinaryData){.data = sum, .len = sizeof(sum)};
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_END;
    event.end = &end;
    return iso_channel_send(pages->services->channel, &event, reterr);
}
