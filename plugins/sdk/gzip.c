#include "isocost/sdk/gzip.h"

#include <limits.h>
#define ZLIB_CONST /* the packed bytes are only read */
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* inflateInit2: the largest window, with a gzip header */
#define PLAIN_BYTES 65536

struct iso_gunzip {
    z_stream stream;
    iso_receive receive;
    void *context;
    int64_t max_bytes, n_bytes;
    bool begun, in_member;
    unsigned char plain[PLAIN_BYTES];
};

struct iso_gunzip *iso_gunzip_new(int64_t max_bytes, iso_receive receive, void *context)
{
    struct iso_gunzip *gunzip = iso_calloc(1, sizeof(*gunzip));

    if (!gunzip)
        return NULL;
    gunzip->receive = receive;
    gunzip->context = context;
    gunzip->max_bytes = max_bytes;
    if (inflateInit2(&gunzip->stream, GZIP_WINDOW) != Z_OK) {
        free(gunzip);
        return NULL;
    }
    return gunzip;
}

void iso_gunzip_free(struct iso_gunzip *gunzip)
{
    if (!gunzip)
        return;
    inflateEnd(&gunzip->stream);
    free(gunzip);
}

static enum iso_status hand_on(struct iso_gunzip *gunzip, struct iso_error *reterr)
{
    size_t n = sizeof(gunzip->plain) - gunzip->stream.avail_out;

    gunzip->n_bytes += (int64_t)n;
    if (gunzip->n_bytes > gunzip->max_bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "the file has more than %lld bytes when it is unpacked",
                        (long long)gunzip->max_bytes);
    return n > 0 ? gunzip->receive(gunzip->context, gunzip->plain, n, reterr) : ISO_OK;
}

/* Unpacks one buffer full. */
static enum iso_status inflate_some(struct iso_gunzip *gunzip, struct iso_error *reterr)
{
    z_stream *stream = &gunzip->stream;

    stream->next_out = gunzip->plain;
    stream->avail_out = sizeof(gunzip->plain);
    gunzip->begun = gunzip->in_member = true;
    int code = inflate(stream, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to unpack a file");
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return iso_fail(reterr, ISO_E_INVALID, "", "the file is no gzip, or damaged: %.100s",
                        stream->msg ? stream->msg : "unexpected bytes");
    ISO_TRY(hand_on(gunzip, reterr));
    if (code == Z_STREAM_END) { /* another member may follow */
        gunzip->in_member = false;
        if (inflateReset(stream) != Z_OK)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to unpack a file");
    }
    return ISO_OK;
}

enum iso_status iso_gunzip_feed(struct iso_gunzip *gunzip, const unsigned char *bytes,
                                size_t n_bytes, struct iso_error *reterr)
{
    z_stream *stream = &gunzip->stream;

    while (n_bytes > 0) {
        size_t n = n_bytes < UINT_MAX ? n_bytes : UINT_MAX;

        stream->next_in = bytes;
        stream->avail_in = (uInt)n;
        do
            ISO_TRY(inflate_some(gunzip, reterr));
        while (stream->avail_in > 0 || (gunzip->in_member && stream->avail_out == 0));
        bytes += n;
        n_bytes -= n;
    }
    return ISO_OK;
}

enum iso_status iso_gunzip_finish(struct iso_gunzip *gunzip, struct iso_error *reterr)
{
    if (!gunzip->begun || gunzip->in_member)
        return iso_fail(reterr, ISO_E_INVALID, "", "the file ends before its gzip data does");
    return ISO_OK;
}
