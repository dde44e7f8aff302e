/* A whole XML document in memory, for answers that come a page at a time. Neither DTDs nor entities
 * of one's own are read: they are how a small document becomes an endless one. */
#ifndef ISOCOST_SDK_XML_H
#define ISOCOST_SDK_XML_H

#include "isocost/base/status.h"

#define ISO_XML_DEPTH 64
#define ISO_XML_BYTES ((size_t)256 << 20) /* most memory of a document */

struct iso_xml;

/* An element; lives as long as its document. NULL is one that is not there, and is allowed
 * wherever one is asked. Names are without their prefix: `ec2:item` is "item". */
struct iso_xml_element;

/* Reads a document; the caller frees it with iso_xml_free(). Errors: ISO_E_INVALID with the line
 * (no XML, a DTD, more nesting than ISO_XML_DEPTH), ISO_E_LIMIT (more than ISO_XML_BYTES),
 * ISO_E_NOMEM. */
enum iso_status iso_xml_read(const void *bytes, size_t n_bytes, struct iso_xml **ret_document,
                             struct iso_error *reterr);
void iso_xml_free(struct iso_xml *document); /* accepts NULL */
ISO_DEFINE_FREEP(iso_xml)

const struct iso_xml_element *iso_xml_root(const struct iso_xml *document);
const char *iso_xml_name(const struct iso_xml_element *element);

/* The first element at a path of names with '.' between, e.g. "instancesSet.item", or NULL. */
const struct iso_xml_element *iso_xml_at(const struct iso_xml_element *element, const char *path);

/* The next element of the same name beside this one: for (e = iso_xml_at(root, "set.item"); e;
 * e = iso_xml_next(e)). */
const struct iso_xml_element *iso_xml_next(const struct iso_xml_element *element);

/* The text of an element, without blank space around it; "" of one that has elements in it, or is
 * not there. */
const char *iso_xml_text(const struct iso_xml_element *element);
const char *iso_xml_text_at(const struct iso_xml_element *element, const char *path);

#endif
