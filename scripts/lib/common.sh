# shellcheck shell=bash
# common.sh -- what every script of this folder stands on: where things are, how to speak,
# how to fail, and how a setting is looked up.  Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
readonly ROOT

# Says something to the person in front; never to a program, so it goes to stderr.
say() {
    printf '%s\n' "$*" >&2
}

# Fails with one sentence.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

enter() {
    cd "$1" || die "could not enter the folder $1"
}

is_root() {
    [[ $EUID -eq 0 ]]
}

# Prints the value that the file .env gives to NAME, by the rules of shared/daemon/conf_env.c:
# NAME=value lines, "export " allowed, one pair of quotes around the value taken off.
env_file_value() {
    local name=$1 line value=

    [[ -r $ROOT/.env ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z0-9_]+)[[:space:]]*=[[:space:]]*(.*)$ &&
            ${BASH_REMATCH[2]} == "$name" ]]; then
            value=${BASH_REMATCH[3]}
            value=${value%"${value##*[![:space:]]}"}
            if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then
                value=${BASH_REMATCH[1]}
            fi
        fi
    done <"$ROOT/.env"
    printf '%s' "$value"
}

# Prints the setting NAME: from the environment, else from .env, else the default.  An
# empty value counts as not set, as it does for the daemons.
setting() {
    local name=$1 default=${2-} value=${!1-}

    [[ -n $value ]] || value=$(env_file_value "$name")
    printf '%s' "${value:-$default}"
}

# Fails unless the value of the setting NAME is a port.
check_port() {
    local name=$1 value=$2

    if ! [[ $value =~ ^[0-9]{1,5}$ ]] || ((10#$value < 1 || 10#$value > 65535)); then
        die "$name is \"$value\", which is not a port (1 to 65535)"
    fi
}

# Whether anything listens on the TCP port, on any address.
port_is_taken() {
    local hex table

    hex=$(printf '%04X' "$1")
    for table in /proc/net/tcp /proc/net/tcp6; do
        # Column 2 is address:port, column 4 the state; 0A is LISTEN.
        if [[ -r $table ]] &&
            awk -v end=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == end { hit = 1 }
                END { exit !hit }' "$table"; then
            return 0
        fi
    done
    return 1
}

# Prints the first port from $1 on that nobody listens on.
free_port() {
    local port

    for ((port = $1; port < $1 + 200; port++)); do
        if ! port_is_taken "$port"; then
            printf '%s' "$port"
            return 0
        fi
    done
    die "no free port between $1 and $port"
}

# Runs a command in silence; when it fails, shows the end of what it said.  $1 is a file for
# the output, $2 what is being done.
quietly() {
    local log=$1 what=$2
    shift 2

    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "$what failed (all of its output: $log)"
    fi
}
