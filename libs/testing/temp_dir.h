// A folder that lives as long as the object, for tests. Each object has its own, so tests run in
// parallel. Not thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::testing {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` inside.
  std::string File(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace bdcsync::testing
