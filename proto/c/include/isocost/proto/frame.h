/* Frames on a socketpair between our own processes:
 *
 *     magic "ISO1" | length u32 | type u32 | request id u64 | crc32 u32 | payload
 *
 * little-endian; crc32 (zlib's) over type, request id and payload. One descriptor may travel with a
 * frame. A wrong magic, length or crc is ISO_E_INVALID: the peer is broken, kill it. */
#ifndef ISOCOST_PROTO_FRAME_H
#define ISOCOST_PROTO_FRAME_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/status.h"

#define ISO_FRAME_HEADER_BYTES 24
#define ISO_FRAME_MAX_BYTES (64u << 20) /* payload; senders may set a lower cap */

struct iso_frame {
    uint32_t type;
    uint64_t request_id;
    const unsigned char *payload; /* borrowed until the next call on the reader */
    uint32_t n_bytes;
    int passed_fd; /* -1, or a descriptor that the receiver now owns */
};

/* One direction of a connection, usable with blocking and non-blocking sockets. */
struct iso_frame_reader;
ISO_EXPORT struct iso_frame_reader *iso_frame_reader_new(int fd, uint32_t max_bytes);
ISO_EXPORT void iso_frame_reader_free(struct iso_frame_reader *reader); /* does not close fd */
ISO_DEFINE_FREEP(iso_frame_reader)

/* Gives the next frame. *ret_ready is false when a non-blocking socket has no whole frame yet.
 * Errors: ISO_E_UNAVAILABLE at end of file, ISO_E_INVALID, ISO_E_IO, ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_frame_read(struct iso_frame_reader *reader,
                                          struct iso_frame *ret_frame, bool *ret_ready,
                                          struct iso_error *reterr);

struct iso_frame_writer;
ISO_EXPORT struct iso_frame_writer *iso_frame_writer_new(int fd);
ISO_EXPORT void iso_frame_writer_free(struct iso_frame_writer *writer); /* does not close fd */
ISO_DEFINE_FREEP(iso_frame_writer)

/* Queues a frame with the packed message; `pass_fd` (or -1) is duplicated. Nothing is sent yet.
 * Errors: ISO_E_LIMIT (too large), ISO_E_NOMEM, ISO_E_IO. */
ISO_EXPORT enum iso_status iso_frame_write(struct iso_frame_writer *writer, uint32_t type,
                                           uint64_t request_id, const ProtobufCMessage *message,
                                           int pass_fd, struct iso_error *reterr);

/* Sends what the socket takes. *ret_empty tells whether all is sent; with a blocking socket it
 * always is. Errors: ISO_E_UNAVAILABLE (peer gone), ISO_E_IO. */
ISO_EXPORT enum iso_status iso_frame_flush(struct iso_frame_writer *writer, bool *ret_empty,
                                           struct iso_error *reterr);

/* Bytes queued and not sent. */
ISO_EXPORT size_t iso_frame_pending(const struct iso_frame_writer *writer);

#endif
