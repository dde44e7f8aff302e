/* Canonical digests: SHA-256 over a text that does not depend on how a message was encoded. */
#ifndef ISOCOST_PROTO_DIGEST_H
#define ISOCOST_PROTO_DIGEST_H

#include <protobuf-c/protobuf-c.h>

#include "isocost/base/sha256.h"
#include "isocost/base/status.h"

/* Writes the digest of `message` ("sha256:...") into `text`. The canonical text is specified in
 * docs/reference/digests.md: type name, version 1, fields in number order, defaults omitted, maps
 * sorted by key, decimals in shortest exact form; lists keep their order. `omit` names fields
 * ("isocost.v1.Offering.observed_at") that do not count; it ends with NULL and may be NULL.
 * Errors: ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_message_digest(const ProtobufCMessage *message,
                                              const char *const *omit,
                                              char text[ISO_DIGEST_TEXT_SIZE],
                                              struct iso_error *reterr);

#endif
