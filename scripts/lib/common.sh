# shellcheck shell=bash
# common.sh -- what every script of this folder stands on: where things are, how to speak,
# how to fail, and how a setting is looked up.  Sourced, never run.

set +o posix # which a bash that is called sh begins with
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) || {
    echo "${0##*/}: bash 5.1 or newer is needed; this is $BASH_VERSION" >&2
    exit 1
}

# Those of 0 to 2 that are closed would be the next file that is opened; bash itself has opened
# the script by then.
[[ -e /proc/self/fd/0 && ! /proc/self/fd/0 -ef $0 ]] || exec </dev/null
[[ -e /proc/self/fd/1 && ! /proc/self/fd/1 -ef $0 ]] || exec >/dev/null
[[ -e /proc/self/fd/2 && ! /proc/self/fd/2 -ef $0 ]] || exec 2>/dev/null

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

# Fails where the file .env is one that other users have a hand in, as the daemons do
# (shared/daemon/conf_file.c): it has URLs and keys, and says what is run.
env_file_check() {
    local file=$ROOT/.env mode owner folder_mode folder_owner

    [[ -e $file ]] || return 0
    read -r mode owner < <(stat -L -c '%a %u' "$file")
    read -r folder_mode folder_owner < <(stat -c '%a %u' "$ROOT")
    if [[ -f $file ]] && ((8#$mode & 8#002)); then
        die ".env: any user of the machine may write to it: chmod o-w $file"
    fi
    if ((8#$folder_mode & 8#002 && !(8#$folder_mode & 8#1000))); then
        die ".env: any user of the machine may replace it: chmod o-w $ROOT"
    fi
    [[ $owner == 0 || $owner == "$EUID" || $owner == "$folder_owner" ]] ||
        die ".env belongs to another user: $file"
    if ((8#$mode & 8#004)) && grep -Eq \
        '^[^#]*((KEY|TOKEN|PASSWORD)[[:space:]]*=[[:space:]]*[^[:space:]]|://[^/]*:[^/]*@)' "$file"; then
        say "Warning: any user of the machine may read the secret in .env: chmod o-r $file"
    fi
}

# Whether a user number is somebody's, and neither ours nor root's.  Containers often have
# files of a number that nobody has; who could misuse them is not there.
is_other_user() {
    [[ $1 != 0 && $1 != "$EUID" ]] && getent passwd "$1" >/dev/null
}

# Goes on as the owner of the clone where root was called in somebody else's: root opens,
# makes and chowns no name in a folder of another user, who could make it any file.  What
# root is needed for, installing packages, comes before.
#   leave_root ARGUMENT...
leave_root() {
    local owner name group home

    is_root || return 0
    owner=$(stat -c %u "$ROOT")
    is_other_user "$owner" || return 0
    IFS=: read -r name _ _ group _ home _ < <(getent passwd "$owner")
    say "Going on as $name, to whom this folder belongs."
    exec setpriv --reuid "$owner" --regid "$group" --init-groups --no-new-privs \
        --inh-caps=-all -- env HOME="$home" USER="$name" LOGNAME="$name" \
        "$ROOT/scripts/${0##*/}" "$@"
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

    # A leading zero is octal to some readers and decimal to others.
    if ! [[ $value =~ ^[1-9][0-9]{0,4}$ ]] || ((value > 65535)); then
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
