#include "exit_code.h"

enum iso_exit_code iso_exit_code_of_status(enum iso_status status)
{
    switch (status) {
    case ISO_OK:
        return ISO_EXIT_OK;
    case ISO_E_INVALID:
        return ISO_EXIT_INVALID;
    case ISO_E_UNAVAILABLE:
        return ISO_EXIT_UNREACHABLE;
    case ISO_E_DENIED:
    case ISO_E_UNAUTHENTICATED:
        return ISO_EXIT_DENIED;
    case ISO_E_EXISTS:
    case ISO_E_CONFLICT:
    case ISO_E_PRECONDITION:
        return ISO_EXIT_CONFLICT;
    case ISO_E_DEADLINE:
        return ISO_EXIT_STOPPED_WITHOUT_PLAN;
    case ISO_E_CANCELLED:
        return ISO_EXIT_INTERRUPTED;
    default:
        return ISO_EXIT_OTHER;
    }
}

enum iso_exit_code iso_exit_code_of_plan(const Isocost__V1__Plan *plan)
{
    if (plan->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED)
        return ISO_EXIT_OTHER;
    if (!plan->termination)
        return plan->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED
                   ? ISO_EXIT_STOPPED_WITHOUT_PLAN
                   : ISO_EXIT_OK;
    switch (plan->termination->reason) {
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE:
        return ISO_EXIT_STOPPED_WITH_PLAN; /* before the gap asked was proved */
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE:
        return ISO_EXIT_INFEASIBLE;
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_NO_PLAN_FOUND:
        return ISO_EXIT_STOPPED_WITHOUT_PLAN;
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_UNBOUNDED:
        return ISO_EXIT_INVALID;
    default:
        return ISO_EXIT_OK;
    }
}
