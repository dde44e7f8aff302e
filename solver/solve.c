#include "isocost/solve.h"

#include <glpk.h>

const char *iso_glpk_version(void)
{
    return glp_version();
}
