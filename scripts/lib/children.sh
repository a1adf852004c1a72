# shellcheck shell=bash
# shellcheck disable=SC2034 # CHILD_ENDED and CHILD_STATUS are for the script
# children.sh -- the programs that a script keeps running: started in sessions of their own
# (a Ctrl-C reaches the script alone, which stops them in order), ended by the kernel if the
# script itself is killed, stopped with a bound on the time.  Needs common.sh.
#
# Functions that start something must run in the script's own shell, not in a subshell:
# the kernel ends a child when its parent ends.

declare -A CHILD_PID=()  # by name, of those that were started and not stopped
declare -A CHILD_SINK=() # by name, the pid of the program that prefixes its lines
CHILD_SETUP=(:)          # a command that each child runs before it becomes its program
CHILD_JOB=               # the pid of the job under way, see child_job

child_is_alive() {
    [[ -n ${CHILD_PID[$1]-} ]] && kill -0 "${CHILD_PID[$1]}" 2>/dev/null
}

# Runs in the place of a child: its own session, and SIGTERM when the script is gone.  The
# kernel forgets the latter where the program changes its user.
child_exec() {
    "${CHILD_SETUP[@]}"
    exec setsid setpriv --pdeathsig TERM -- "$@"
}

# Starts a program whose output goes to a file; its input is that of the call.
#   child_start_logged NAME FILE COMMAND...
child_start_logged() {
    local name=$1 log=$2
    shift 2

    child_exec "$@" <&0 >"$log" 2>&1 &
    CHILD_PID[$name]=$!
}

# Prints the prefix of a program's lines, in a colour of its own on a terminal.
child_prefix() {
    local name=$1 colour

    if [[ ! -t 1 || -n ${NO_COLOR-} ]]; then
        printf '%-9s | ' "$name"
        return
    fi
    case $name in
    ingestion) colour=36 ;;
    processor) colour=33 ;;
    *) colour=35 ;;
    esac
    printf '\033[%sm%-9s |\033[0m ' "$colour" "$name"
}

# Starts a program whose lines are shown with its name in front.
#   child_start_shown NAME COMMAND...
child_start_shown() {
    local name=$1 prefix sink
    shift

    prefix=$(child_prefix "$name")
    # The prefixer outlives a Ctrl-C, so that the last lines are shown too; it ends with
    # the program's end of file.
    exec {sink}> >(trap '' INT TERM HUP && exec sed -u "s/^/$prefix/")
    CHILD_SINK[$name]=$!
    child_exec "$@" >&"$sink" 2>&1 </dev/null {sink}>&- &
    CHILD_PID[$name]=$!
    exec {sink}>&-
}

# Waits until a condition (a command) holds: 0 when it does, 1 after $1 seconds.
wait_for() {
    local end=$((SECONDS + $1))
    shift

    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

child_is_gone() {
    ! child_is_alive "$1"
}

sink_is_gone() {
    ! kill -0 "${CHILD_SINK[$1]}" 2>/dev/null
}

# Whether bash has lost the status of a child.  A signal that is trapped interrupts `wait`
# even between reaping a child and noting how it ended: the process is gone, bash takes it
# for running, and another `wait` for it would last until there is no child left at all.
child_is_lost() {
    child_is_gone "$1" && grep -qx "${CHILD_PID[$1]}" <<<"$(jobs -rp)"
}

# Sets CHILD_STATUS to the exit status of a child that has ended, or to "unknown", and
# forgets the child after the last of its lines was shown.
child_bury() {
    CHILD_STATUS=0
    if child_is_lost "$1"; then
        CHILD_STATUS=unknown
    else
        wait "${CHILD_PID[$1]}" || CHILD_STATUS=$?
    fi
    child_forget "$1"
}

child_forget() {
    local name=$1

    unset "CHILD_PID[$name]"
    if [[ -n ${CHILD_SINK[$name]-} ]]; then
        wait_for 2 sink_is_gone "$name" || true
        unset "CHILD_SINK[$name]"
    fi
}

# Stops the children named, all at once: a signal, and after a time the signal that nobody
# survives.  Returns 1 if one of them did not end well.
#   children_stop SIGNAL SECONDS NAME...
children_stop() {
    local signal=$1 seconds=$2 name failed=0
    shift 2

    for name in "$@"; do
        ! child_is_alive "$name" || kill -s "$signal" "${CHILD_PID[$name]}"
    done
    for name in "$@"; do
        [[ -n ${CHILD_PID[$name]-} ]] || continue
        if ! wait_for "$seconds" child_is_gone "$name"; then
            say "$name did not stop within $seconds s: killed."
            kill -s KILL "${CHILD_PID[$name]}"
        fi
        child_bury "$name"
        # 143 is a SIGTERM that came before the program had got round to handling it.
        if [[ $CHILD_STATUS != 0 && $CHILD_STATUS != 143 ]]; then
            say "$name ended with exit status $CHILD_STATUS."
            failed=1
        fi
    done
    return "$failed"
}

# Ends all children the hard way; for Postgres there is one that its own children hear of.
children_kill() {
    local name signal

    for name in "${!CHILD_PID[@]}"; do
        signal=KILL
        [[ $name != postgres ]] || signal=QUIT
        kill -s "$signal" "${CHILD_PID[$name]}" 2>/dev/null || true
    done
}

# Runs a job in silence to its end, as quietly() does, but so that a signal to the script
# interrupts it.  Its input is that of the call.
#   child_job FILE WHAT COMMAND...
child_job() {
    local log=$1 what=$2 status=0
    shift 2

    child_exec "$@" <&0 >"$log" 2>&1 &
    CHILD_JOB=$!
    wait "$CHILD_JOB" || status=$?
    CHILD_JOB=
    if [[ $status -ne 0 ]]; then
        tail -n 20 "$log" >&2
        die "$what failed (all of its output: $log)"
    fi
}

# Ends the job under way, with all that it started: it leads a process group.
child_job_abandon() {
    [[ -z $CHILD_JOB ]] || kill -s TERM -- "-$CHILD_JOB" 2>/dev/null || true
}

# Waits until any child ends; sets CHILD_ENDED to its name and CHILD_STATUS.
child_wait_any() {
    local name pid

    # `wait -n` knows nothing of one that ended while another command ran, and would wait for
    # the others.
    for name in "${!CHILD_PID[@]}"; do
        if child_is_gone "$name"; then
            CHILD_ENDED=$name
            child_bury "$name"
            return 0
        fi
    done
    CHILD_STATUS=0 CHILD_ENDED=
    wait -n -p pid "${CHILD_PID[@]}" || CHILD_STATUS=$?
    for name in "${!CHILD_PID[@]}"; do
        if [[ ${CHILD_PID[$name]} == "${pid-}" ]]; then
            CHILD_ENDED=$name
            child_forget "$name"
            return 0
        fi
    done
}
