/* conf_internal.h -- what the files of conf.h share; nobody else includes it. */
#ifndef SHARED_DAEMON_CONF_INTERNAL_H
#define SHARED_DAEMON_CONF_INTERNAL_H

#include "shared/daemon/conf.h"

/* The item after this one: a command's own come first, then those of its daemon.  NULL
 * after the last. */
const struct conf_item *conf_next_item(const struct conf_program *program,
                                       const struct conf_item *item);

/* Puts a value into the item's field; ERR_CONFIG with a sentence when it does not fit. */
enum err_code conf_set_value(const struct conf_item *item, const char *value, void *conf,
                             struct err *err) MUST_CHECK;

/* Reads each URL whose NAME_FILE names a file; ERR_CONFIG when it is given twice. */
enum err_code conf_load_url_files(const struct conf_program *program, void *conf,
                                  struct err *err) MUST_CHECK;

#endif
