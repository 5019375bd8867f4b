#include "libs/config/values.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/config/suggest.h"

namespace bdcsync::config {
namespace {

constexpr absl::string_view kDefaultSource = "default";

template <typename T>
const T& As(absl::string_view name, const Value& value) {
  const T* typed = std::get_if<T>(&value);
  if (typed == nullptr) {
    std::fprintf(stderr, "bug: configuration key %s is read as another type than its own\n",
                 std::string(name).c_str());
    std::abort();
  }
  return *typed;
}

}  // namespace

bool Values::Get(const Bool& key) const { return As<bool>(key.name, GetAny(key.name)); }
int64_t Values::Get(const Int& key) const { return As<int64_t>(key.name, GetAny(key.name)); }
double Values::Get(const Double& key) const { return As<double>(key.name, GetAny(key.name)); }
absl::Duration Values::Get(const Duration& key) const {
  return As<absl::Duration>(key.name, GetAny(key.name));
}
int64_t Values::Get(const Bytes& key) const { return As<int64_t>(key.name, GetAny(key.name)); }
std::string Values::Get(const String& key) const {
  return As<std::string>(key.name, GetAny(key.name));
}
std::vector<std::string> Values::Get(const StringList& key) const {
  return As<std::vector<std::string>>(key.name, GetAny(key.name));
}
std::map<std::string, std::string> Values::Get(const StringMap& key) const {
  return As<std::map<std::string, std::string>>(key.name, GetAny(key.name));
}

const Value& Values::GetAny(absl::string_view name) const { return Find(name).value; }

const std::string& Values::SourceOf(absl::string_view name) const { return Find(name).source; }

bool Values::IsSet(absl::string_view name) const { return Find(name).source != kDefaultSource; }

const Values::Entry& Values::Find(absl::string_view name) const {
  const auto entry = table_->find(std::string(name));
  if (entry == table_->end()) {
    std::fprintf(stderr, "bug: configuration key %s is read but was not declared\n",
                 std::string(name).c_str());
    std::abort();
  }
  return entry->second;
}

ValuesBuilder& ValuesBuilder::Set(absl::string_view name, absl::string_view text) {
  settings_.emplace_back(name, text);
  return *this;
}

absl::StatusOr<Values> ValuesBuilder::Build() const {
  Values::Table table;
  for (const Key& key : schema_.keys()) {
    table[key.name] = {key.default_value, std::string(kDefaultSource)};
  }
  std::vector<std::string> mistakes;
  for (const auto& [name, text] : settings_) {
    const Key* key = schema_.Find(name);
    if (key == nullptr) {
      mistakes.push_back(absl::StrCat(name, ": unknown key", Suggestion(name, schema_)));
      continue;
    }
    absl::StatusOr<Value> value = ParseValue(*key, text);
    if (value.ok()) {
      table[name] = {*std::move(value), "builder"};
    } else {
      mistakes.push_back(absl::StrCat(name, ": ", value.status().message()));
    }
  }
  if (!mistakes.empty()) return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
  return Values(std::move(table));
}

Reload ApplyReload(const Schema& schema, const Values& current, const Values& loaded) {
  Values::Table table;
  std::vector<std::string> changed;
  std::vector<std::string> unapplied;
  for (const Key& key : schema.keys()) {
    const bool same = current.GetAny(key.name) == loaded.GetAny(key.name);
    const Values& from = key.reloadable ? loaded : current;
    table[key.name] = {from.GetAny(key.name), from.SourceOf(key.name)};
    if (!same) (key.reloadable ? changed : unapplied).push_back(key.name);
  }
  return {Values(std::move(table)), std::move(changed), std::move(unapplied)};
}

}  // namespace bdcsync::config
