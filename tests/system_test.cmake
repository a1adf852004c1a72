# Tests of the whole system: one CTest per file of pytest.  Each leaves
# test-results/<name>.xml (JUnit) in the build directory, from which the single tests can be
# counted.

# The python3 on the PATH may be another than the one Debian's modules belong to.
if(NOT ANALYTICS_PYTHON)
    foreach(candidate /usr/bin/python3 python3)
        execute_process(COMMAND ${candidate} -c "import pytest, psycopg2, redis, requests"
            RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
        if(result EQUAL 0)
            set(ANALYTICS_PYTHON ${candidate} CACHE STRING
                "python3 with pytest, psycopg2, redis and requests")
            break()
        endif()
    endforeach()
endif()
if(NOT ANALYTICS_PYTHON)
    message(WARNING "no python3 with pytest, psycopg2, redis and requests was found: "
        "the integration tests will fail")
    set(ANALYTICS_PYTHON python3)
endif()

# A sanitizer makes the daemons several times slower: fewer events, more patience.
if(ANALYTICS_SANITIZE)
    set(test_scale 0.1)
    set(test_patience 4)
else()
    set(test_scale 1)
    set(test_patience 1)
endif()

# system_test(<label> <name> <seconds> [label ...]): test_<name>.py of the folder, ended
# after so many seconds, or test_patience times as many.  PROCESSORS keeps two of them from
# running side by side on a small machine, where that is not set otherwise.
function(system_test label name seconds)
    add_system_test(${label} ${name} test_${name}.py ${seconds} "" ${ARGN})
endfunction()

# The same in so many tests, each with its share of the cases, for a file whose cases wait
# for most of their time: test_<name>.py becomes <name>_1, <name>_2 ...
function(system_test_shares label name seconds shares)
    foreach(share RANGE 1 ${shares})
        add_system_test(${label} ${name}_${share} test_${name}.py ${seconds}
            ANALYTICS_TEST_SHARE=${share}/${shares} ${ARGN})
        set_tests_properties(${label}.${name}_${share} PROPERTIES PROCESSORS 1)
    endforeach()
endfunction()

function(add_system_test label name file seconds share)
    math(EXPR seconds "${seconds} * ${test_patience}")
    add_test(NAME ${label}.${name}
        COMMAND ${ANALYTICS_PYTHON} -B -m pytest -q -s
            --junitxml=${CMAKE_BINARY_DIR}/test-results/${label}.${name}.xml
            ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    set(environment ANALYTICS_BUILD=${CMAKE_BINARY_DIR} PYTHONDONTWRITEBYTECODE=1 ${share})
    if(NOT DEFINED ENV{ANALYTICS_TEST_SCALE})
        list(APPEND environment ANALYTICS_TEST_SCALE=${test_scale}
            ANALYTICS_TEST_PATIENCE=${test_patience})
    endif()
    set_tests_properties(${label}.${name} PROPERTIES
        LABELS "${label};${ARGN}" TIMEOUT ${seconds} PROCESSORS 2
        ENVIRONMENT "${environment}")
endfunction()
