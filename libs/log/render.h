// Records as one line of text, without a newline. Texts are cut at kTextBytesMax, bytes that are
// not UTF-8 become U+FFFD, control characters are escaped. Thread-safe: functions only.
#pragma once

#include <cstddef>
#include <string>

#include "libs/log/logger.h"

namespace bdcsync::log {

// A longer message or value is cut, so that a hostile input cannot fill the log.
inline constexpr std::size_t kTextBytesMax = 4096;

// {"time":"2026-01-31T12:00:00.000Z","level":"info","service":"gateway","message":…, fields…}
std::string RenderJson(const Record& record);
// 2026-01-31T12:00:00.000Z INFO  gateway  message  name=value
std::string RenderText(const Record& record);

}  // namespace bdcsync::log
