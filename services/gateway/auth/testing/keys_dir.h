// A folder of key files for one test. One thread.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::gateway {

class KeysDir {
 public:
  void Write(const std::string& name, absl::string_view text) {
    std::ofstream(dir_.File(name), std::ios::binary) << std::string(text);
  }
  void Remove(const std::string& name) { std::filesystem::remove(dir_.File(name)); }
  const std::string& path() const { return dir_.path(); }

 private:
  testing::TempDir dir_;
};

}  // namespace bdcsync::gateway
