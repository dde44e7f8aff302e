/* One id for each region, however a file, a bill or a person spells it. */
#ifndef ISOCOST_SERVER_REGION_ALIAS_H
#define ISOCOST_SERVER_REGION_ALIAS_H

#include "isocost/base/memory.h"

#define ISO_REGION_BUFFER_SIZE 128

/* Folds letter case, full-width forms and the names that a provider's console and bills have for
 * its regions ("US East (N. Virginia)", "US West 3", "华北2（北京）"). `provider` is a word of
 * iso_provider_fold(). Returns a constant, `buffer` or, when it is too long to be a region, `name`.
 */
ISO_EXPORT const char *iso_region_fold(const char *provider, const char *name,
                                       char buffer[ISO_REGION_BUFFER_SIZE]);

#endif
