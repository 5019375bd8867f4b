// What YAML::Load() does not say of a text. Thread-safe: functions only.
#pragma once

#include <string>

namespace bdcsync::config {

// Whether nothing follows the one document that YAML::Load() reads: it passes over the rest, which
// may be all where something is wrong before it. (YAML::LoadAll() never ends where no document can
// begin, as at a comma.) Throws YAML::Exception as YAML::Load() does.
bool IsOneYamlDocument(const std::string& text);

}  // namespace bdcsync::config
