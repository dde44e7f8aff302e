/* Moves of commitments. */
#include "improve.h"

enum iso_status iso_move_commitments(struct iso_improver *improver, struct iso_error *reterr)
{
    (void)improver;
    (void)reterr;
    return ISO_OK;
}
