/* Names of the price list: the family of a SKU is only in the words of its description.
 *
 *     [Spot Preemptible] N2D AMD Instance Core running in Americas
 *     Commitment v1: N2D AMD Cpu in Americas for 1 Year
 *     Nvidia L4 GPU attached to Spot Preemptible VMs running in Americas
 *
 * What is left of the words before the place, without the part and "Instance", must be a name of
 * the table as a whole: "M3 Memory-optimized" is not "Memory-optimized", and a name that is not
 * known is no family at all. */
#include <string.h>

#include "gcp.h"

static const struct {
    const char *name, *family;
} families[] = {
    {"N1 Predefined", "n1"},
    {"", "n1"}, /* "Commitment v1: Cpu in Americas for 1 Year" */
    {"N2", "n2"},
    {"N2D", "n2d"},
    {"N4", "n4"},
    {"N4A", "n4a"},
    {"N4D", "n4d"},
    {"E2", "e2"},
    {"Compute optimized", "c2"},
    {"C2D", "c2d"},
    {"C3", "c3"},
    {"C3D", "c3d"},
    {"C4", "c4"},
    {"C4A", "c4a"},
    {"C4D", "c4d"},
    {"C4N", "c4n"},
    {"T2D", "t2d"},
    {"T2A", "t2a"},
    {"H3", "h3"},
    {"Memory-optimized", "m1"}, /* m2 costs a premium more, which is left out */
    {"M3 Memory-optimized", "m3"},
    {"M3", "m3"},
    {"A2", "a2"},
    {"G2", "g2"},
};

static const struct {
    const char *name, *accelerator;
} gpus[] = {
    {"Nvidia Tesla A100", "nvidia-tesla-a100"},
    {"Nvidia Tesla A100 80GB", "nvidia-a100-80gb"},
    {"Nvidia L4", "nvidia-l4"},
};

/* A whole machine is the only part of these, and its memory costs nothing more. */
static const struct {
    const char *name, *family;
} whole[] = {
    {"Micro Instance with burstable CPU", "f1"},
    {"Small Instance with 1 VCPU", "g1"},
};

/* Words of SKUs that are no part of a predefined machine on demand, spot or committed. */
static const char *const left_out[] = {
    "Custom", "Sole Tenancy",  "Premium",  "Reserved",
    "DWS",    "Calendar Mode", "Extended", "Local SSD",
};

static bool is(const char *text, size_t n, const char *name)
{
    return n == strlen(name) && memcmp(text, name, n) == 0;
}

static void strip_before(const char **text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(*text, prefix, n) == 0)
        *text += n;
}

static void strip_behind(const char *text, size_t *n, const char *suffix)
{
    size_t n_suffix = strlen(suffix);

    if (*n >= n_suffix && memcmp(text + *n - n_suffix, suffix, n_suffix) == 0)
        *n -= n_suffix;
}

static enum iso_gcp_reading read_gpu(const char *text, const char **ret_accelerator)
{
    const char *end = strstr(text, " GPU");
    size_t n = end ? (size_t)(end - text) : strlen(text);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(gpus); i++)
        if (is(text, n, gpus[i].name)) {
            *ret_accelerator = gpus[i].accelerator;
            return ISO_GCP_NAMED;
        }
    return ISO_GCP_LEFT_OUT; /* a GPU that is attached by itself, or of machines with more parts */
}

/* Takes the last word off, which is the part. */
static bool take_part(const char *text, size_t *n, enum iso_gcp_part *ret_part)
{
    size_t start = *n;

    while (start > 0 && text[start - 1] != ' ')
        start--;
    const char *word = text + start;
    size_t n_word = *n - start;
    if (is(word, n_word, "Core") || is(word, n_word, "Cpu"))
        *ret_part = ISO_GCP_CORE;
    else if (is(word, n_word, "Ram"))
        *ret_part = ISO_GCP_MEMORY;
    else
        return false;
    *n = start > 0 ? start - 1 : 0;
    return true;
}

enum iso_gcp_reading iso_gcp_read_description(const char *description, bool gpu,
                                              const char **ret_family, enum iso_gcp_part *ret_part)
{
    const char *text = description;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(left_out); i++)
        if (strstr(text, left_out[i]))
            return ISO_GCP_LEFT_OUT;
    strip_before(&text, "Commitment v1: ");
    strip_before(&text, "Commitment: ");
    strip_before(&text, "Spot ");
    strip_before(&text, "Preemptible ");
    *ret_part = gpu ? ISO_GCP_GPU : ISO_GCP_CORE;
    if (gpu)
        return read_gpu(text, ret_family);
    const char *place = strstr(text, " in ");
    size_t n = place ? (size_t)(place - text) : strlen(text);
    strip_behind(text, &n, " running");
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(whole); i++)
        if (is(text, n, whole[i].name)) {
            *ret_family = whole[i].family;
            return ISO_GCP_NAMED;
        }
    if (!take_part(text, &n, ret_part))
        return ISO_GCP_UNKNOWN;
    strip_behind(text, &n, " Instance");
    strip_behind(text, &n, " AMD");
    strip_behind(text, &n, " Arm");
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(families); i++)
        if (is(text, n, families[i].name)) {
            *ret_family = families[i].family;
            return ISO_GCP_NAMED;
        }
    return ISO_GCP_UNKNOWN;
}

const char *iso_gcp_family(const char *type, struct iso_scratch *memory)
{
    /* The old names of machines with much memory, which are charged as m1. */
    if (strncmp(type, "n1-megamem-", strlen("n1-megamem-")) == 0 ||
        strncmp(type, "n1-ultramem-", strlen("n1-ultramem-")) == 0)
        return "m1";
    return iso_scratch_text(memory, type, strcspn(type, "-"));
}

int64_t iso_gcp_cores_percent(const char *type, int64_t vcpus)
{
    static const struct {
        const char *type;
        int64_t percent;
    } shared[] = {
        {"e2-micro", 25},  {"e2-small", 50},  {"e2-medium", 100},
        {"f1-micro", 100}, {"g1-small", 100},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(shared); i++)
        if (strcmp(type, shared[i].type) == 0)
            return shared[i].percent;
    return 100 * vcpus;
}
