/* Components that are equal but for the names in them have the same plan. */
#ifndef ISOCOST_TWIN_H
#define ISOCOST_TWIN_H

#include "split.h"

/* Whether a plan of one part is, index by index, a plan of the other at the same cost and with the
 * same proof. Says no when in doubt. */
bool iso_parts_are_equal(const struct iso_part *one, const struct iso_part *other);

#endif
