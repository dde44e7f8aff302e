/* Any bytes as XML: refused, or read into elements that can be walked and asked for by their path.
 */
#include <stdint.h>

#include "isocost/sdk/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct iso_xml_element *element)
{
    while (element) {
        const struct iso_xml_element *next = iso_xml_next(element);
        ISO_ASSERT(iso_xml_name(element) && iso_xml_text(element));
        ISO_ASSERT(!next || strcmp(iso_xml_name(next), iso_xml_name(element)) == 0);
        element = next ? next : iso_xml_at(element, "a");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ISO_AUTO(iso_xml) document = NULL;
    struct iso_error error = {0};

    if (iso_xml_read(data, size, &document, &error) == ISO_OK)
        walk(iso_xml_root(document));
    else
        ISO_ASSERT(error.text[0] && !document);
    return 0;
}
