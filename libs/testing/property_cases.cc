#include "libs/testing/property_cases.h"

#include <cstdlib>

namespace bdcsync::testing {
namespace {

constexpr uint64_t kCasesInCi = 20'000;

}  // namespace

uint64_t PropertyCases() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test sets a variable.
  const char* const cases = std::getenv("BDC_SYNC_PROPERTY_CASES");
  return cases == nullptr ? kCasesInCi : std::strtoull(cases, nullptr, 10);
}

}  // namespace bdcsync::testing
