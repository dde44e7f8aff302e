#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "google/protobuf/any.pb-c.h"
#include "isocost/proto/json.h"
#include "json_names.h"
#include "json_reader.h"
#include "message_field.h"

#define SEEN_BITS 256 /* fields of one message that are watched for both spellings */
#define KEY_SHOWN_BYTES 40

static bool read_object(struct iso_json_reader *reader, ProtobufCMessage *message,
                        const struct iso_tree *node, const struct iso_field_path *path);

static ProtobufCMessage *new_message(struct iso_json_reader *reader,
                                     const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = iso_arena_calloc(reader->arena, 1, descriptor->sizeof_message);

    if (message)
        protobuf_c_message_init(descriptor, message);
    return message;
}

static bool read_message(struct iso_json_reader *reader,
                         const ProtobufCMessageDescriptor *descriptor, const struct iso_tree *node,
                         const struct iso_field_path *path, ProtobufCMessage **into)
{
    ProtobufCMessage *message = new_message(reader, descriptor);
    bool done;

    if (!message)
        return false;
    *into = message;
    if (descriptor == &google__protobuf__any__descriptor) {
        iso_json_report(reader, node, path, "google.protobuf.Any cannot be read");
        return false;
    }
    bool ok = iso_json_read_text_message(reader, message, node, path, &done);
    return done ? ok : read_object(reader, message, node, path);
}

static bool read_value(struct iso_json_reader *reader, const ProtobufCFieldDescriptor *field,
                       const struct iso_tree *node, const struct iso_field_path *path, void *into)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_message(reader, field->descriptor, node, path, into);
    return iso_json_read_scalar(reader, field, node, path, into);
}

/* Makes the array of a repeated field and sets its length. */
static char *new_elements(struct iso_json_reader *reader, ProtobufCMessage *message,
                          const ProtobufCFieldDescriptor *field, size_t n)
{
    char *base = (char *)message;
    char *elements = iso_arena_calloc(reader->arena, n, iso_field_value_bytes(field->type));

    if (!elements)
        return NULL;
    *(char **)(void *)(base + field->offset) = elements;
    *(size_t *)(void *)(base + field->quantifier_offset) = n;
    return elements;
}

static bool read_list(struct iso_json_reader *reader, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, const struct iso_tree *node,
                      struct iso_field_path *path)
{
    bool is_list = node->kind == ISO_TREE_LIST, ok = true;

    if (node->kind == ISO_TREE_OBJECT) {
        iso_json_report(reader, node, path, "an object is not a list: begin it with \"-\" or [");
        return false;
    }
    char *elements = new_elements(reader, message, field, is_list ? node->n : 1);
    if (!elements)
        return false;

    const struct iso_tree *child = is_list ? node->first : node;
    for (path->index = 0; child; child = is_list ? child->next : NULL, path->index++) {
        ok &= read_value(reader, field, child, path, elements);
        elements += iso_field_value_bytes(field->type);
        if (iso_arena_full(reader->arena))
            return false;
    }
    return ok;
}

static bool read_map(struct iso_json_reader *reader, ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field, const struct iso_tree *node,
                     const struct iso_field_path *path)
{
    const ProtobufCMessageDescriptor *entry_type = field->descriptor;
    bool ok = true;

    if (node->kind != ISO_TREE_OBJECT) {
        iso_json_report(reader, node, path, "%s is not an object of keys and values",
                        iso_tree_kind_text(node->kind));
        return false;
    }
    ProtobufCMessage **entries =
        (ProtobufCMessage **)(void *)new_elements(reader, message, field, node->n);
    if (!entries)
        return false;

    for (const struct iso_tree *child = node->first; child; child = child->next) {
        char shown[KEY_SHOWN_BYTES + 8];
        struct iso_field_path here = {.parent = path, .name = shown, .index = -1};
        ProtobufCMessage *entry = *entries++ = new_message(reader, entry_type);
        char *key = iso_arena_strdup(reader->arena, child->key);

        if (!entry || !key)
            return false;
        snprintf(shown, sizeof(shown), "[\"%.*s\"]", KEY_SHOWN_BYTES, child->key);
        *(char **)(void *)((char *)entry + entry_type->fields[0].offset) = key;
        ok &= read_value(reader, &entry_type->fields[1], child, &here,
                         (char *)entry + entry_type->fields[1].offset);
    }
    return ok;
}

/* Names of the oneof's members for a report: "must_serve, priority, penalty". */
static void list_oneof(const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *member, char *buffer, size_t size)
{
    size_t length = 0;

    for (unsigned i = 0; i < descriptor->n_fields && length < size; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (iso_field_in_oneof(field) && field->quantifier_offset == member->quantifier_offset)
            length += (size_t)snprintf(buffer + length, size - length, "%s%s",
                                       length > 0 ? ", " : "", field->name);
    }
}

/* Marks the member as the one that is set; false, and a report, when another one is. */
static bool claim_oneof(struct iso_json_reader *reader, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field, const struct iso_tree *node,
                        const struct iso_field_path *path)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    uint32_t other = iso_field_oneof_case(message, field);
    char members[160];

    if (other != 0) {
        list_oneof(descriptor, field, members, sizeof(members));
        iso_json_report(reader, node, path, "\"%s\" is given too; only one of %s may be given",
                        protobuf_c_message_descriptor_get_field(descriptor, other)->name, members);
        return false;
    }
    *(uint32_t *)(void *)((char *)message + field->quantifier_offset) = field->id;
    return true;
}

static bool read_field(struct iso_json_reader *reader, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, const struct iso_tree *node,
                       struct iso_field_path *path)
{
    if (node->kind == ISO_TREE_NULL)
        return true; /* the proto3 mapping: as if it were not given */
    if (iso_field_is_map(message->descriptor, field))
        return read_map(reader, message, field, node, path);
    if (iso_field_is_repeated(field))
        return read_list(reader, message, field, node, path);
    if (node->kind == ISO_TREE_LIST) {
        iso_json_report(reader, node, path, "a list is not allowed here: a single value is needed");
        return false;
    }
    if (iso_field_in_oneof(field) && !claim_oneof(reader, message, field, node, path))
        return false;
    return read_value(reader, field, node, path, (char *)message + field->offset);
}

static bool read_object(struct iso_json_reader *reader, ProtobufCMessage *message,
                        const struct iso_tree *node, const struct iso_field_path *path)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    uint32_t seen[SEEN_BITS / 32] = {0};
    bool ok = true;

    if (node->kind != ISO_TREE_OBJECT) {
        iso_json_report(reader, node, path, "%s is not an object with the fields of %s",
                        iso_tree_kind_text(node->kind), descriptor->short_name);
        return false;
    }
    for (const struct iso_tree *child = node->first; child; child = child->next) {
        const ProtobufCFieldDescriptor *field = iso_json_field(descriptor, child->key);
        char hint[ISO_JSON_HINT_SIZE], shown[KEY_SHOWN_BYTES + 1];
        struct iso_field_path here = {.parent = path, .name = shown, .index = -1};

        if (!field) {
            snprintf(shown, sizeof(shown), "%s", child->key);
            iso_json_report(reader, child, &here, "unknown field \"%s\"%s", shown,
                            iso_json_field_hint(descriptor, child->key, hint));
            ok = false;
            continue;
        }
        here.name = field->name;
        size_t place = (size_t)(field - descriptor->fields);
        if (place < SEEN_BITS && seen[place / 32] & 1u << place % 32) {
            iso_json_report(reader, child, &here, "is given twice, in two spellings");
            ok = false;
            continue;
        }
        if (place < SEEN_BITS)
            seen[place / 32] |= 1u << place % 32;
        ok &= read_field(reader, message, field, child, &here);
        if (iso_arena_full(reader->arena))
            return false;
    }
    return ok;
}

static enum iso_status read_tree(const ProtobufCMessageDescriptor *descriptor,
                                 const struct iso_tree *tree, struct iso_arena *arena,
                                 struct iso_violations *violations, ProtobufCMessage **ret_message,
                                 struct iso_error *reterr)
{
    struct iso_json_reader reader = {.arena = arena, .violations = violations};
    ProtobufCMessage *message = NULL;

    if (read_message(&reader, descriptor, tree, /* path= */ NULL, &message)) {
        *ret_message = message;
        return ISO_OK;
    }
    ISO_TRY(iso_violations_status(violations, reterr));
    return iso_tree_fail_full(reterr);
}

enum iso_status iso_json_read(const ProtobufCMessageDescriptor *descriptor, const char *text,
                              size_t n_bytes, struct iso_arena *arena,
                              struct iso_violations *violations, ProtobufCMessage **ret_message,
                              struct iso_error *reterr)
{
    struct iso_tree *tree;

    ISO_TRY(iso_tree_from_json(text, n_bytes, arena, &tree, reterr));
    return read_tree(descriptor, tree, arena, violations, ret_message, reterr);
}

enum iso_status iso_yaml_read(const ProtobufCMessageDescriptor *descriptor, const char *text,
                              size_t n_bytes, struct iso_arena *arena,
                              struct iso_violations *violations, ProtobufCMessage **ret_message,
                              struct iso_error *reterr)
{
    struct iso_tree *tree;

    ISO_TRY(iso_tree_from_yaml(text, n_bytes, arena, &tree, reterr));
    return read_tree(descriptor, tree, arena, violations, ret_message, reterr);
}
