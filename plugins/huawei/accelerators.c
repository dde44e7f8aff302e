/* Accelerators of a type, which os_extra_specs tells in several ways: "1 * NVIDIA T4 / 1 * 16G" for
 * people, of GPUs and of Ascend processors, and "nvidia-p100:1" for machines. */
#include <ctype.h>
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"

static bool read_count(const char *text, struct iso_amount *ret_amount, const char **ret_rest)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || n < 1 || n > 1024)
        return false;
    *ret_amount = (struct iso_amount){true, n * ISO_DECIMAL_ONE};
    *ret_rest = end + strspn(end, " ");
    return true;
}

/* "16G" or "2 * 16G": memory in GiB, of all of them. */
static struct iso_amount read_memory(const char *text)
{
    struct iso_amount size, n = {true, ISO_DECIMAL_ONE};
    const char *rest;

    text += strspn(text, " ");
    if (!read_count(text, &size, &rest))
        return (struct iso_amount){0};
    if (*rest == '*') {
        n = size;
        if (!read_count(rest + 1, &size, &rest))
            return (struct iso_amount){0};
    }
    return *rest == 'G' ? iso_amount_multiply(n, size) : (struct iso_amount){0};
}

/* "N * MODEL / MEMORY", the memory given or not. */
static bool read_for_people(const char *text, struct iso_scratch *kept,
                            struct iso_huawei_type *type)
{
    struct iso_amount n;
    const char *rest;

    if (!read_count(text, &n, &rest) || *rest != '*')
        return false;
    rest++;
    rest += strspn(rest, " ");
    size_t n_model = strcspn(rest, "/");
    type->resources[ISO_PLUGIN_RESOURCE_GPU] = n;
    if (rest[n_model] == '/')
        type->resources[ISO_PLUGIN_RESOURCE_GPU_MEMORY_GIB] = read_memory(rest + n_model + 1);
    while (n_model > 0 && rest[n_model - 1] == ' ')
        n_model--;
    type->gpu_model = iso_scratch_text(kept, rest, n_model);
    return true;
}

/* "MODEL:N", or "MODEL:how:N": the model is what stands first and the number what stands last. */
static bool read_for_machines(const char *text, struct iso_scratch *kept,
                              struct iso_huawei_type *type)
{
    const char *last = strrchr(text, ':'), *rest;
    struct iso_amount n;

    if (!last || !read_count(last + 1, &n, &rest) || *rest)
        return false;
    type->resources[ISO_PLUGIN_RESOURCE_GPU] = n;
    type->gpu_model = iso_scratch_text(kept, text, strcspn(text, ":"));
    return true;
}

enum iso_status iso_huawei_read_accelerators(const struct iso_huawei_fetch *fetch, const char *name,
                                             const struct iso_json *specs,
                                             struct iso_huawei_type *type, struct iso_error *reterr)
{
    static const char *const for_people[] = {"info:gpu:name", "info:ascend:name"};
    static const char *const for_machines[] = {"pci_passthrough:alias",
                                               "pci_passthrough:gpu_specs"};
    const char *category = iso_json_text_at(specs, "ecs:performancetype");
    bool shared = strstr(iso_json_text_at(specs, "pci_passthrough:gpu_specs"), ":virt:") != NULL;
    bool found = false;
    char place[ISO_HUAWEI_PLACE_BYTES];

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(for_people) && !found; i++)
        found = read_for_people(iso_json_text_at(specs, for_people[i]), fetch->kept, type);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(for_machines) && !found; i++)
        found = read_for_machines(iso_json_text_at(specs, for_machines[i]), fetch->kept, type);
    if (found && !type->gpu_model)
        return iso_huawei_full(reterr);
    if (found && !shared)
        return ISO_OK;
    if (!found && strcmp(category, "gpu") != 0 && strcmp(category, "ascend") != 0) {
        type->resources[ISO_PLUGIN_RESOURCE_GPU] = (struct iso_amount){true, 0};
        return ISO_OK;
    }
    type->resources[ISO_PLUGIN_RESOURCE_GPU] = (struct iso_amount){0};
    return iso_report(fetch->sink, "unknown_gpu_share", /* quarantined= */ false,
                      iso_huawei_place_of(fetch, name, place), "%s", reterr,
                      found ? "a part of a GPU, and nothing says which"
                            : "it has accelerators, and nothing says how many");
}
