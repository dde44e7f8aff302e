/* Any bytes as a message: decoded or refused, and what was decoded can be written as JSON and read
 * back. The first byte chooses the type. */
#include <stdint.h>

#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/proto/digest.h"
#include "isocost/proto/json.h"
#include "isocost/proto/wire.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

#define ARENA_BYTES ((size_t)32 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Times out of range are written as objects and then not read, so only the digest is compared. */
static void assert_reads_back(const ProtobufCMessage *message)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(4 * ARENA_BYTES);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ISO_AUTO_MEM char *text = NULL;
    ProtobufCMessage *back;
    char before[ISO_DIGEST_TEXT_SIZE], after[ISO_DIGEST_TEXT_SIZE];

    ISO_ASSERT(iso_json_write(message, 0, &text, &error) == ISO_OK);
    if (iso_json_read(message->descriptor, text, strlen(text), arena, &violations, &back, &error) !=
        ISO_OK)
        return;
    ISO_ASSERT(iso_message_digest(message, NULL, before, NULL) == ISO_OK);
    ISO_ASSERT(iso_message_digest(back, NULL, after, NULL) == ISO_OK);
    ISO_ASSERT(strcmp(before, after) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &isocost__v1__model__descriptor,
        &isocost__v1__solve_plan_request__descriptor,
        &isocost__internal__v1__solver_event__descriptor,
        &isocost__internal__v1__host_event__descriptor,
    };
    static const struct iso_wire_limits limits = ISO_WIRE_LIMITS_DEFAULT;
    struct iso_error error = {0};
    ProtobufCMessage *message;

    if (size == 0)
        return 0;
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct iso_violations violations = {.arena = arena};
    enum iso_status status =
        iso_wire_decode(types[data[0] % ISO_ARRAY_LENGTH(types)], data + 1, size - 1, &limits,
                        arena, &violations, &message, &error);
    ISO_ASSERT(status == ISO_OK || status == ISO_E_INVALID || status == ISO_E_LIMIT);
    ISO_ASSERT((status == ISO_OK) == (error.status == ISO_OK));
    ISO_ASSERT(status == ISO_OK || error.text[0] != '\0');
    if (status == ISO_OK)
        assert_reads_back(message);
    return 0;
}
