#include "isocost/base/status.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int grpc_code;
    const char *text;
} rows[] = {
#define X(name, grpc_code, text) {&#name[4], grpc_code, text},
    ISO_STATUS_MAP(X)
#undef X
};

enum iso_status iso_fail(struct iso_error *reterr, enum iso_status status, const char *field,
                         const char *format, ...)
{
    va_list arguments;

    if (!reterr || reterr->status != ISO_OK)
        return status;
    reterr->status = status;
    snprintf(reterr->field, sizeof(reterr->field), "%s", field);
    va_start(arguments, format);
    vsnprintf(reterr->text, sizeof(reterr->text), format, arguments);
    va_end(arguments);
    return status;
}

const char *iso_status_text(enum iso_status status)
{
    return status < ISO_STATUS_COUNT_ ? rows[status].text : "unknown status";
}

const char *iso_status_name(enum iso_status status)
{
    return status < ISO_STATUS_COUNT_ ? rows[status].name : "UNKNOWN";
}

int iso_status_grpc_code(enum iso_status status)
{
    return status < ISO_STATUS_COUNT_ ? rows[status].grpc_code : 13;
}
