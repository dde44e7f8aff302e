/* Where in a YAML or JSON text a field stands, so that what is found later can be told by line. */
#ifndef ISOCOST_PROTO_YAML_PLACE_H
#define ISOCOST_PROTO_YAML_PLACE_H

#include <stddef.h>

#include "isocost/base/memory.h"

/* The line (the first is 1) of the field at `path` ("workloads[2].demand"; snake_case finds
 * lowerCamel too), or of the deepest part of the path that the text has. 0 when the text is not
 * YAML or memory is short. */
ISO_EXPORT int iso_yaml_line_of(const char *text, size_t n_bytes, const char *path);

#endif
