/* From the rows of the ABI to the messages of the contract. */
#ifndef ISOCOST_PLUGIN_HOST_CONVERT_H
#define ISOCOST_PLUGIN_HOST_CONVERT_H

#include "isocost/plugin.h"
#include "isocost/proto/arena.h"

/* Copies a row of our own size into a message in the arena: an Offering, CommitmentProduct, Quota,
 * Overlay, Diagnostic, UsageSample, CostRecord, RunningResource or EgressRate by `kind`. NULL when
 * the arena is full. Values are not judged here. */
ProtobufCMessage *iso_row_to_proto(int32_t kind, const void *row, struct iso_arena *arena);

/* sizeof the row of a kind in this host's ABI; 0 for an unknown kind. */
size_t iso_row_bytes(int32_t kind);

#endif
