// The version of this suite, as programs print it; configuring fails when the project has another.
#pragma once

namespace bdcsync {

inline constexpr char kSuiteVersion[] = "0.1.0";

}  // namespace bdcsync
