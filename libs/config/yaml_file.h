// Settings in a YAML file: sections nest or are written with dots ("websocket.port"). Thread-safe:
// functions only.
#pragma once

#include <string>
#include <vector>

#include "libs/config/loader.h"
#include "libs/config/mistakes.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

// A configuration larger than this is not one.
inline constexpr int kFileBytesMax = 1 << 20;
// An alias may stand for much, also for the section that it stands in: what is read counts.
inline constexpr int kEntriesMax = 10'000;
inline constexpr int kSectionDepthMax = 16;
inline constexpr int kNameBytesMax = 256;
// Of one file; more are not told.
inline constexpr int kFileMistakesMax = 100;

// Reads the whole file; a mistake when it cannot be read or is larger than kFileBytesMax.
std::string ReadFile(const std::string& path, absl::string_view where, Mistakes& mistakes);

// ReadYaml for the `text` of the file.
void ReadYamlText(const std::string& path, const std::string& text, const Schema& schema,
                  absl::Span<const SuiteKey> others, Settings& settings,
                  std::vector<PassedOver>& passed_over, Mistakes& mistakes);

// Adds what `path` sets, in its order, and to `passed_over` what it sets for `others`; unknown
// keys, keys set twice and values that are not allowed are mistakes with their line.
void ReadYaml(const std::string& path, const Schema& schema, absl::Span<const SuiteKey> others,
              Settings& settings, std::vector<PassedOver>& passed_over, Mistakes& mistakes);

}  // namespace bdcsync::config
