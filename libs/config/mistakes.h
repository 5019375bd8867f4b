// What is wrong in the sources of a configuration, collected so that all of it is told at once.
// For one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

// One value that a source gives to a key.
struct Setting {
  std::string key;
  std::string source;  // As Values::SourceOf tells it.
  Value value;
};
using Settings = std::vector<Setting>;

class Mistakes {
 public:
  // `where`: source and name, e.g. "environment BDC_SYNC_WS_PORT".
  void Add(absl::string_view where, absl::string_view what) {
    lines_.push_back(absl::StrCat(where, ": ", what));
  }
  // OK, or INVALID_ARGUMENT with one line for each.
  absl::Status ToStatus() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

// Parses `text` for `key` into `settings`, or adds a mistake at `where`.
inline void AddSetting(const Key& key, absl::string_view source, absl::string_view text,
                       Settings& settings, Mistakes& mistakes) {
  absl::StatusOr<Value> value = ParseValue(key, text);
  if (value.ok()) {
    settings.push_back({key.name, std::string(source), *std::move(value)});
  } else {
    mistakes.Add(source, absl::StrCat(value.status().message()));
  }
}

}  // namespace bdcsync::config
