#include "isocost/proto/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC "ISO1"
#define MAGIC_BYTES 4
#define LENGTH_AT 4
#define TYPE_AT 8
#define REQUEST_ID_AT 12
#define CRC_AT 20
#define KEPT_BUFFER_BYTES ((size_t)1 << 20) /* larger ones are given back after their frame */

_Static_assert(CRC_AT + 4 == ISO_FRAME_HEADER_BYTES, "the header has no padding");

static void put_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_u32(const unsigned char *at)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

static uint32_t checksum(const unsigned char *header, const unsigned char *payload, size_t n_bytes)
{
    uLong crc = crc32(0, header + TYPE_AT, CRC_AT - TYPE_AT);

    if (n_bytes > 0)
        crc = crc32(crc, payload, (uInt)n_bytes);
    return (uint32_t)crc;
}

/* One recvmsg() never crosses the end of a frame's header or payload, so a descriptor that comes
 * with it belongs to the frame under way. */
struct iso_frame_reader {
    int fd;
    uint32_t max_bytes;
    enum iso_status broken; /* set once: the stream is out of step */
    unsigned char header[ISO_FRAME_HEADER_BYTES];
    size_t n_header, n_payload; /* bytes received */
    unsigned char *payload;
    size_t capacity;
    int passed_fd;
    bool delivered; /* the frame in the buffers was given out */
};

struct iso_frame_reader *iso_frame_reader_new(int fd, uint32_t max_bytes)
{
    struct iso_frame_reader *reader = iso_calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->fd = fd;
    reader->max_bytes = max_bytes < ISO_FRAME_MAX_BYTES ? max_bytes : ISO_FRAME_MAX_BYTES;
    reader->passed_fd = -1;
    return reader;
}

static void drop_passed_fd(struct iso_frame_reader *reader)
{
    if (reader->passed_fd >= 0)
        close(reader->passed_fd);
    reader->passed_fd = -1;
}

void iso_frame_reader_free(struct iso_frame_reader *reader)
{
    if (!reader)
        return;
    drop_passed_fd(reader);
    free(reader->payload);
    free(reader);
}

static enum iso_status break_reader(struct iso_frame_reader *reader, enum iso_status status)
{
    drop_passed_fd(reader);
    reader->broken = status;
    return status;
}

/* Takes the descriptors of one recvmsg(). False: more than one for this frame. */
static bool take_descriptors(struct iso_frame_reader *reader, struct msghdr *message)
{
    bool ok = !(message->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
            if (reader->passed_fd < 0) {
                reader->passed_fd = fd;
            } else {
                close(fd);
                ok = false;
            }
        }
    }
    return ok;
}

/* Receives until *n_received is `n_wanted`; *ret_ready is false when the socket would block. */
static enum iso_status receive(struct iso_frame_reader *reader, unsigned char *into,
                               size_t *n_received, size_t n_wanted, bool *ret_ready,
                               struct iso_error *reterr)
{
    while (*n_received < n_wanted) {
        _Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(4 * sizeof(int))];
        struct iovec io = {.iov_base = into + *n_received, .iov_len = n_wanted - *n_received};
        struct msghdr message = {.msg_iov = &io,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(reader->fd, &message, MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            *ret_ready = false;
            return ISO_OK;
        }
        if (n < 0 && errno != ECONNRESET)
            return iso_fail(reterr, break_reader(reader, ISO_E_IO), "",
                            "receiving a frame failed: %s", strerror(errno));
        if (n <= 0)
            return iso_fail(reterr, break_reader(reader, ISO_E_UNAVAILABLE), "",
                            reader->n_header == 0 ? "the peer closed the connection"
                                                  : "the peer closed the connection in the "
                                                    "middle of a frame");
        *n_received += (size_t)n;
        if (!take_descriptors(reader, &message))
            return iso_fail(reterr, break_reader(reader, ISO_E_INVALID), "",
                            "the peer passed more than one descriptor with a frame");
    }
    *ret_ready = true;
    return ISO_OK;
}

static void forget_frame(struct iso_frame_reader *reader)
{
    reader->delivered = false;
    reader->n_header = reader->n_payload = 0;
    if (reader->capacity > KEPT_BUFFER_BYTES) {
        free(ISO_STEAL(reader->payload));
        reader->capacity = 0;
    }
}

static enum iso_status prepare_payload(struct iso_frame_reader *reader, uint32_t n_bytes,
                                       struct iso_error *reterr)
{
    if (memcmp(reader->header, MAGIC, MAGIC_BYTES) != 0)
        return iso_fail(reterr, break_reader(reader, ISO_E_INVALID), "",
                        "the peer sent a frame with a wrong magic number");
    if (n_bytes > reader->max_bytes)
        return iso_fail(reterr, break_reader(reader, ISO_E_INVALID), "",
                        "the peer announced a frame of %u bytes; at most %u are allowed", n_bytes,
                        reader->max_bytes);
    if (n_bytes <= reader->capacity)
        return ISO_OK;

    unsigned char *payload = iso_calloc(n_bytes, 1);
    if (!payload)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a frame of %u bytes", n_bytes);
    free(reader->payload);
    reader->payload = payload;
    reader->capacity = n_bytes;
    return ISO_OK;
}

enum iso_status iso_frame_read(struct iso_frame_reader *reader, struct iso_frame *ret_frame,
                               bool *ret_ready, struct iso_error *reterr)
{
    bool ready = false;

    if (reader->broken != ISO_OK)
        return iso_fail(reterr, reader->broken, "", "the connection is broken already");
    if (reader->delivered)
        forget_frame(reader);

    ISO_TRY(
        receive(reader, reader->header, &reader->n_header, sizeof(reader->header), &ready, reterr));
    if (ready) {
        uint32_t n_bytes = get_u32(reader->header + LENGTH_AT);
        ISO_TRY(prepare_payload(reader, n_bytes, reterr));
        ISO_TRY(receive(reader, reader->payload, &reader->n_payload, n_bytes, &ready, reterr));
    }
    if (!ready) {
        *ret_ready = false;
        return ISO_OK;
    }

    if (checksum(reader->header, reader->payload, reader->n_payload) !=
        get_u32(reader->header + CRC_AT))
        return iso_fail(reterr, break_reader(reader, ISO_E_INVALID), "",
                        "the peer sent a frame with a wrong checksum");
    *ret_frame = (struct iso_frame){
        .type = get_u32(reader->header + TYPE_AT),
        .request_id = get_u32(reader->header + REQUEST_ID_AT) |
                      (uint64_t)get_u32(reader->header + REQUEST_ID_AT + 4) << 32,
        .payload = reader->payload,
        .n_bytes = (uint32_t)reader->n_payload,
        .passed_fd = reader->passed_fd,
    };
    reader->passed_fd = -1;
    reader->delivered = true;
    *ret_ready = true;
    return ISO_OK;
}

struct outgoing {
    struct outgoing *next;
    int pass_fd; /* ours; -1 when there is none or it was sent */
    size_t n_bytes, n_sent;
    unsigned char bytes[]; /* header and payload */
};

struct iso_frame_writer {
    int fd;
    struct outgoing *first, **last;
    size_t pending;
};

struct iso_frame_writer *iso_frame_writer_new(int fd)
{
    struct iso_frame_writer *writer = iso_calloc(1, sizeof(*writer));

    if (!writer)
        return NULL;
    writer->fd = fd;
    writer->last = &writer->first;
    return writer;
}

static void drop_first(struct iso_frame_writer *writer)
{
    struct outgoing *frame = writer->first;

    writer->first = frame->next;
    if (!writer->first)
        writer->last = &writer->first;
    if (frame->pass_fd >= 0)
        close(frame->pass_fd);
    free(frame);
}

void iso_frame_writer_free(struct iso_frame_writer *writer)
{
    if (!writer)
        return;
    while (writer->first)
        drop_first(writer);
    free(writer);
}

enum iso_status iso_frame_write(struct iso_frame_writer *writer, uint32_t type, uint64_t request_id,
                                const ProtobufCMessage *message, int pass_fd,
                                struct iso_error *reterr)
{
    size_t n_payload = message ? protobuf_c_message_get_packed_size(message) : 0;

    if (n_payload > ISO_FRAME_MAX_BYTES)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a frame of %zu bytes; at most %u are allowed",
                        n_payload, ISO_FRAME_MAX_BYTES);
    ISO_AUTO_MEM struct outgoing *frame =
        iso_calloc(1, sizeof(*frame) + ISO_FRAME_HEADER_BYTES + n_payload);
    if (!frame)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a frame of %zu bytes", n_payload);

    unsigned char *header = frame->bytes, *payload = frame->bytes + ISO_FRAME_HEADER_BYTES;
    if (message)
        protobuf_c_message_pack(message, payload);
    memcpy(header, MAGIC, MAGIC_BYTES);
    put_u32(header + LENGTH_AT, (uint32_t)n_payload);
    put_u32(header + TYPE_AT, type);
    put_u32(header + REQUEST_ID_AT, (uint32_t)request_id);
    put_u32(header + REQUEST_ID_AT + 4, (uint32_t)(request_id >> 32));
    put_u32(header + CRC_AT, checksum(header, payload, n_payload));
    frame->n_bytes = ISO_FRAME_HEADER_BYTES + n_payload;
    frame->pass_fd = -1;
    if (pass_fd >= 0) {
        frame->pass_fd = fcntl(pass_fd, F_DUPFD_CLOEXEC, 0);
        if (frame->pass_fd < 0)
            return iso_fail(reterr, ISO_E_IO, "", "duplicating descriptor %d failed: %s", pass_fd,
                            strerror(errno));
    }

    writer->pending += frame->n_bytes;
    *writer->last = frame;
    writer->last = &frame->next;
    frame = NULL;
    return ISO_OK;
}

/* Sends a part of one frame; the descriptor goes with its first byte. */
static ssize_t send_part(struct iso_frame_writer *writer, struct outgoing *frame)
{
    _Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec io = {.iov_base = frame->bytes + frame->n_sent,
                       .iov_len = frame->n_bytes - frame->n_sent};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};

    if (frame->pass_fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &frame->pass_fd, sizeof(int));
    }

    ssize_t n = sendmsg(writer->fd, &message, MSG_NOSIGNAL);
    if (n > 0 && frame->pass_fd >= 0) {
        close(frame->pass_fd);
        frame->pass_fd = -1;
    }
    return n;
}

enum iso_status iso_frame_flush(struct iso_frame_writer *writer, bool *ret_empty,
                                struct iso_error *reterr)
{
    while (writer->first) {
        struct outgoing *frame = writer->first;
        ssize_t n = send_part(writer, frame);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return iso_fail(reterr,
                            errno == EPIPE || errno == ECONNRESET ? ISO_E_UNAVAILABLE : ISO_E_IO,
                            "", "sending a frame failed: %s", strerror(errno));
        frame->n_sent += (size_t)n;
        writer->pending -= (size_t)n;
        if (frame->n_sent == frame->n_bytes)
            drop_first(writer);
    }
    *ret_empty = writer->first == NULL;
    return ISO_OK;
}

size_t iso_frame_pending(const struct iso_frame_writer *writer)
{
    return writer->pending;
}
