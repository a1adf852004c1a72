# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # from and for the script
# daemons.sh -- what each daemon of scripts/up gets: its own settings and no others, the
# spool, and where the script is root a user without rights and a way to its program.  Needs
# common.sh, children.sh and servers.sh, and the settings of scripts/up.

declare -A DAEMON_SETTINGS=() # by daemon, the names of its settings
declare -A DAEMON_SPOOL=()    # by daemon, the folder of its data
DAEMON_BIN=                   # where the programs are
PLACES_DIR=                   # files of tor-geoipdb for ingestion, unpacked; empty: none

# Has each daemon read its settings, so that a wrong one is found before anything starts.
check_daemon_settings() {
    local name

    for name in "${DAEMONS[@]}"; do
        DAEMON_SETTINGS[$name]=$("$(binary "$name")" --help |
            sed -nE 's/^  (--([a-z0-9-]+)|([A-Z0-9_]+) \(no flag\))$/\2\3/p' |
            tr a-z- A-Z_ | tr '\n' ' ')
        PORT=${PORTS[$name]} HOST=$HOST HEALTH_PORT=${HEALTH_PORTS[$name]} \
            HEALTH_HOST=$HEALTH_HOST INGEST_THREADS=$INGEST_THREADS REDIS_URL='' \
            REDIS_URL_FILE='' DATABASE_URL='' DATABASE_URL_FILE='' \
            "$(binary "$name")" --print-config >/dev/null ||
            die "$name does not start with these settings"
    done
}

# Gives each daemon what is its own: the spool, and where this is root a copy of the programs
# that users without a way into the clone can run.
prepare_daemons() {
    local name

    DAEMON_SPOOL=([ingestion]=$SPOOL_DIR [processor]='' [reporting]='')
    check_spool
    server_make_dir ingestion "$SPOOL_DIR"
    is_root || return 0
    DAEMON_BIN=$VAR/bin
    mkdir -p "$DAEMON_BIN"
    chmod 755 "$DAEMON_BIN"
    for name in "${DAEMONS[@]}"; do
        install -m 755 "$(binary "$name")" "$DAEMON_BIN/$name"
    done
    [[ -n $PLACES_DIR ]] || return 0
    mkdir -p "$VAR/places"
    chmod 755 "$VAR/places"
    install -m 644 "$PLACES_DIR/geoip" "$PLACES_DIR/geoip6" "$VAR/places/"
}

# Fails where SPOOL_DIR is a folder of root's that root may not give away.
check_spool() {
    local above=${SPOOL_DIR%/*} name

    [[ -d $SPOOL_DIR || -d ${above:-/} ]] || die "SPOOL_DIR: there is no folder $above"
    is_root || return 0
    if [[ ! -d $SPOOL_DIR ]]; then
        ! is_other_user "$(stat -c %u "${above:-/}")" ||
            die "SPOOL_DIR: the folder $above belongs to $(stat -c %U "$above")"
        mkdir -m 700 "$SPOOL_DIR" || die "SPOOL_DIR: could not make the folder $SPOOL_DIR"
    fi
    server_check_way SPOOL_DIR "$SPOOL_DIR"
    if [[ $(stat -c %u "$SPOOL_DIR") == 0 ]]; then
        for name in "$SPOOL_DIR"/* "$SPOOL_DIR"/.[!.]*; do
            [[ ! -e $name || $name == *.spool || $name == *.damaged ]] ||
                die "SPOOL_DIR: $SPOOL_DIR belongs to root and has other things in it:" \
                    "name a folder of its own"
        done
    fi
}

# In the place of a daemon that is about to start: leaves it the settings that are its own,
# and of the rest of the environment what any program needs.  Away from the clone a daemon
# cannot read .env by itself.
daemon_environment() {
    local daemon=$1 name value

    for name in $(compgen -e); do
        case $name in
        PATH | HOME | LANG | LC_* | TZ) ;;
        PG*) [[ $daemon != ingestion ]] || export -n "${name?}" ;;
        *) [[ " ${DAEMON_SETTINGS[$daemon]} " == *" $name "* ]] || export -n "${name?}" ;;
        esac
    done
    if is_root; then
        export HOME=/ # it has none; libpq takes one that it may not enter for an error
        for name in ${DAEMON_SETTINGS[$daemon]}; do
            value=$(setting "$name")
            [[ -z $value ]] || declare -gx "$name=$value"
        done
    fi
    export PORT=${PORTS[$daemon]} HOST HEALTH_PORT=${HEALTH_PORTS[$daemon]} HEALTH_HOST
    case $daemon in
    ingestion) export INGEST_THREADS SPOOL_DIR && daemon_places ;;&
    ingestion | processor) daemon_url REDIS_URL "${REDIS_URLS[$daemon]}" ;;&
    processor | reporting) daemon_url DATABASE_URL "${DATABASE_URLS[$daemon]}" ;;
    esac
}

# Tells ingestion where the countries are; where this is root, a descriptor is the only way to
# them, see daemon_command.
daemon_places() {
    [[ -n $PLACES_DIR ]] || return 0
    GEOIP_TEXT_DIR=$PLACES_DIR
    ! is_root || GEOIP_TEXT_DIR=/proc/self/fd/8
    export GEOIP_TEXT_DIR
}

# Gives a daemon the URL $1; where it is in a file that the daemon can read, by its name.
daemon_url() {
    local file

    file=$(setting "$1_FILE")
    unset "$1" "$1_FILE"
    if [[ -n $file ]] && ! is_root; then
        declare -gx "$1_FILE=$file"
    else
        declare -gx "$1=$2"
    fi
}

# Where this is root, the daemon will not be: what it cannot read by itself is read for it.
daemon_read_secrets() {
    local daemon=$1 name file line

    for name in ${DAEMON_SETTINGS[$daemon]}; do
        [[ $name == *_FILE && -n ${!name-} ]] || continue
        file=${!name}
        [[ $file == /* ]] || file=$ROOT/$file
        declare -gx "$name=$file"
        ! "${SERVER_DROP[@]}" test -r "$file" || continue
        [[ " ${DAEMON_SETTINGS[$daemon]} " == *" ${name%_FILE} "* ]] ||
            die "$name: $daemon, which is not root, cannot read $file"
        ! { [[ -e $file ]] && is_other_user "$(stat -L -c %u "$file")"; } ||
            die "$name: $daemon cannot read $file, which belongs to another user"
        { read -r line || [[ -n $line ]]; } <"$file" ||
            die "$name: could not read a line of $file"
        unset "$name"
        declare -gx "${name%_FILE}=${line%$'\r'}"
    done
}

# Runs in the place of a daemon before it starts, see CHILD_SETUP.
daemon_setup() {
    daemon_environment "$1"
    is_root || return 0
    server_drop "$1" "${DAEMON_SPOOL[$1]}"
    daemon_read_secrets "$1"
    if [[ $1 != ingestion ]]; then
        enter /
    elif ! "${SERVER_DROP[@]}" test -w "$SPOOL_DIR"; then
        enter "$SPOOL_DIR"
        SPOOL_DIR=.
    fi
}

# Fills the array DAEMON_COMMAND with what runs a daemon.  Where this is root the program is
# reached through a descriptor that is closed when it starts: the only way to it that another
# user has, and none that the program keeps.
daemon_command() {
    local name=$1
    shift

    DAEMON_COMMAND=("$(binary "$name")" "$@")
    is_root || return 0
    server_drop "$name" "${DAEMON_SPOOL[$name]}"
    exec 9<"$DAEMON_BIN" 8<&-
    [[ $name != ingestion || -z $PLACES_DIR ]] || exec 8<"$VAR/places"
    # shellcheck disable=SC2016 # these are Perl's
    DAEMON_COMMAND=("${SERVER_DROP[@]}" setpriv --pdeathsig TERM -- perl -MFcntl -e
        'my $name = shift; open(my $bin, "<&=9") or die "$!\n"; fcntl($bin, F_SETFD, FD_CLOEXEC);
        exec {"/proc/self/fd/9/$name"} $name, @ARGV; die "$name: $!\n"'
        "$name" "$@")
}

binary() {
    printf '%s/build/release/%s/%s' "$ROOT" "$1" "$1"
}
