/* Small snapshots for unit tests, in the folder of temporary_folder.h. */
#ifndef ISOCOST_TESTS_SNAPSHOT_FIXTURE_H
#define ISOCOST_TESTS_SNAPSHOT_FIXTURE_H

#include <fcntl.h>
#include <unistd.h>

#include "resolve_fixture.h"
#include "temporary_folder.h"

/* Adds an offering of 4 vCPU and 16 GiB in USD; `purchase` is 1, on demand, or 2, spot. */
static inline void snapshot_add(struct iso_snapshot_builder *builder, const char *provider,
                                const char *region, const char *type, int purchase,
                                iso_decimal price)
{
    struct iso_error error = {0};
    char id[256];
    struct iso_snapshot_offering o = {
        .id = id,
        .provider = provider,
        .region = region,
        .zone = "*",
        .type = type,
        .os = "linux",
        .native_id = type,
        .purchase = purchase,
        .currency = "USD",
        .price = price,
        .lot = ISO_DECIMAL_ONE,
        .availability = ISO_DECIMAL_ONE,
        .observed_ns = 77,
    };

    snprintf(id, sizeof(id), "%s/%s/*/%s/linux/%s", provider, region, type,
             purchase == 1 ? "on-demand" : "spot");
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        o.capacity[k] = ISO_UNKNOWN;
    o.capacity[ISO_RESOURCE_VCPU] = 4 * ISO_DECIMAL_ONE;
    o.capacity[ISO_RESOURCE_MEMORY_GIB] = 16 * ISO_DECIMAL_ONE;
    if (iso_snapshot_add_offering(builder, &o, &error) != ISO_OK)
        fail_msg("%s", error.text);
}

/* A message as YAML; the caller frees the arena. */
static inline ProtobufCMessage *snapshot_read(const ProtobufCMessageDescriptor *type,
                                              const char *yaml, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    ProtobufCMessage *message = NULL;
    struct iso_error error = {0};

    if (iso_yaml_read(type, yaml, strlen(yaml), arena, &violations, &message, &error) != ISO_OK)
        fail_msg("%s: %s", yaml, error.text);
    return message;
}

static inline void snapshot_add_overlay(struct iso_snapshot_builder *builder, const char *yaml)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    ProtobufCMessage *overlay = snapshot_read(&isocost__v1__overlay__descriptor, yaml, arena);

    assert_int_equal(iso_snapshot_add_overlay(builder, (const Isocost__V1__Overlay *)overlay, NULL),
                     ISO_OK);
}

static inline void snapshot_add_rate(struct iso_snapshot_builder *builder, const char *yaml)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    ProtobufCMessage *rate = snapshot_read(&isocost__v1__egress_rate__descriptor, yaml, arena);

    assert_int_equal(
        iso_snapshot_add_egress_rate(builder, (const Isocost__V1__EgressRate *)rate, NULL), ISO_OK);
}

static inline struct iso_snapshot *snapshot_finish(struct iso_snapshot_builder *builder)
{
    struct iso_snapshot *snapshot = NULL;
    struct iso_error error = {0};
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];

    assert_int_equal(iso_snapshot_write(builder, folder, digest, &error), ISO_OK);
    snprintf(path, sizeof(path), "%s/%s.snap", folder, digest);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(iso_snapshot_map(fd, &snapshot, &error), ISO_OK);
    close(fd);
    return snapshot;
}

#endif
