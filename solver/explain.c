#include "explain.h"

enum iso_status iso_explain(struct iso_search *search, struct iso_error *reterr)
{
    (void)search;
    (void)reterr;
    return ISO_OK;
}
