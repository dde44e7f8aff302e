/* GLPK ends the process on an internal error unless its hook jumps. GLPK_GUARD(reterr) makes the
 * calling function the landing point: after a jump the thread's whole GLPK environment is freed and
 * the function returns ISO_E_BACKEND. A function that uses it owns nothing the jump could leak. */
#ifndef ISOCOST_GLPK_GUARD_H
#define ISOCOST_GLPK_GUARD_H

#include <setjmp.h>

#include "isocost/base/status.h"

extern _Thread_local jmp_buf iso_glpk_landing;

/* Rises with each jump: objects made before it are gone. */
unsigned iso_glpk_generation(void);

/* Installs the hooks of this thread. */
void iso_glpk_arm(void);

/* Calls `work` on a thread of its own, which has a GLPK environment of its own, and waits for it:
 * an internal error there leaves the objects of this thread as they are. Errors: those of `work`;
 * ISO_E_NOMEM where no thread can be made. */
enum iso_status iso_glpk_apart(enum iso_status (*work)(void *context), void *context);

/* GLPK's name for a pair of bounds; infinite = none. */
int iso_glpk_bound_type(double lower, double upper);

#define ISO_GLPK_GUARD(reterr)                                                               \
    do {                                                                                     \
        iso_glpk_arm();                                                                      \
        if (setjmp(iso_glpk_landing) != 0)                                                   \
            return iso_fail(reterr, ISO_E_BACKEND, "", "GLPK stopped on an internal error"); \
    } while (0)

#endif
