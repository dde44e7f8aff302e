/* Answers of scenarios: plans without what grows with the model, and the curves that they make. */
#ifndef ISOCOST_SERVER_SCENARIO_RESULT_H
#define ISOCOST_SERVER_SCENARIO_RESULT_H

#include <stdbool.h>

#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/session_service.pb-c.h"

/* What is measured at the points of a curve; equal to isocost.internal.v1.CurveHeight. */
enum iso_curve_height { ISO_CURVE_NONE, ISO_CURVE_COST, ISO_CURVE_SERVED };

/* A result with what its message points to. */
struct iso_scenario_result {
    Isocost__V1__ScenarioResult message; /* without name, place and values */
    Isocost__V1__Plan plan;
    Isocost__V1__PlanStats stats;
    Isocost__V1__Certificate certificate;
    Google__Rpc__Status failure;
};
/* Fills `result`, which borrows from the plan or, when that is NULL, from the error; both NULL:
 * there was no memory for an error. `base` is the model that the scenario changes. */
void iso_scenario_result_init(struct iso_scenario_result *result, enum iso_curve_height height,
                              const Isocost__V1__Model *base, const Isocost__V1__Plan *plan,
                              const Google__Rpc__Status *error);

/* What is measured of a result; NAN: nothing. */
double iso_curve_height_of(enum iso_curve_height height, const Isocost__V1__ScenarioResult *result);

struct iso_curve_point {
    bool has_value; /* one number was varied, and it was this one */
    double value;
    double height; /* NAN: none */
};
/* The point at the knee: the farthest from the straight line between the first and the last point
 * that has a height. -1: fewer than three have one, or they lie on a line. */
int iso_curve_knee(const struct iso_curve_point *points, int n);

#endif
