# Writes a C file that holds text files, so that a daemon needs no files beside it.  Run at
# build time:
#
#   cmake -D KIND=migrations -D OUT=<file.c> -D FILES=<a.sql;b.sql>
#         -D FUNCTIONS=<c.sql;d.sql> -P embed.cmake
#       The files must be numbered 001_, 002_ and so on without a gap, in that order, and
#       have a line "-- readable since N".
#
#   cmake -D KIND=scripts -D OUT=<file.c> -D FILES=<a.lua;b.lua> -P embed.cmake
#       Each script gets head.lua in front and then the parts that its line "-- needs"
#       names, all of the same folder.

# Appends to `text` the bytes of a hexadecimal text as a C array.
macro(add_array name hex)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
        "\\1\n" bytes "${bytes}")
    string(APPEND text "static const unsigned char ${name}[] = {\n${bytes}0};\n\n")
endmacro()

set(table "")

# --- migrations ------------------------------------------------------------------------

function(embed_migrations)
    set(text "/* Generated from sql/ by cmake/embed.cmake. */\n#include \"processor/migrate.h\"\n\n")
    set(number 0)
    foreach(file IN LISTS FILES)
        math(EXPR number "${number} + 1")
        get_filename_component(name ${file} NAME)
        if(NOT name MATCHES "^0*([0-9]+)_.*\\.sql$" OR NOT CMAKE_MATCH_1 EQUAL number)
            message(FATAL_ERROR "${name} should be migration number ${number}")
        endif()
        file(STRINGS ${file} since REGEX "^-- readable since [0-9]+$")
        if(NOT since)
            message(FATAL_ERROR "${name} does not say since which version it is readable")
        endif()
        string(REPLACE "-- readable since " "" since "${since}")
        file(SHA256 ${file} checksum)
        file(READ ${file} hex HEX)
        add_array(sql_${number} "${hex}")
        string(APPEND table "    {${number}, ${since}, \"${name}\", \"${checksum}\",\n"
            "     (const char *)sql_${number}},\n")
    endforeach()
    set(functions "")
    set(checksums "")
    foreach(file IN LISTS FUNCTIONS)
        get_filename_component(name ${file} NAME)
        get_filename_component(word ${file} NAME_WE)
        file(SHA256 ${file} checksum)
        string(APPEND checksums ${checksum})
        file(READ ${file} hex HEX)
        add_array(functions_${word} "${hex}")
        string(APPEND functions "    {\"${name}\", (const char *)functions_${word}},\n")
    endforeach()
    string(SHA256 checksum "${checksums}")
    string(APPEND text "static const struct migration list[] = {\n${table}};\n\n")
    string(APPEND text "const struct migration *migrations(size_t *ret_count)\n{\n"
        "    *ret_count = sizeof(list) / sizeof(list[0]);\n    return list;\n}\n\n")
    string(APPEND text
        "static const struct migration_function functions[] = {\n${functions}};\n\n"
        "const struct migration_function *migration_functions(size_t *ret_count)\n{\n"
        "    *ret_count = sizeof(functions) / sizeof(functions[0]);\n"
        "    return functions;\n}\n\n"
        "const char *migration_functions_checksum(void)\n{\n"
        "    return \"${checksum}\";\n}\n")
    file(WRITE ${OUT} "${text}")
endfunction()

# --- scripts -----------------------------------------------------------------------------

function(embed_scripts)
    set(text "/* Generated from lua/ by cmake/embed.cmake. */\n#include \"processor/queue/parts.h\"\n\n")
    foreach(file IN LISTS FILES)
        get_filename_component(folder ${file} DIRECTORY)
        get_filename_component(name ${file} NAME_WE)
        file(READ ${folder}/head.lua hex HEX)
        file(STRINGS ${file} needs REGEX "^-- needs ")
        string(REPLACE "-- needs " "" needs "${needs}")
        separate_arguments(needs)
        foreach(part IN LISTS needs)
            file(READ ${folder}/${part}.lua part_hex HEX)
            string(APPEND hex "${part_hex}")
        endforeach()
        file(READ ${file} own_hex HEX)
        add_array(${name} "${hex}${own_hex}")
        string(TOUPPER ${name} upper)
        string(APPEND table "    [SCRIPT_${upper}] = (const char *)${name},\n")
    endforeach()
    string(APPEND text "const char *const queue_scripts[SCRIPTS] = {\n${table}};\n")
    file(WRITE ${OUT} "${text}")
endfunction()

if(KIND STREQUAL "migrations")
    embed_migrations()
elseif(KIND STREQUAL "scripts")
    embed_scripts()
else()
    message(FATAL_ERROR "KIND must be migrations or scripts")
endif()
