#include "csv_cell.h"

#include <string.h>

#include "cents.h"

void iso_csv_text(const char *text, char end, FILE *stream)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stream);
    } else {
        fputc('"', stream);
        for (const char *p = text; *p; p++) {
            if (*p == '"')
                fputc('"', stream);
            fputc(*p, stream);
        }
        fputc('"', stream);
    }
    fputc(end, stream);
}

void iso_csv_number(double value, char end, FILE *stream)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (iso_decimal_from_double(value, &decimal, NULL) == ISO_OK)
        fputs(iso_decimal_format(decimal, text), stream);
    else
        fprintf(stream, "%.17g", value);
    fputc(end, stream);
}

void iso_csv_money(const Google__Type__Money *money, char end, FILE *stream)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (money && iso_wide_to_decimal(iso_money_nanos(money), &decimal))
        fputs(iso_decimal_format(decimal, text), stream);
    fputc(end, stream);
}
