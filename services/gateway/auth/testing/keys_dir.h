// A folder of its own for one test, removed with everything in it at the end. For tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

class KeysDir {
 public:
  KeysDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bdcsync-keys-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~KeysDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  KeysDir(const KeysDir&) = delete;
  KeysDir& operator=(const KeysDir&) = delete;

  void Write(const std::string& name, absl::string_view text) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << std::string(text);
  }
  void Remove(const std::string& name) { std::filesystem::remove(path_ + "/" + name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace bdcsync::gateway
