/* Prices that depend on volume; see struct iso_volume. */
#include "isocost/problem.h"

const struct iso_volume *iso_problem_volume(const struct iso_problem *problem, int32_t offering,
                                            int32_t period)
{
    for (int32_t i = 0; i < problem->n_volumes; i++)
        if (problem->volumes[i].offerings[offering] && problem->volumes[i].periods[period])
            return &problem->volumes[i];
    return NULL;
}

iso_decimal iso_volume_least_factor(const struct iso_volume *volume)
{
    iso_decimal least = ISO_DECIMAL_ONE;

    for (int32_t i = 0; i < volume->n_steps; i++)
        if (volume->steps[i].factor < least)
            least = volume->steps[i].factor;
    return least;
}
