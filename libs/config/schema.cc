#include "libs/config/schema.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace bdcsync::config {
namespace {

constexpr absl::string_view kPrefix = "BDC_SYNC_";

[[noreturn]] void Die(const std::string& name, absl::string_view problem) {
  std::fprintf(stderr, "bug: configuration key %s %s\n", name.c_str(),
               std::string(problem).c_str());
  std::abort();
}

template <typename K>
Key Common(Type type, const K& from) {
  Key key;
  key.type = type;
  key.name = std::string(from.name);
  key.doc = std::string(from.doc);
  key.reloadable = from.reloadable;
  key.secret = from.secret;
  key.env_alias = std::string(from.env_alias);
  return key;
}

template <typename K>
Key Ranged(Type type, const K& from) {
  Key key = Common(type, from);
  key.default_value = from.default_value;
  key.min = from.min;
  key.max = from.max;
  if (from.default_value < from.min || from.max < from.default_value) {
    Die(key.name, "has a default outside its range");
  }
  return key;
}

// A key whose default is written as text.
template <typename K>
Key Textual(Type type, const K& from) {
  Key key = Common(type, from);
  absl::StatusOr<Value> value = ParseValue(key, from.default_value);
  if (!value.ok()) Die(key.name, value.status().message());
  key.default_value = *std::move(value);
  return key;
}

}  // namespace

void Schema::Add(const Bool& key) {
  Key erased = Common(Type::kBool, key);
  erased.default_value = key.default_value;
  AddKey(std::move(erased));
}

void Schema::Add(const Int& key) {
  Key erased = Ranged(Type::kInt, key);
  erased.unit = std::string(key.unit);
  AddKey(std::move(erased));
}

void Schema::Add(const Double& key) {
  Key erased = Ranged(Type::kDouble, key);
  erased.unit = std::string(key.unit);
  AddKey(std::move(erased));
}

void Schema::Add(const Duration& key) { AddKey(Ranged(Type::kDuration, key)); }

void Schema::Add(const Bytes& key) { AddKey(Ranged(Type::kBytes, key)); }

void Schema::Add(const String& key) {
  Key erased = Common(Type::kString, key);
  erased.default_value = std::string(key.default_value);
  erased.choices = std::string(key.choices);
  AddKey(std::move(erased));
}

void Schema::Add(const StringList& key) { AddKey(Textual(Type::kStringList, key)); }

void Schema::Add(const StringMap& key) { AddKey(Textual(Type::kStringMap, key)); }

const Key* Schema::Find(absl::string_view name) const {
  const auto key =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return name == k.name; });
  return key == keys_.end() ? nullptr : &*key;
}

void Schema::AddKey(Key key) {
  for (const Key& other : keys_) {
    if (other == key) return;
    if (other.name == key.name) Die(key.name, "is declared twice, and not in the same way");
    if (absl::StartsWith(other.name, key.name + ".") ||
        absl::StartsWith(key.name, other.name + ".")) {
      Die(key.name, absl::StrCat("would be a section and a value at once, beside ", other.name));
    }
  }
  if (key.doc.empty()) Die(key.name, "has no sentence that explains it");
  keys_.push_back(std::move(key));
}

std::string EnvironmentName(absl::string_view key_name) {
  std::string name = absl::AsciiStrToUpper(absl::StrReplaceAll(key_name, {{".", "_"}}));
  constexpr absl::string_view kLong = "WEBSOCKET_";
  if (absl::StartsWith(name, kLong)) name.replace(0, kLong.size(), "WS_");
  return absl::StrCat(kPrefix, name);
}

std::string KebabFlag(absl::string_view key_name) {
  const std::string name = EnvironmentName(key_name).substr(kPrefix.size());
  return absl::StrCat("--", absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"_", "-"}})));
}

}  // namespace bdcsync::config
