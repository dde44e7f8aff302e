#include "accept.h"

/* Sizes in ABI 1.0; smaller ones cannot be ours. */
#define PLUGIN_SIZE_1_0 (offsetof(struct iso_plugin, fetch) + sizeof(void (*)(void)))
#define PARAM_SIZE_1_0 (offsetof(struct iso_param, offset) + sizeof(size_t))
#define FETCH_CAPS                                                                   \
    ((uint32_t)(ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA | \
                ISO_CAP_USAGE | ISO_CAP_COST | ISO_CAP_INVENTORY))
#define RESERVED_CAPS ((uint32_t)ISO_CAP_APPLY)
#define MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MAX_NAME_BYTES 64

_Static_assert(offsetof(struct iso_plugin, struct_size) == 8, "the head never moves");

static enum iso_status accept_head(const struct iso_plugin *theirs, struct iso_error *reterr)
{
    if (theirs->abi_major != ISO_ABI_MAJOR)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "abi_major",
                        "the plugin was built for ABI %u.%u; this host speaks %u.0 to %u.%u",
                        theirs->abi_major, theirs->abi_minor, ISO_ABI_MAJOR, ISO_ABI_MAJOR,
                        ISO_ABI_MINOR);
    if (theirs->abi_minor > ISO_ABI_MINOR)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "abi_minor",
                        "the plugin was built for ABI %u.%u; this host speaks %u.0 to %u.%u",
                        theirs->abi_major, theirs->abi_minor, ISO_ABI_MAJOR, ISO_ABI_MAJOR,
                        ISO_ABI_MINOR);
    if (theirs->struct_size < PLUGIN_SIZE_1_0 || theirs->struct_size > sizeof(*theirs))
        return iso_fail(reterr, ISO_E_INVALID, "struct_size",
                        "the descriptor has %u bytes; ABI %u.%u allows %zu to %zu",
                        theirs->struct_size, ISO_ABI_MAJOR, ISO_ABI_MINOR, PLUGIN_SIZE_1_0,
                        sizeof(*theirs));
    if (theirs->param_bytes < PARAM_SIZE_1_0 || theirs->param_bytes > sizeof(struct iso_param))
        return iso_fail(reterr, ISO_E_INVALID, "param_bytes",
                        "a row of the parameter table has %u bytes; ABI %u.%u allows %zu to %zu",
                        theirs->param_bytes, ISO_ABI_MAJOR, ISO_ABI_MINOR, PARAM_SIZE_1_0,
                        sizeof(struct iso_param));
    return ISO_OK;
}

static bool is_name(const char *name)
{
    if (!name || strchr("-_", name[0])) /* the end is found too */
        return false;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return length <= MAX_NAME_BYTES && name[length] == '\0';
}

static enum iso_status accept_members(const struct iso_plugin *ours, struct iso_error *reterr)
{
    if (!is_name(ours->name))
        return iso_fail(reterr, ISO_E_INVALID, "name",
                        "the plugin's name is \"%.80s\"; [a-z0-9][a-z0-9_-]{0,63} is allowed",
                        ours->name ? ours->name : "");
    if (!ours->version || !ours->version[0] || !ours->summary || !ours->summary[0])
        return iso_fail(reterr, ISO_E_INVALID,
                        ours->version && ours->version[0] ? "summary" : "version",
                        "plugin '%s' must say its version and a summary", ours->name);
    if (!ours->create || !ours->destroy)
        return iso_fail(reterr, ISO_E_INVALID, ours->create ? "destroy" : "create",
                        "plugin '%s' must have create() and destroy()", ours->name);
    if ((ours->caps & FETCH_CAPS) && !ours->fetch)
        return iso_fail(reterr, ISO_E_INVALID, "fetch",
                        "plugin '%s' claims capabilities 0x%x and has no fetch()", ours->name,
                        ours->caps & FETCH_CAPS);
    if (ours->config_size > MAX_CONFIG_BYTES)
        return iso_fail(reterr, ISO_E_INVALID, "config_size",
                        "plugin '%s' has a config of %zu bytes; at most %zu are allowed",
                        ours->name, ours->config_size, MAX_CONFIG_BYTES);
    return ISO_OK;
}

enum iso_status iso_plugin_accept(const struct iso_plugin *theirs, struct iso_plugin *ret_plugin,
                                  struct iso_error *reterr)
{
    struct iso_plugin ours = {0};

    ISO_TRY(accept_head(theirs, reterr));
    if (theirs->caps & RESERVED_CAPS)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "caps",
                        "the plugin sets capability bits 0x%x, which ABI %u.%u reserves",
                        theirs->caps & RESERVED_CAPS, ISO_ABI_MAJOR, ISO_ABI_MINOR);
    if (theirs->caps & ~FETCH_CAPS)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "caps",
                        "the plugin sets capability bits 0x%x that this host does not know",
                        theirs->caps & ~FETCH_CAPS);
    if (theirs->caps == 0)
        return iso_fail(reterr, ISO_E_INVALID, "caps", "the plugin claims no capability");

    memcpy(&ours, theirs, theirs->struct_size);
    ISO_TRY(accept_members(&ours, reterr));
    *ret_plugin = ours;
    return ISO_OK;
}
