# Sanitizers, as a comma-separated list, and the hardening of the release build.
set(ANALYTICS_SANITIZE "" CACHE STRING "sanitizers to build with, e.g. address,undefined")
option(ANALYTICS_HARDEN "build with the hardening flags of a release" OFF)

if(ANALYTICS_SANITIZE)
    target_compile_options(project_options INTERFACE
        -fsanitize=${ANALYTICS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(project_options INTERFACE -fsanitize=${ANALYTICS_SANITIZE})
endif()
if(ANALYTICS_FUZZ)
    # The coverage that libFuzzer steers by; the targets alone link its main().
    target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(project_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(ANALYTICS_HARDEN)
    target_compile_options(project_options INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
        -fstack-clash-protection -fno-plt)
    target_link_options(project_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
# Assertions stay in every build: they guard against our own mistakes, never against input.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
