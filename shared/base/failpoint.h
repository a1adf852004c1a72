/* failpoint.h -- named places in the code at which a test can make something go wrong.
 *
 *     code = FAILPOINT("store.committed", err);
 *
 * In every build but the preset "faults" (CMake option ANALYTICS_FAILPOINTS) that is the
 * constant ERR_OK, and the compiler leaves nothing of it.  There the environment says what
 * happens where:
 *
 *     FAILPOINTS=name:action[:nth][,name:action[:nth]...]
 *
 *   exit   the process ends itself, with FAILPOINT_EXIT_CODE and without any clean-up
 *   kill   it is ended by SIGKILL
 *   stop   it is paused by SIGSTOP, and goes on after SIGCONT
 *   error  the place fails: ERR_UNAVAILABLE, as when a server is lost
 *
 * each once, at the nth time (1 if not given) that the place is reached.  What happens is
 * said on stderr first: "failpoint <name> <action>".  The tests find the names by reading
 * the sources, so every place is tried with every action.
 *
 * A name is <part>.<place>, the place a word for what has just happened or is next.
 */
#ifndef SHARED_BASE_FAILPOINT_H
#define SHARED_BASE_FAILPOINT_H

#include "shared/base/err.h"

enum {
    FAILPOINT_EXIT_CODE = 70
};

#ifdef ANALYTICS_FAILPOINTS
#define FAILPOINT(name, err) failpoint_reach(name, err)
#else
#define FAILPOINT(name, err) ((void)(err), (enum err_code)ERR_OK)
#endif

/* Does what FAILPOINTS says about the place.  From any thread.  Ends the process when
 * FAILPOINTS itself is wrong: a test that misses its place must not pass.
 *
 * ERR_UNAVAILABLE  the place is to fail */
enum err_code failpoint_reach(const char *name, struct err *err);

#endif
