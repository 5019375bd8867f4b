// The values of all keys of a schema at one moment. Immutable and cheap to copy: copies share one
// table. Thread-safe. Get with a key that is not in the schema is a bug and ends the process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

class Values {
 public:
  bool Get(const Bool& key) const;
  int64_t Get(const Int& key) const;
  double Get(const Double& key) const;
  absl::Duration Get(const Duration& key) const;
  int64_t Get(const Bytes& key) const;
  std::string Get(const String& key) const;
  std::vector<std::string> Get(const StringList& key) const;
  std::map<std::string, std::string> Get(const StringMap& key) const;

  // The value of the key named `name`, for code that works on any key.
  const Value& GetAny(absl::string_view name) const;
  // Where the value came from: "default", "file <path>", "environment <NAME>", "flag --<name>".
  const std::string& SourceOf(absl::string_view name) const;
  // False when every source left the key alone.
  bool IsSet(absl::string_view name) const;

  struct Entry {
    Value value;
    std::string source;
  };
  using Table = std::map<std::string, Entry, std::less<>>;
  // `table` has every key of the schema, each with a value of the key's type.
  explicit Values(Table table) : table_(std::make_shared<const Table>(std::move(table))) {}

 private:
  const Entry& Find(absl::string_view name) const;

  std::shared_ptr<const Table> table_;  // Shared so that a copy costs nothing.
};

// Values for tests: the defaults of `schema`, changed by text as a file would have it.
//   ASSERT_OK_AND_ASSIGN(auto values, ValuesBuilder(schema).Set("data_dir", dir).Build());
class ValuesBuilder {
 public:
  // `schema` is borrowed until Build.
  explicit ValuesBuilder(const Schema& schema) : schema_(schema) {}
  ValuesBuilder& Set(absl::string_view name, absl::string_view text);
  // INVALID_ARGUMENT names every unknown key and every value that is not allowed.
  absl::StatusOr<Values> Build() const;

 private:
  const Schema& schema_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

// What becomes of `current` when `loaded` is read at run time.
struct Reload {
  Values values;                       // `current`, with the reloadable keys of `loaded`.
  std::vector<std::string> changed;    // Reloadable keys whose value is another one now.
  std::vector<std::string> unapplied;  // Other keys that differ: they need a restart.
};
Reload ApplyReload(const Schema& schema, const Values& current, const Values& loaded);

}  // namespace bdcsync::config
