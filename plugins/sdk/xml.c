#include "isocost/sdk/xml.h"

#include <ctype.h>
#include <expat.h>
#include <stdint.h>

#include "isocost/sdk/scratch.h"

#define TEXT_GROWTH_BYTES ((size_t)256)

struct iso_xml_element {
    const char *name, *text; /* text: "" while the element is open */
    struct iso_xml_element *first, *last, *next, *parent;
};

struct iso_xml {
    struct iso_scratch *memory; /* of all elements */
    struct iso_xml_element *root;
};

/* A reading under way. */
struct reading {
    XML_Parser parser;
    struct iso_xml *document;
    struct iso_xml_element *open; /* the innermost */
    int depth;
    char *text; /* since the last tag */
    size_t n_text, text_capacity;
    struct iso_error *error;
    enum iso_status status;
};

static void fail(struct reading *reading, enum iso_status status, const char *what)
{
    if (reading->status == ISO_OK)
        reading->status = iso_fail(reading->error, status, "", "XML at line %lu: %s",
                                   (unsigned long)XML_GetCurrentLineNumber(reading->parser), what);
    XML_StopParser(reading->parser, XML_FALSE);
}

static void fail_full(struct reading *reading)
{
    fail(reading, ISO_E_LIMIT, "the document needs more memory than is allowed");
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct reading *reading = context;
    struct iso_scratch *memory = reading->document->memory;
    struct iso_xml_element *element = iso_scratch_calloc(memory, 1, sizeof(*element));
    const char *colon = strchr(name, ':');
    const char *local = colon ? colon + 1 : name;

    (void)attributes;
    if (element)
        element->name = iso_scratch_text(memory, local, strlen(local));
    if (!element || !element->name) {
        fail_full(reading);
        return;
    }
    if (++reading->depth > ISO_XML_DEPTH) {
        fail(reading, ISO_E_INVALID, "too many elements inside each other");
        return;
    }
    element->text = "";
    element->parent = reading->open;
    if (!element->parent)
        reading->document->root = element;
    else if (element->parent->last)
        element->parent->last->next = element;
    else
        element->parent->first = element;
    if (element->parent)
        element->parent->last = element;
    reading->open = element;
    reading->n_text = 0;
}

static void on_end(void *context, const char *name)
{
    struct reading *reading = context;
    struct iso_xml_element *element = reading->open;
    size_t first = 0, end = reading->n_text;

    (void)name;
    while (first < end && isspace((unsigned char)reading->text[first]))
        first++;
    while (end > first && isspace((unsigned char)reading->text[end - 1]))
        end--;
    if (!element->first && end > first) {
        element->text =
            iso_scratch_text(reading->document->memory, reading->text + first, end - first);
        if (!element->text) {
            element->text = "";
            fail_full(reading);
        }
    }
    reading->open = element->parent;
    reading->depth--;
    reading->n_text = 0;
}

static void on_text(void *context, const char *text, int length)
{
    struct reading *reading = context;
    size_t n = (size_t)length;

    if (reading->n_text + n > reading->text_capacity) {
        size_t capacity = 2 * (reading->n_text + n) + TEXT_GROWTH_BYTES;
        char *longer = iso_realloc(reading->text, capacity, 1);
        if (!longer) {
            fail(reading, ISO_E_NOMEM, "no memory for a text");
            return;
        }
        reading->text = longer;
        reading->text_capacity = capacity;
    }
    memcpy(reading->text + reading->n_text, text, n);
    reading->n_text += n;
}

static void on_doctype(void *context, const char *name, const char *system_id,
                       const char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    fail(context, ISO_E_INVALID, "a document type, which an answer has no need of");
}

static enum iso_status parse(struct reading *reading, const char *bytes, size_t n_bytes,
                             struct iso_error *reterr)
{
    if (n_bytes > INT32_MAX)
        return iso_fail(reterr, ISO_E_LIMIT, "", "more than 2 GiB of XML");
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading->parser, on_doctype);
    if (XML_Parse(reading->parser, bytes, (int)n_bytes, XML_TRUE) != XML_STATUS_OK)
        fail(reading, ISO_E_INVALID, XML_ErrorString(XML_GetErrorCode(reading->parser)));
    return reading->status;
}

enum iso_status iso_xml_read(const void *bytes, size_t n_bytes, struct iso_xml **ret_document,
                             struct iso_error *reterr)
{
    ISO_AUTO(iso_xml) document = iso_calloc(1, sizeof(*document));
    struct reading reading = {.document = document, .error = reterr};

    if (document)
        document->memory = iso_scratch_new(ISO_XML_BYTES);
    if (document && document->memory)
        reading.parser = XML_ParserCreate(NULL);
    if (!reading.parser)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an XML document");
    enum iso_status status = parse(&reading, bytes, n_bytes, reterr);
    XML_ParserFree(reading.parser);
    free(reading.text);
    if (status == ISO_OK)
        *ret_document = ISO_STEAL(document);
    return status;
}

void iso_xml_free(struct iso_xml *document)
{
    if (!document)
        return;
    iso_scratch_free(document->memory);
    free(document);
}

const struct iso_xml_element *iso_xml_root(const struct iso_xml *document)
{
    return document ? document->root : NULL;
}

const char *iso_xml_name(const struct iso_xml_element *element)
{
    return element ? element->name : "";
}

/* From `element` on, the first of its siblings whose name is the first n bytes of `name`. */
static const struct iso_xml_element *named(const struct iso_xml_element *element, const char *name,
                                           size_t n)
{
    while (element && (strncmp(element->name, name, n) != 0 || element->name[n]))
        element = element->next;
    return element;
}

const struct iso_xml_element *iso_xml_at(const struct iso_xml_element *element, const char *path)
{
    while (element && *path) {
        size_t n = strcspn(path, ".");
        element = named(element->first, path, n);
        path += n;
        path += *path == '.';
    }
    return element;
}

const struct iso_xml_element *iso_xml_next(const struct iso_xml_element *element)
{
    return element ? named(element->next, element->name, strlen(element->name)) : NULL;
}

const char *iso_xml_text(const struct iso_xml_element *element)
{
    return element ? element->text : "";
}

const char *iso_xml_text_at(const struct iso_xml_element *element, const char *path)
{
    return iso_xml_text(iso_xml_at(element, path));
}
