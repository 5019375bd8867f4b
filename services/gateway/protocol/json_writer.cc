#include "services/gateway/protocol/json_writer.h"

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace bdcsync::gateway {

void AppendTime(int64_t time_ms, std::string& out) {
  constexpr int64_t kMsPerSecond = 1000;
  int64_t seconds = time_ms / kMsPerSecond;
  int64_t ms = time_ms % kMsPerSecond;
  if (ms < 0) {
    ms += kMsPerSecond;
    --seconds;
  }
  const absl::CivilSecond civil =
      absl::ToCivilSecond(absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
  absl::StrAppendFormat(&out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", civil.year(),
                        civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second(),
                        ms);
}

}  // namespace bdcsync::gateway
