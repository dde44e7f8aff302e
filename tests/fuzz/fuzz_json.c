/* Any text as a Model: read or refused, and what was read can be written and read back equal. The
 * first byte chooses JSON or YAML. */
#include <stdint.h>

#include "isocost/proto/digest.h"
#include "isocost/proto/json.h"
#include "isocost/v1/model.pb-c.h"

#define ARENA_BYTES ((size_t)32 << 20)

typedef enum iso_status reader(const ProtobufCMessageDescriptor *, const char *, size_t,
                               struct iso_arena *, struct iso_violations *, ProtobufCMessage **,
                               struct iso_error *);
typedef enum iso_status writer(const ProtobufCMessage *, unsigned, char **, struct iso_error *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_reads_back(const ProtobufCMessage *message, writer *write, reader *read)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(4 * ARENA_BYTES);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ISO_AUTO_MEM char *text = NULL;
    ProtobufCMessage *back;
    char before[ISO_DIGEST_TEXT_SIZE], after[ISO_DIGEST_TEXT_SIZE];

    ISO_ASSERT(write(message, ISO_JSON_SNAKE_CASE, &text, &error) == ISO_OK);
    ISO_ASSERT(read(message->descriptor, text, strlen(text), arena, &violations, &back, &error) ==
               ISO_OK);
    ISO_ASSERT(iso_message_digest(message, NULL, before, NULL) == ISO_OK);
    ISO_ASSERT(iso_message_digest(back, NULL, after, NULL) == ISO_OK);
    ISO_ASSERT(strcmp(before, after) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iso_error error = {0};
    ProtobufCMessage *message;

    if (size == 0)
        return 0;
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct iso_violations violations = {.arena = arena};
    reader *read = data[0] == 'j' ? iso_json_read : iso_yaml_read;
    enum iso_status status = read(&isocost__v1__model__descriptor, (const char *)data + 1, size - 1,
                                  arena, &violations, &message, &error);
    ISO_ASSERT(status == ISO_OK || status == ISO_E_INVALID || status == ISO_E_LIMIT);
    ISO_ASSERT(status == ISO_OK || error.text[0] != '\0');
    if (status == ISO_OK) {
        assert_reads_back(message, iso_json_write, iso_json_read);
        assert_reads_back(message, iso_yaml_write, iso_yaml_read);
    }
    return 0;
}
