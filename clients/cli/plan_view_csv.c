#include <string.h>

#include "cents.h"
#include "plan_view.h"

/* RFC 4180: quoted when it has a comma, a quote or a line end. */
static void put_cell(const char *text, char end, FILE *stream)
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

static void put_number(double value, char end, FILE *stream)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (iso_decimal_from_double(value, &decimal, NULL) == ISO_OK)
        fputs(iso_decimal_format(decimal, text), stream);
    else
        fprintf(stream, "%.17g", value);
    fputc(end, stream);
}

static void put_money(const Google__Type__Money *money, char end, FILE *stream)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (money && iso_wide_to_decimal(iso_money_nanos(money), &decimal))
        fputs(iso_decimal_format(decimal, text), stream);
    fputc(end, stream);
}

void iso_plan_view_csv(const Isocost__V1__Plan *plan, FILE *stream)
{
    fputs("kind,period,last_period,periods,workload,team,offering,product,quantity,served,"
          "unit_price,currency,hours,rate,cost,cost_currency,from,to,reason\n",
          stream);
    for (size_t i = 0; i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value(
            &isocost__v1__line_kind__descriptor, (int)line->kind);
        put_cell(kind ? kind->name + strlen("LINE_KIND_") : "", ',', stream);
        put_cell(line->period, ',', stream);
        put_cell(line->last_period, ',', stream);
        fprintf(stream, "%d,", line->periods);
        put_cell(line->workload, ',', stream);
        put_cell(line->team, ',', stream);
        put_cell(line->offering, ',', stream);
        put_cell(line->product, ',', stream);
        put_number(line->quantity, ',', stream);
        put_number(line->served, ',', stream);
        put_money(line->unit_price, ',', stream);
        put_cell(line->unit_price ? line->unit_price->currency_code : "", ',', stream);
        put_number(line->hours, ',', stream);
        put_number(line->rate, ',', stream);
        put_money(line->cost, ',', stream);
        put_cell(line->cost ? line->cost->currency_code : "", ',', stream);
        put_cell(line->from, ',', stream);
        put_cell(line->to, ',', stream);
        put_cell(line->reason, '\n', stream);
    }
}
