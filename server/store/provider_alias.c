#include "provider_alias.h"

#include <stdbool.h>

#include "plain_text.h"

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

static bool is_word(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= 64 && text[0] != '-' && text[0] != '_' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

const char *iso_provider_fold(const char *name, char buffer[ISO_PROVIDER_BUFFER_SIZE])
{
    char key[ISO_PROVIDER_BUFFER_SIZE];

    if (!iso_plain_copy(name, buffer, ISO_PROVIDER_BUFFER_SIZE))
        return is_word(name) ? name : NULL;
    iso_plain_key(buffer, " .-_", key);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(aliases); i++)
        if (strcmp(key, aliases[i].key) == 0)
            return aliases[i].provider;
    return is_word(buffer) ? buffer : NULL;
}
