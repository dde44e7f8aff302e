#include "field_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Writes from the end, so that the innermost names survive a path that is too long. */
struct tail {
    char *buffer;
    size_t start;
    bool cut;
};

static void prepend(struct tail *tail, const char *text)
{
    size_t length = strlen(text);

    if (tail->cut)
        return;
    if (length > tail->start) {
        tail->cut = true;
        return;
    }
    tail->start -= length;
    memcpy(tail->buffer + tail->start, text, length);
}

char *iso_field_path_text(const struct iso_field_path *path, char buffer[ISO_FIELD_PATH_SIZE])
{
    struct tail tail = {.buffer = buffer, .start = ISO_FIELD_PATH_SIZE - 1};
    bool first = true;

    buffer[ISO_FIELD_PATH_SIZE - 1] = '\0';
    for (const struct iso_field_path *p = path; p; p = p->parent) {
        char index[24] = "";

        if (p->name[0] == '\0' && p->index < 0)
            continue;
        if (!first && buffer[tail.start] != '[')
            prepend(&tail, ".");
        first = false;
        if (p->index >= 0)
            snprintf(index, sizeof(index), "[%ld]", p->index);
        prepend(&tail, index);
        prepend(&tail, p->name);
    }
    memmove(buffer, buffer + tail.start, ISO_FIELD_PATH_SIZE - tail.start);
    return buffer;
}
