/* cli.h -- `processor --sites`: list sites, set their zones, count them anew, delete them.
 *
 * A program of its own that shares the daemon's settings; it may run beside any number of
 * processors.  docs/operation.md, "Sites". */
#ifndef PROCESSOR_SITES_CLI_H
#define PROCESSOR_SITES_CLI_H

#include <stdbool.h>

/* Whether the words of the command line ask for it. */
bool sites_cli_is_meant(int argc, char **argv);

/* Runs it; returns the exit code of the process. */
int sites_cli_run(int argc, char **argv);

#endif
