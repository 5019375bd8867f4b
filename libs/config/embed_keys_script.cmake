# Run at build time: what config.h and *_config.h of the services declare → OUTPUT, which defines
# SuiteKeys(). Reads the declarations as text: each begins with `inline constexpr config::` and has
# its fields by name. The guard config_names proves that no key is missed.
file(GLOB headers ${SERVICES}/*/config.h ${SERVICES}/*/*_config.h ${SERVICES}/*/*/config.h)
list(SORT headers)
set(rows "")
foreach(header IN LISTS headers)
  file(RELATIVE_PATH path ${SERVICES} ${header})
  string(REGEX REPLACE "/.*" "" service ${path})
  file(READ ${header} text)
  # What CMake would take for a list or its brackets.
  string(REGEX REPLACE "[][;]" " " text "${text}")
  string(REPLACE "inline constexpr config::" ";" declarations "${text}")
  list(POP_FRONT declarations)
  foreach(declaration IN LISTS declarations)
    if(NOT declaration MATCHES "\\.name = \"([a-z0-9_.]+)\"")
      message(FATAL_ERROR "${header}: a key without a name: ${declaration}")
    endif()
    set(fields "\"${CMAKE_MATCH_1}\", \"${service}\"")
    foreach(field reloadable secret)
      if(declaration MATCHES "\\.${field} = true")
        string(APPEND fields ", true")
      else()
        string(APPEND fields ", false")
      endif()
    endforeach()
    set(alias "")
    if(declaration MATCHES "\\.env_alias = \"([A-Z0-9_]+)\"")
      set(alias ${CMAKE_MATCH_1})
    endif()
    string(APPEND rows "    {${fields}, \"${alias}\"},\n")
  endforeach()
endforeach()
file(WRITE ${OUTPUT} "// Generated from services/*/config.h.
#include \"libs/config/suite_keys.h\"

namespace bdcsync::config {
namespace {
constexpr SuiteKey kKeys[] = {
${rows}};
}  // namespace
absl::Span<const SuiteKey> SuiteKeys() { return kKeys; }
}  // namespace bdcsync::config
")
