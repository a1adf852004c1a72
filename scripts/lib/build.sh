# shellcheck shell=bash
# build.sh -- configuring and building a preset.  Needs common.sh and children.sh.

# Removes a build folder that was made for another place: CMake refuses to go on with it.
build_forget_moved() {
    local cache=$ROOT/build/$1/CMakeCache.txt

    if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$cache"; then
        rm -rf "$ROOT/build/$1"
    fi
}

# Builds the daemons as they are to be run.  $1 is a file for the output.
build_daemons() {
    local log=$1

    build_forget_moved release
    [[ -x $ROOT/build/release/ingestion/ingestion ]] || say "Building ..."
    child_job "$log" "configuring the build" cmake --preset release
    child_job "$log" "building" cmake --build --preset release \
        --target ingestion processor reporting
}
