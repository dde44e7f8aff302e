/* One word for each provider. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provider_alias.h"

static void spellings_of_one_provider_fold_to_one_word(void **state)
{
    static const struct {
        const char *name, *word;
    } cases[] = {
        {"aws", "aws"},
        {"AWS", "aws"},
        {"Amazon Web Services", "aws"},
        {"阿里云", "alibaba"},
        {"阿里雲", "alibaba"},
        {"Alibaba Cloud", "alibaba"},
        {"aliyun", "alibaba"},
        {"AlibabaCloud", "alibaba"},
        {"ALIBABA", "alibaba"},
        {"华为云", "huawei"},
        {"Huawei Cloud", "huawei"},
        {"huaweicloud", "huawei"},
        {"HUAWEI CLOUD", "huawei"},
        {"Ｈｕａｗｅｉ　Ｃｌｏｕｄ", "huawei"}, /* full-width letters and blank */
        {"Microsoft", "azure"},
        {"Google Cloud Platform", "gcp"},
        {"gcp", "gcp"},
        {"NCPVPC", "ncpvpc"}, /* no alias: the word itself, in lower case */
        {"my-cloud_2", "my-cloud_2"},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    };
    char buffer[ISO_PROVIDER_BUFFER_SIZE];

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        const char *word = iso_provider_fold(cases[i].name, buffer);
        assert_non_null(word);
        assert_string_equal(word, cases[i].word);
    }
}

static void names_that_can_be_no_provider_are_refused(void **state)
{
    static const char *const names[] = {
        "",
        "  ",
        "a/b",
        "-cloud",
        "some cloud",
        "天翼云",
        "\xff\xfe",
        "a\nb",
        "\xef",
        "\xef\xbc", /* a full-width letter cut short */
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX",
    };
    char buffer[ISO_PROVIDER_BUFFER_SIZE];

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(names); i++)
        assert_null(iso_provider_fold(names[i], buffer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_one_provider_fold_to_one_word),
        cmocka_unit_test(names_that_can_be_no_provider_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
