/* Trusts nothing in a plugin's descriptor until its head was checked. */
#ifndef ISOCOST_PLUGIN_HOST_ACCEPT_H
#define ISOCOST_PLUGIN_HOST_ACCEPT_H

#include "isocost/plugin.h"

/* Checks a descriptor and copies it. Members that an older plugin was built without are NULL in
 * the copy, so the rest of the host never looks at struct_size. Errors: ISO_E_UNSUPPORTED (fields
 * abi_major, abi_minor, caps), ISO_E_INVALID (any other field). */
enum iso_status iso_plugin_accept(const struct iso_plugin *theirs, struct iso_plugin *ret_plugin,
                                  struct iso_error *reterr);

#endif
