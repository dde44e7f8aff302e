/* One word for each provider, however a file, a bill or a person spells it. */
#ifndef ISOCOST_SERVER_PROVIDER_ALIAS_H
#define ISOCOST_SERVER_PROVIDER_ALIAS_H

#include "isocost/base/memory.h"

#define ISO_PROVIDER_BUFFER_SIZE 64

/* Folds letter case, full-width forms and known aliases ("Alibaba Cloud", "aliyun", "阿里云" give
 * "alibaba"). A name that is no alias and is, in lower case, a word `[a-z0-9][a-z0-9_-]{0,63}`
 * gives that word. Returns a constant, `name` itself or `buffer`; NULL when the name can be no
 * provider: empty, not UTF-8, with other letters, or too long. */
ISO_EXPORT const char *iso_provider_fold(const char *name, char buffer[ISO_PROVIDER_BUFFER_SIZE]);

#endif
