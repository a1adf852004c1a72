# Writes a C file that holds the SQL migrations, so that the processor needs no files
# beside it.  Run at build time:
#
#   cmake -D OUT=<file.c> -D FILES=<a.sql;b.sql> -P embed.cmake
#
# The files must be numbered 001_, 002_ and so on without a gap, in that order.
set(text "/* Generated from sql/ by cmake/embed.cmake. */\n#include \"processor/migrate.h\"\n\n")
set(table "")
set(number 0)
foreach(file IN LISTS FILES)
    math(EXPR number "${number} + 1")
    get_filename_component(name ${file} NAME)
    if(NOT name MATCHES "^0*([0-9]+)_.*\\.sql$" OR NOT CMAKE_MATCH_1 EQUAL number)
        message(FATAL_ERROR "${name} should be migration number ${number}")
    endif()
    file(SHA256 ${file} checksum)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
        "\\1\n" bytes "${bytes}")
    string(APPEND text "static const unsigned char sql_${number}[] = {\n${bytes}0};\n\n")
    string(APPEND table
        "    {${number}, \"${name}\", \"${checksum}\", (const char *)sql_${number}},\n")
endforeach()
string(APPEND text "static const struct migration list[] = {\n${table}};\n\n")
string(APPEND text "const struct migration *migrations(size_t *ret_count)\n{\n"
    "    *ret_count = sizeof(list) / sizeof(list[0]);\n    return list;\n}\n")
file(WRITE ${OUT} "${text}")
