# shellcheck shell=bash
# packages.sh -- reads scripts/packages.txt and installs what is missing of it.  Needs
# common.sh.

readonly PACKAGES_FILE=$ROOT/scripts/packages.txt
if [[ -t 0 ]]; then
    PACKAGES_TERMINAL=yes
else
    PACKAGES_TERMINAL=
fi
readonly PACKAGES_TERMINAL

# Prints the lines of the sections named, one need each.
packages_needs() {
    local section line wanted=

    for section in "$@"; do
        grep -qxF "[$section]" "$PACKAGES_FILE" ||
            die "$PACKAGES_FILE has no section [$section]"
    done
    while IFS= read -r line; do
        case $line in
        '' | '#'*) ;;
        '['*)
            wanted=
            for section in "$@"; do
                [[ $line != "[$section]" ]] || wanted=yes
            done
            ;;
        *) [[ -z $wanted ]] || printf '%s\n' "$line" ;;
        esac
    done <"$PACKAGES_FILE"
}

packages_are_installed() {
    local package

    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            return 1
    done
}

# Node.js may have come from elsewhere; then it brings its npm along, and Debian's is not wanted.
packages_have_node() {
    command -v node >/dev/null && command -v npm >/dev/null
}

declare -A PACKAGES_AVAILABLE=() # by name, those that packages_look_up found

# Looks up which packages of the needs can be installed, all in one go: apt is slow to start.
packages_look_up() {
    local name
    local -a names

    read -r -d '' -a names <<<"${*//|/ }" || true
    while IFS= read -r name; do
        PACKAGES_AVAILABLE[$name]=yes
    done < <(apt-cache policy "${names[@]}" 2>/dev/null |
        awk '/^[^ ]/ { name = substr($1, 1, length($1) - 1) }
             $1 == "Candidate:" && $2 != "(none)" { print name }')
}

packages_are_available() {
    local package

    for package in "$@"; do
        [[ -n ${PACKAGES_AVAILABLE[$package]-} ]] || return 1
    done
}

# Prints the first alternative of a need that passes the check $1, or nothing.
packages_choose() {
    local check=$1 alternative
    local -a alternatives names

    IFS='|' read -r -a alternatives <<<"$2"
    for alternative in "${alternatives[@]}"; do
        read -r -a names <<<"$alternative"
        if "$check" "${names[@]}"; then
            printf '%s' "${names[*]}"
            return 0
        fi
    done
}

# Prints the needs of the sections that no installed package meets.
packages_unmet() {
    local need

    packages_needs "$@" | while IFS= read -r need; do
        [[ -n $(packages_choose packages_are_installed "$need") ]] || printf '%s\n' "$need"
    done
}

# Prints the packages to install for the needs on stdin.
packages_to_install() {
    local need chosen
    local -a needs

    mapfile -t needs
    packages_look_up "${needs[@]}"
    for need in "${needs[@]}"; do
        chosen=$(packages_choose packages_are_available "$need")
        [[ -n $chosen ]] || die "this system's package sources have no $need;" \
            "Debian 12, 13 and Ubuntu 24.04 do (section main, or universe)"
        printf '%s\n' "$chosen"
    done
}

# Runs a command as root; the caller has said why.  Without a terminal sudo must not ask.
packages_as_root() (
    umask 022 # what is installed is for all users, whatever the caller's files are
    if is_root; then
        "$@"
    elif [[ -n $PACKAGES_TERMINAL ]]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
)

# Debian's postgresql-NN makes a cluster and starts it as a system service when it is
# installed for the first time.  The project runs a private server, so while postgres is
# installed here a drop-in of Debian's own says not to; then there is nothing to start, not
# even after a reboot.  It is taken away again.
readonly PACKAGES_NO_CLUSTER=/etc/postgresql-common/createcluster.d/analytics-backend.conf

# The script that runs as root: reads nothing, gets the packages as arguments.
packages_root_script() {
    cat <<'SCRIPT'
set -eu
drop_in=$1
shift
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
trap 'rm -f "$drop_in"; rmdir -p --ignore-fail-on-non-empty "${drop_in%/*}"' EXIT
mkdir -p "${drop_in%/*}"
echo "create_main_cluster = false" >"$drop_in"
apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold "$@"
SCRIPT
}

# Fails, with the command to type, where the rights to install are missing; $1 is packages.
packages_need_root() {
    is_root && return 0
    command -v sudo >/dev/null ||
        die "packages are missing and there is no sudo to install them with;" \
            "as root: apt-get install --no-install-recommends $1"
    say "This takes root's rights; sudo may ask for your password."
    packages_as_root true ||
        die "packages are missing and sudo does not let you install them;" \
            "as root: apt-get install --no-install-recommends $1"
}

# Prints what to install for the needs $1, as well as can be told before the package lists
# are read anew: where no alternative is known, the first.
packages_guess() {
    local need chosen

    packages_look_up "$1"
    while IFS= read -r need; do
        chosen=$(packages_choose packages_are_available "$need")
        printf '%s ' "${chosen:-${need%% |*}}"
    done <<<"$1"
}

# Makes sure that the sections named are installed; $1 is a file for apt's output.  Says
# what it installs and why; leaves alone what is there.
packages_ensure() {
    local log=$1 unmet names
    local -a packages
    shift

    command -v apt-get >/dev/null ||
        die "this system has no apt-get; Debian 12, 13 or Ubuntu 24.04 is needed" \
            "(elsewhere, use docker-compose up)"
    unmet=$(packages_unmet "$@")
    [[ -n $unmet ]] || return 0
    say "Packages are missing that are needed for: $* (see scripts/packages.txt)."
    packages_need_root "$(packages_guess "$unmet")"
    say "Reading the package lists ..."
    packages_as_root apt-get update -o DPkg::Lock::Timeout=300 >"$log" 2>&1 </dev/null ||
        say "apt-get update failed (see $log); going on with the lists that are there."
    names=$(packages_to_install <<<"$unmet")
    read -r -d '' -a packages <<<"$names" || true
    say "Installing with apt-get: ${packages[*]}"
    quietly "$log" "apt-get install" packages_as_root \
        sh -c "$(packages_root_script)" sh "$PACKAGES_NO_CLUSTER" "${packages[@]}"
    unmet=$(packages_unmet "$@")
    [[ -z $unmet ]] || die "apt-get installed the packages, but these are still missing:" \
        "${unmet//$'\n'/, }"
}

PACKAGES_UNPACKED=$ROOT/build/tools # where packages_unpack puts them

packages_are_unpacked() {
    local package

    for package in "$@"; do
        [[ -e $PACKAGES_UNPACKED/.$package ]] || return 1
    done
}

# Unpacks the packages of section $2 into build/$3, unless they are installed or were unpacked
# before; $1 is a file for apt's output.  Takes nobody's rights.
packages_unpack() {
    local log=$1 section=${2-unpacked} folder=${3-tools} need package work
    PACKAGES_UNPACKED=$ROOT/build/$folder

    packages_unmet "$section" | while IFS= read -r need; do
        [[ -z $(packages_choose packages_are_unpacked "$need") ]] || continue
        package=$(packages_to_install <<<"$need")
        say "Unpacking $package into build/$folder (it is not installed)."
        mkdir -p "$PACKAGES_UNPACKED"
        work=$(mktemp -d)
        enter "$work"
        apt-get download -o Acquire::http::Timeout=20 "$package" >"$log" 2>&1 </dev/null ||
            die "could not download the package $package (see $log); try apt-get update"
        dpkg-deb -x "$work"/*.deb "$PACKAGES_UNPACKED" || die "could not unpack $package"
        enter "$ROOT"
        rm -rf "$work"
        : >"$PACKAGES_UNPACKED/.$package"
    done
}
