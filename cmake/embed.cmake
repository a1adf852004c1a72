# Writes a C file that holds text files, or what one of them says, so that a daemon needs no
# files beside it.  Run at build time:
#
#   cmake -D KIND=migrations -D OUT=<file.c> -D FILES=<a.sql;b.sql>
#         -D FUNCTIONS=<c.sql;d.sql> -P embed.cmake
#       The files must be numbered 001_, 002_ and so on without a gap, in that order, and
#       have a line "-- readable since N".
#
#   cmake -D KIND=scripts -D OUT=<file.c> -D FILES=<a.lua;b.lua> -P embed.cmake
#       Each script gets head.lua in front and then the parts that its line "-- needs"
#       names, all of the same folder.
#
#   cmake -D KIND=assets -D OUT=<file.c> -D FILES=<a.html;b.js> -P embed.cmake
#       Each file becomes a struct http_asset (shared/http/asset.h) named asset_a_html,
#       with its bytes compressed beside it.
#
#   cmake -D KIND=properties -D OUT=<file.c> -D FILES=<dimensions.sql> -P embed.cmake
#       The rows of the table of dimensions become the properties that reports are asked by.

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

# --- assets ------------------------------------------------------------------------------

set(type_.html "text/html; charset=utf-8")
set(type_.css "text/css; charset=utf-8")
set(type_.js "text/javascript; charset=utf-8")
set(type_.json "application/json")
set(type_.gif "image/gif")

function(embed_assets)
    set(text "/* Generated by cmake/embed.cmake. */\n#include \"shared/http/asset.h\"\n\n")
    foreach(file IN LISTS FILES)
        get_filename_component(name ${file} NAME)
        get_filename_component(ending ${file} LAST_EXT)
        string(MAKE_C_IDENTIFIER ${name} word)
        file(SHA256 ${file} checksum)
        string(SUBSTRING ${checksum} 0 16 checksum)
        execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${OUT}.gz
            COMMAND_ERROR_IS_FATAL ANY)
        file(READ ${file} plain HEX)
        file(READ ${OUT}.gz packed HEX)
        file(REMOVE ${OUT}.gz)
        string(LENGTH "${plain}" plain_len)
        string(LENGTH "${packed}" packed_len)
        math(EXPR plain_len "${plain_len} / 2")
        math(EXPR packed_len "${packed_len} / 2")
        add_array(${word}_plain "${plain}")
        add_array(${word}_gzip "${packed}")
        string(APPEND text "extern const struct http_asset asset_${word};\n"
            "const struct http_asset asset_${word} = {\n"
            "    \"${name}\", \"${checksum}\", \"\\\"${checksum}\\\"\", \"${type_${ending}}\",\n"
            "    (const char *)${word}_plain, ${plain_len},\n"
            "    (const char *)${word}_gzip, ${packed_len}};\n\n")
    endforeach()
    file(WRITE ${OUT} "${text}")
endfunction()

# --- properties --------------------------------------------------------------------------

# Which metrics go with a property follows from what is counted, events or visits, and for two
# columns from the column (reporting/report/metric_table.h).
set(group_event EVENT)
set(group_event_path PAGE)
set(group_event_event_type EVENT_TYPE)
set(group_visit VISIT)
set(group_visit_path VISIT_PAGE)

function(embed_properties)
    file(STRINGS ${FILES} rows REGEX "^    \\([0-9]+, +'")
    foreach(row IN LISTS rows)
        if(NOT row MATCHES "'([a-z_]+)', +'(event|visit)', +'([^']+)'\\)")
            message(FATAL_ERROR "dimensions.sql: ${row}")
        endif()
        set(name ${CMAKE_MATCH_1})
        set(group ${group_${CMAKE_MATCH_2}})
        if(DEFINED group_${CMAKE_MATCH_2}_${CMAKE_MATCH_3})
            set(group ${group_${CMAKE_MATCH_2}_${CMAKE_MATCH_3}})
        endif()
        string(APPEND table "    {\"${name}\", METRIC_GROUP_${group}},\n")
    endforeach()
    file(WRITE ${OUT} "/* Generated from dimensions.sql by cmake/embed.cmake. */\n"
        "#include \"reporting/report/metric_table.h\"\n\n"
        "const struct property property_table[] = {\n${table}    {NULL, METRIC_GROUP_NONE}};\n")
endfunction()

if(KIND STREQUAL "migrations")
    embed_migrations()
elseif(KIND STREQUAL "scripts")
    embed_scripts()
elseif(KIND STREQUAL "assets")
    embed_assets()
elseif(KIND STREQUAL "properties")
    embed_properties()
else()
    message(FATAL_ERROR "KIND must be migrations, scripts, assets or properties")
endif()
