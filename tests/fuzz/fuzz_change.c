/* Any text as a change and as a sweep: read, and what is read is written and read again as the
 * same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/change.h"
#include "isocost/proto/digest.h"

#define ARENA_BYTES ((size_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void digest(Isocost__V1__Change change, char text[ISO_DIGEST_TEXT_SIZE])
{
    char none[] = "";

    change.text = none;
    if (iso_message_digest(&change.base, NULL, text, NULL) != ISO_OK)
        abort();
}

static void read_change(const char *text, struct iso_arena *arena)
{
    char first[ISO_DIGEST_TEXT_SIZE], second[ISO_DIGEST_TEXT_SIZE], none[] = "";
    Isocost__V1__Change *change = NULL, *again = NULL;
    struct iso_text_place place = {0};
    struct iso_error error = {0};

    if (iso_change_read(text, arena, &change, &place, &error) != ISO_OK) {
        if (error.status == ISO_E_INVALID && (place.column < 1 || place.length < 1))
            abort();
        return;
    }
    digest(*change, first);
    change->text = none;
    char *written = iso_change_write(change, arena);
    if (!written && iso_arena_full(arena))
        return;
    if (!written || iso_change_read(written, arena, &again, NULL, NULL) != ISO_OK)
        abort();
    digest(*again, second);
    if (strcmp(first, second) != 0)
        abort();
}

static void read_sweep(const char *text, struct iso_arena *arena)
{
    Isocost__V1__SweepParameter *parameter = NULL;

    if (iso_sweep_read(text, arena, &parameter, NULL, NULL) != ISO_OK)
        return;
    for (size_t i = 0; i < parameter->n_values; i++)
        if (!iso_sweep_change(parameter, parameter->values[i], arena) && !iso_arena_full(arena))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct iso_arena *arena = iso_arena_new(ARENA_BYTES);
    char *text = malloc(n_bytes + 1);
    const char *list = text;

    if (arena && text) {
        memcpy(text, bytes, n_bytes);
        text[n_bytes] = '\0';
        read_change(text, arena);
        read_sweep(text, arena);
        while (iso_change_next(&list, arena))
            ;
    }
    free(text);
    iso_arena_free(arena);
    return 0;
}
