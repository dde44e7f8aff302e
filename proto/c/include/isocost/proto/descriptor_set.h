/* The serialized FileDescriptorSet of every public service (imports included), for reflection. */
#ifndef ISOCOST_PROTO_DESCRIPTOR_SET_H
#define ISOCOST_PROTO_DESCRIPTOR_SET_H

#include <stddef.h>

extern const unsigned char iso_descriptor_set[];
extern const size_t iso_descriptor_set_bytes;

#endif
