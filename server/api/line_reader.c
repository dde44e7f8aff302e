#include "line_reader.h"

#define LENGTH_DELIMITED 2 /* wire type of a message in a message */

struct iso_line_reader iso_line_reader(struct iso_bytes packed)
{
    const ProtobufCFieldDescriptor *lines =
        protobuf_c_message_descriptor_get_field_by_name(&isocost__v1__plan__descriptor, "lines");

    return (struct iso_line_reader){.at = packed.bytes,
                                    .end = packed.bytes + packed.n_bytes,
                                    .tag = (uint64_t)lines->id << 3 | LENGTH_DELIMITED};
}

static bool read_varint(struct iso_line_reader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        unsigned char byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool iso_line_reader_next(struct iso_line_reader *reader, struct iso_bytes *ret_line)
{
    uint64_t tag, n_bytes;

    if (reader->damaged || reader->at == reader->end)
        return false;
    if (!read_varint(reader, &tag) || tag != reader->tag || !read_varint(reader, &n_bytes) ||
        n_bytes > (uint64_t)(reader->end - reader->at)) {
        reader->damaged = true;
        return false;
    }
    *ret_line = (struct iso_bytes){.bytes = reader->at, .n_bytes = (size_t)n_bytes};
    reader->at += n_bytes;
    return true;
}

Isocost__V1__PlanLine *iso_line_unpack(struct iso_bytes line, struct iso_arena *arena)
{
    return isocost__v1__plan_line__unpack(iso_arena_allocator(arena), line.n_bytes, line.bytes);
}

enum iso_status iso_line_reader_fail(const char *plan_id, const struct iso_arena *arena,
                                     struct iso_error *reterr)
{
    return iso_fail(reterr, iso_arena_full(arena) ? ISO_E_LIMIT : ISO_E_INTERNAL, "",
                    "the lines of plan %.32s cannot be read", plan_id);
}
