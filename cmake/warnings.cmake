# The warnings of the project.  They are errors in the presets that developers and CI use.
option(ANALYTICS_WERROR "treat warnings as errors" OFF)
option(ANALYTICS_ANALYZE "run gcc's static analyzer" OFF)

target_compile_options(project_options INTERFACE
    -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
    -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla -Wswitch-enum
    -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Wunused-macros)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(project_options INTERFACE
        -Wjump-misses-init -Wlogical-op -Wduplicated-cond -Wduplicated-branches
        -Wstringop-overflow=4 -Warith-conversion)
else()
    target_compile_options(project_options INTERFACE
        -Wmissing-variable-declarations -Wconditional-uninitialized -Wshorten-64-to-32
        -Wcomma -Wextra-semi-stmt)
endif()
if(ANALYTICS_WERROR)
    target_compile_options(project_options INTERFACE -Werror)
endif()
if(ANALYTICS_ANALYZE)
    target_compile_options(project_options INTERFACE -fanalyzer)
    # Of gcc 14, wrong here: it takes standard files that are opened to stay open for a leak,
    # and does not follow a length through a table of texts.
    if(CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
        target_compile_options(project_options INTERFACE
            -Wno-analyzer-fd-leak -Wno-analyzer-out-of-bounds)
    endif()
endif()
