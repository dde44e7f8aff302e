#include "provider_alias.h"

#include <stdbool.h>
#include <stdint.h>

/* Keys are lower case without blanks, dots, hyphens and underscores. */
static const struct {
    const char *key, *provider;
} aliases[] = {
    {"aws", "aws"},
    {"amazon", "aws"},
    {"amazonaws", "aws"},
    {"amazonwebservices", "aws"},
    {"amazonwebservices,inc", "aws"},
    {"亚马逊", "aws"},
    {"亚马逊云", "aws"},
    {"亚马逊云科技", "aws"},
    {"azure", "azure"},
    {"microsoft", "azure"},
    {"microsoftazure", "azure"},
    {"微软", "azure"},
    {"微软云", "azure"},
    {"gcp", "gcp"},
    {"google", "gcp"},
    {"googlecloud", "gcp"},
    {"googlecloudplatform", "gcp"},
    {"谷歌云", "gcp"},
    {"alibaba", "alibaba"},
    {"alibabacloud", "alibaba"},
    {"alicloud", "alibaba"},
    {"aliyun", "alibaba"},
    {"阿里", "alibaba"},
    {"阿里云", "alibaba"},
    {"阿里雲", "alibaba"},
    {"阿里巴巴", "alibaba"},
    {"huawei", "huawei"},
    {"huaweicloud", "huawei"},
    {"华为", "huawei"},
    {"华为云", "huawei"},
    {"華為雲", "huawei"},
    {"tencent", "tencent"},
    {"tencentcloud", "tencent"},
    {"qcloud", "tencent"},
    {"腾讯云", "tencent"},
    {"oracle", "oci"},
    {"oraclecloud", "oci"},
    {"oraclecloudinfrastructure", "oci"},
    {"oci", "oci"},
    {"ibm", "ibm"},
    {"ibmcloud", "ibm"},
};

/* Copies `name` with full-width ASCII (U+FF01..U+FF5E) and the ideographic blank made plain and
 * letters lowered; false when it does not fit. */
static bool plain_copy(const char *name, char *buffer, size_t size)
{
    const unsigned char *p = (const unsigned char *)name;
    size_t n = 0;

    while (*p) {
        unsigned char c = *p;
        if (p[0] == 0xEF && (p[1] == 0xBC || p[1] == 0xBD) && p[2] >= 0x80) {
            /* EF BC 81 is U+FF01; the code point less 0xFEE0 is ASCII. */
            uint32_t code = 0xF000u | ((uint32_t)(p[1] & 0x3F) << 6) | (uint32_t)(p[2] & 0x3F);
            if (code < 0xFF01 || code > 0xFF5E)
                return false;
            c = (unsigned char)(code - 0xFEE0);
            p += 3;
        } else if (p[0] == 0xE3 && p[1] == 0x80 && p[2] == 0x80) {
            c = ' ';
            p += 3;
        } else {
            p++;
        }
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if (n + 1 >= size)
            return false;
        buffer[n++] = (char)c;
    }
    buffer[n] = '\0';
    return true;
}

static bool is_word(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= 64 && text[0] != '-' && text[0] != '_' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

const char *iso_provider_fold(const char *name, char buffer[ISO_PROVIDER_BUFFER_SIZE])
{
    char key[ISO_PROVIDER_BUFFER_SIZE];
    size_t n = 0;

    if (!plain_copy(name, buffer, ISO_PROVIDER_BUFFER_SIZE))
        return is_word(name) ? name : NULL;
    for (const char *p = buffer; *p; p++)
        if (!strchr(" .-_", *p))
            key[n++] = *p;
    key[n] = '\0';
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(aliases); i++)
        if (strcmp(key, aliases[i].key) == 0)
            return aliases[i].provider;
    return is_word(buffer) ? buffer : NULL;
}
