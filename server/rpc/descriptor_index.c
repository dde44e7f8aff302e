#include "descriptor_index.h"

#include <stdio.h>

struct builder {
    struct iso_descriptor_index *index;
    int capacity;
    int file;
};

static enum iso_status add_symbol(struct builder *builder, const char *scope, const char *name,
                                  char **ret_full, struct iso_error *reterr)
{
    struct iso_descriptor_index *index = builder->index;
    size_t n = strlen(scope) + strlen(name) + 2;
    char *full = iso_calloc(n, 1);

    if (index->n_symbols == builder->capacity) {
        int capacity = builder->capacity ? 2 * builder->capacity : 256;
        struct iso_descriptor_symbol *grown =
            iso_realloc(index->symbols, (size_t)capacity, sizeof(*grown));

        if (grown) {
            index->symbols = grown;
            builder->capacity = capacity;
        }
    }
    if (!full || index->n_symbols == builder->capacity) {
        free(full);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the descriptor index");
    }
    snprintf(full, n, "%s%s%s", scope, *scope ? "." : "", name);
    index->symbols[index->n_symbols++] =
        (struct iso_descriptor_symbol){.name = full, .file = builder->file};
    *ret_full = full;
    return ISO_OK;
}

static enum iso_status add_enum(struct builder *builder, const char *scope,
                                const Google__Protobuf__EnumDescriptorProto *type,
                                struct iso_error *reterr)
{
    char *full;

    ISO_TRY(add_symbol(builder, scope, type->name, &full, reterr));
    for (size_t i = 0; i < type->n_value; i++) /* values live in the scope of their enum */
        ISO_TRY(add_symbol(builder, scope, type->value[i]->name, &full, reterr));
    return ISO_OK;
}

/* Nesting is that of our own protos: a few levels. */
static enum iso_status add_message(struct builder *builder, const char *scope,
                                   const Google__Protobuf__DescriptorProto *message,
                                   struct iso_error *reterr)
{
    char *full, *member;

    ISO_TRY(add_symbol(builder, scope, message->name, &full, reterr));
    for (size_t i = 0; i < message->n_field; i++)
        ISO_TRY(add_symbol(builder, full, message->field[i]->name, &member, reterr));
    for (size_t i = 0; i < message->n_oneof_decl; i++)
        ISO_TRY(add_symbol(builder, full, message->oneof_decl[i]->name, &member, reterr));
    for (size_t i = 0; i < message->n_enum_type; i++)
        ISO_TRY(add_enum(builder, full, message->enum_type[i], reterr));
    for (size_t i = 0; i < message->n_nested_type; i++)
        ISO_TRY(add_message(builder, full, message->nested_type[i], reterr));
    return ISO_OK;
}

static enum iso_status add_file(struct builder *builder,
                                const Google__Protobuf__FileDescriptorProto *file,
                                struct iso_error *reterr)
{
    const char *scope = file->package ? file->package : "";
    char *full, *member;

    for (size_t i = 0; i < file->n_message_type; i++)
        ISO_TRY(add_message(builder, scope, file->message_type[i], reterr));
    for (size_t i = 0; i < file->n_enum_type; i++)
        ISO_TRY(add_enum(builder, scope, file->enum_type[i], reterr));
    for (size_t i = 0; i < file->n_service; i++) {
        ISO_TRY(add_symbol(builder, scope, file->service[i]->name, &full, reterr));
        for (size_t j = 0; j < file->service[i]->n_method; j++)
            ISO_TRY(add_symbol(builder, full, file->service[i]->method[j]->name, &member, reterr));
    }
    return ISO_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct iso_descriptor_symbol *)a)->name,
                  ((const struct iso_descriptor_symbol *)b)->name);
}

static size_t read_varint(const unsigned char **at, const unsigned char *end)
{
    size_t value = 0;

    for (int shift = 0; *at < end && shift < 63; shift += 7) {
        unsigned char byte = *(*at)++;

        value |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* The set is a list of `file = 1`; the bytes of each are what reflection sends. */
static enum iso_status find_files(struct iso_descriptor_index *index, const unsigned char *set,
                                  size_t n_bytes, struct iso_error *reterr)
{
    const unsigned char *at = set, *end = set + n_bytes;

    for (int i = 0; i < index->n_files; i++) {
        size_t tag = read_varint(&at, end), size = read_varint(&at, end);

        if (tag != ((1u << 3) | 2u) || size > (size_t)(end - at))
            return iso_fail(reterr, ISO_E_INTERNAL, "", "the descriptor set is malformed");
        index->files[i] = (struct iso_descriptor_file){
            .bytes = at, .n_bytes = size, .proto = index->set->file[i]};
        at += size;
    }
    return ISO_OK;
}

enum iso_status iso_descriptor_index_new(const unsigned char *set, size_t n_bytes,
                                         struct iso_descriptor_index **ret_index,
                                         struct iso_error *reterr)
{
    ISO_AUTO(iso_descriptor_index) index = iso_calloc(1, sizeof(*index));
    struct builder builder = {.index = index};

    if (!index)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the descriptor index");
    index->set = google__protobuf__file_descriptor_set__unpack(NULL, n_bytes, set);
    if (!index->set)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the descriptor set is malformed");
    index->n_files = (int)index->set->n_file;
    index->files = iso_calloc(index->set->n_file, sizeof(*index->files));
    if (!index->files)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the descriptor index");
    ISO_TRY(find_files(index, set, n_bytes, reterr));
    for (builder.file = 0; builder.file < index->n_files; builder.file++)
        ISO_TRY(add_file(&builder, index->files[builder.file].proto, reterr));
    qsort(index->symbols, (size_t)index->n_symbols, sizeof(*index->symbols), by_name);
    *ret_index = ISO_STEAL(index);
    return ISO_OK;
}

void iso_descriptor_index_free(struct iso_descriptor_index *index)
{
    if (!index)
        return;
    for (int i = 0; i < index->n_symbols; i++)
        free(index->symbols[i].name);
    free(index->symbols);
    free(index->files);
    if (index->set)
        google__protobuf__file_descriptor_set__free_unpacked(index->set, NULL);
    free(index);
}

int iso_descriptor_index_file(const struct iso_descriptor_index *index, const char *path)
{
    for (int i = 0; i < index->n_files; i++)
        if (strcmp(index->files[i].proto->name, path) == 0)
            return i;
    return -1;
}

int iso_descriptor_index_symbol(const struct iso_descriptor_index *index, const char *name)
{
    int low = 0, high = index->n_symbols - 1;

    while (low <= high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, index->symbols[middle].name);

        if (order == 0)
            return index->symbols[middle].file;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return -1;
}
