/* clock.h -- the two clocks of the project.
 *
 * Waits, deadlines and leases use the monotonic clock, so that a jump of the wall clock
 * moves nothing; only the times that people read come from the wall clock.
 */
#ifndef SHARED_BASE_CLOCK_H
#define SHARED_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds (microseconds) since an arbitrary start; never goes back. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

#endif
