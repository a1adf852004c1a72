/* cli.h -- `processor --dead`: look through, repeat and delete dead letters.
 *
 * A program of its own that shares the daemon's settings; it may run beside any number of
 * processors.  docs/operation.md, "Dead letters". */
#ifndef PROCESSOR_DEAD_CLI_H
#define PROCESSOR_DEAD_CLI_H

#include <stdbool.h>

/* Whether the words of the command line ask for it. */
bool dead_cli_is_meant(int argc, char **argv);

/* Runs it; returns the exit code of the process. */
int dead_cli_run(int argc, char **argv);

#endif
