/* instructions.h -- what the two programs whose instructions are counted have in common. */
#ifndef TESTS_BENCH_INSTRUCTIONS_H
#define TESTS_BENCH_INSTRUCTIONS_H

#include <stddef.h>

/* The fixed input: bodies as clients send them, each of a different kind.  `number` goes
 * round; *ret_len is the length. */
const char *instructions_body(size_t number, size_t *ret_len);

/* The number of rounds from the command line; ends the program when there is none. */
size_t instructions_rounds(int argc, char **argv);

/* Ends the program with the sentence when a step that cannot fail did. */
void instructions_must(int code, const char *what);

#endif
