#include "nearest.h"

#include <stdint.h>
#include <string.h>

#define COMPARED 200 /* characters; more do not count */
#define SHOWN 3

/* Least number of insertions, deletions and replacements. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[COMPARED + 1];
    size_t n_b = strnlen(b, COMPARED);

    for (size_t k = 0; k <= n_b; k++)
        row[k] = (unsigned)k;
    for (size_t i = 0; i < COMPARED && a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t k = 0; k < n_b; k++) {
            unsigned best = diagonal + (a[i] != b[k]);
            diagonal = row[k + 1];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            if (row[k] + 1 < best)
                best = row[k] + 1;
            row[k + 1] = best;
        }
    }
    return row[n_b];
}

const char *iso_nearest_names(const char *wrong, const void *names, size_t n, size_t stride,
                              struct iso_arena *arena)
{
    struct {
        const char *name;
        unsigned distance;
    } best[SHOWN + 1];
    size_t n_best = 0;
    const char *text;

    for (size_t i = 0; i < n; i++) {
        const char *name = *(char *const *)(const void *)((const char *)names + i * stride);
        unsigned distance = edit_distance(wrong, name);
        size_t place = n_best;
        while (place > 0 && best[place - 1].distance > distance) {
            best[place] = best[place - 1];
            place--;
        }
        best[place].name = name;
        best[place].distance = distance;
        n_best += n_best < SHOWN;
    }
    if (n_best == 0)
        return "; there are none";
    text = n_best == 1 ? "; there is " : "; nearest are ";
    for (size_t i = 0; text && i < n_best; i++)
        text = iso_arena_printf(arena, "%s%s%s", text,
                                i == 0            ? ""
                                : i + 1 == n_best ? " and "
                                                  : ", ",
                                best[i].name);
    return text ? text : "";
}
