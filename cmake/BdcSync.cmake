# Flags and the four ways to declare a target. A folder's CMakeLists.txt says what it is made of and
# nothing else:
#
#   bdc_library(NAME SOURCES a.cc b.cc DEPS bdc::base ...)     static library, alias bdc::NAME
#   bdc_binary(NAME SOURCES main.cc DEPS ...)                  program in build/<preset>/bin
#   bdc_test(NAME SOURCES a_test.cc DEPS ... [LABELS l ...])   GoogleTest program, run by ctest
#   bdc_fuzz(NAME SOURCES a_fuzz.cc DEPS ...)                  libFuzzer program (preset fuzz only)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(BDC_SYNC_SANITIZE "" CACHE STRING "Value of -fsanitize for everything that is built")
option(BDC_SYNC_FUZZ "Build the libFuzzer programs and nothing that they do not need" OFF)

find_program(BDC_CCACHE ccache)
if(BDC_CCACHE)
  # Paths relative to the checkout, so that every build folder and clone shares one cache.
  set(BDC_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${BDC_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BDC_LAUNCHER})
endif()
find_program(BDC_MOLD mold)
if(BDC_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
                    -fno-omit-frame-pointer -fdiagnostics-color=auto)
if(BDC_SYNC_SANITIZE)
  add_compile_options(-fsanitize=${BDC_SYNC_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BDC_SYNC_SANITIZE})
endif()
if(BDC_SYNC_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
  add_link_options(-fsanitize=address,undefined)
endif()
# Part of every program of the presets asan and tsan; each file says why. BDC_TIME_SCALE: how many
# times longer tests may take there.
set(BDC_TIME_SCALE 1)
if(BDC_SYNC_SANITIZE)
  set(BDC_SANITIZER_SOURCES ${CMAKE_SOURCE_DIR}/libs/testing/sanitizer_options.cc)
  set(BDC_TIME_SCALE 4)
endif()
if(BDC_SYNC_SANITIZE STREQUAL "thread")
  list(APPEND BDC_SANITIZER_SOURCES ${CMAKE_SOURCE_DIR}/libs/testing/tsan_grpc.cc
                                    ${CMAKE_SOURCE_DIR}/libs/testing/tsan_mutex.cc
                                    ${CMAKE_SOURCE_DIR}/libs/testing/tsan_status.cc)
  set(BDC_TIME_SCALE 8)
endif()
include_directories(${CMAKE_SOURCE_DIR})

function(bdc_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(bdc_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(bdc_${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(bdc_${name} INTERFACE)
    target_link_libraries(bdc_${name} INTERFACE ${ARG_DEPS})
  endif()
  add_library(bdc::${name} ALIAS bdc_${name})
endfunction()

function(bdc_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(BDC_SYNC_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES} ${BDC_ALLOCATOR_SOURCES} ${BDC_SANITIZER_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${BDC_ALLOCATOR})
endfunction()

function(bdc_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(BDC_SYNC_FUZZ)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${BDC_TIME_SCALE}")
  add_executable(${name} ${ARG_SOURCES} ${BDC_SANITIZER_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} bdc::testing GTest::gmock GTest::gtest
                                        GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "unit;${ARG_LABELS}")
endfunction()

# In the preset fuzz, a program and a part of the target `fuzzers`; in the others, a test: it builds
# that preset (tests/guards) and runs it for a while on the seeds in fuzz_corpus/<name>.
function(bdc_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(BDC_SYNC_FUZZ)
    if(NOT TARGET fuzzers)
      add_custom_target(fuzzers)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_DEPS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  elseif(NOT BDC_SYNC_SANITIZE)
    add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/tools/dev/fuzz.sh run ${name}
                                  ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_corpus)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS fuzz
                         FIXTURES_REQUIRED fuzzers SKIP_RETURN_CODE 77)
  endif()
endfunction()
