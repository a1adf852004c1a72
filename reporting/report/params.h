/* params.h -- the table of parameters: who reads each, and what it is called.  Pure. */
#ifndef REPORTING_REPORT_PARAMS_H
#define REPORTING_REPORT_PARAMS_H

#include <stddef.h>

#include "reporting/report/ask.h"

/* Reads one parameter; text is NULL when it is absent. */
typedef enum err_code (*param_read_fn)(const char *text, struct ask *ask,
                                       struct err *err);

struct param {
    enum ask_param bit;
    const char *name;
    param_read_fn read;
};

/* In the order in which they are read; NULL after the last one.  Static. */
const struct param *param_at(size_t index);

#endif
