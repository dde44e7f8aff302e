#include "csv_cell.h"
#include "plan_view.h"

void iso_plan_view_csv(const Isocost__V1__Plan *plan, FILE *stream)
{
    fputs("kind,period,last_period,periods,workload,team,offering,product,quantity,served,"
          "unit_price,currency,hours,rate,cost,cost_currency,from,to,reason,price_note\n",
          stream);
    for (size_t i = 0; i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value(
            &isocost__v1__line_kind__descriptor, (int)line->kind);
        iso_csv_text(kind ? kind->name + strlen("LINE_KIND_") : "", ',', stream);
        iso_csv_text(line->period, ',', stream);
        iso_csv_text(line->last_period, ',', stream);
        fprintf(stream, "%d,", line->periods);
        iso_csv_text(line->workload, ',', stream);
        iso_csv_text(line->team, ',', stream);
        iso_csv_text(line->offering, ',', stream);
        iso_csv_text(line->product, ',', stream);
        iso_csv_number(line->quantity, ',', stream);
        iso_csv_number(line->served, ',', stream);
        iso_csv_money(line->unit_price, ',', stream);
        iso_csv_text(line->unit_price ? line->unit_price->currency_code : "", ',', stream);
        iso_csv_number(line->hours, ',', stream);
        iso_csv_number(line->rate, ',', stream);
        iso_csv_money(line->cost, ',', stream);
        iso_csv_text(line->cost ? line->cost->currency_code : "", ',', stream);
        iso_csv_text(line->from, ',', stream);
        iso_csv_text(line->to, ',', stream);
        iso_csv_text(line->reason, ',', stream);
        iso_csv_text(line->price_note, '\n', stream);
    }
}
