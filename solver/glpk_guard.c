#include "glpk_guard.h"

#include <glpk.h>
#include <math.h>
#include <pthread.h>

#include "isocost/solve.h"

_Thread_local jmp_buf iso_glpk_landing;
static _Thread_local unsigned generation;

static void on_fatal(void *unused)
{
    (void)unused;
    generation++;
    glp_free_env();
    longjmp(iso_glpk_landing, 1);
}

/* Swallows GLPK's messages: it prints some even with its terminal off. */
static int on_text(void *unused, const char *text)
{
    (void)unused;
    (void)text;
    return 1;
}

unsigned iso_glpk_generation(void)
{
    return generation;
}

void iso_glpk_arm(void)
{
    glp_error_hook(on_fatal, NULL);
    glp_term_hook(on_text, NULL);
    glp_term_out(GLP_OFF);
}

struct apart {
    enum iso_status (*work)(void *context);
    void *context;
    enum iso_status status;
};

static void *work_apart(void *argument)
{
    struct apart *apart = argument;

    apart->status = apart->work(apart->context);
    glp_free_env(); /* the thread's */
    return NULL;
}

enum iso_status iso_glpk_apart(enum iso_status (*work)(void *context), void *context)
{
    struct apart apart = {work, context, ISO_OK};
    pthread_t thread;

    if (pthread_create(&thread, NULL, work_apart, &apart) != 0)
        return ISO_E_NOMEM;
    pthread_join(thread, NULL);
    return apart.status;
}

int iso_glpk_bound_type(double lower, double upper)
{
    if (isinf(lower) && isinf(upper))
        return GLP_FR;
    if (isinf(upper))
        return GLP_LO;
    if (isinf(lower))
        return GLP_UP;
    return lower == upper ? GLP_FX : GLP_DB;
}

const char *iso_glpk_version(void)
{
    return glp_version();
}
