/* Selectors as text, for a cell of a table.
 *
 *     selector  = term *( ";" term )              any of the terms
 *     term      = "*" | condition *( " " condition )   all of the conditions
 *     condition = field ":" value *( "|" value )  any of the values
 *               | provider "/" region "/" type    each of them a value or "*"
 *               | offering                        a whole id of six parts
 *     field     = "provider" | "region" | "zone" | "family" | "type" | "arch" | "os" | "purchase"
 *               | "kind" | "offering" | "label." key
 *
 * A value may end in "*", which stands for any rest. */
#ifndef ISOCOST_SDK_SELECTOR_H
#define ISOCOST_SDK_SELECTOR_H

#include "isocost/plugin.h"
#include "isocost/sdk/scratch.h"

/* Reads the terms of a selector; NULL and "" give none. They live in the scratch memory. Errors:
 * ISO_E_INVALID, ISO_E_NOMEM. */
enum iso_status iso_terms_read(const char *text, struct iso_scratch *scratch,
                               const struct iso_plugin_term **ret_terms, size_t *ret_n,
                               struct iso_error *reterr);

/* Reads rates: one number for all instances, or `term=number` with ";" between. `ratio` tells
 * whether the numbers are price ratios or units. NULL and "" give none. Errors: as above. */
enum iso_status iso_rates_read(const char *text, bool ratio, struct iso_scratch *scratch,
                               const struct iso_plugin_rate **ret_rates, size_t *ret_n,
                               struct iso_error *reterr);

/* The field of a name, or -1. Labels have no name of their own. */
int32_t iso_field_by_name(const char *name, size_t n_bytes);

/* Checks the word of a purchase or kind, and gives the one that the ABI wants. Other fields take
 * any value. Errors: ISO_E_INVALID. */
enum iso_status iso_condition_value(int32_t field, const char *value, const char **ret_value,
                                    struct iso_error *reterr);

#endif
