// Configuration keys, each declared once as a constexpr struct, and the ordered set of keys that a
// process knows. Fields are for designated initialisers, in the order below, e.g.
//   constexpr config::Int kPort{.name = "websocket.port", .default_value = 8765, .min = 0,
//                               .max = 65535, .doc = "Where WebSocket clients connect."};
// Key structs are values; a Schema is built on one thread and read-only afterwards.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bdcsync::config {

// Common fields: `name` is dotted and lower case ("websocket.port"). `doc` is one sentence.
// `reloadable`: a change in the file takes effect on SIGHUP. `secret`: masked wherever values are
// printed, and <ENVIRONMENT NAME>_FILE may name a file that holds it. `env_alias`: a second
// environment name that users know.
struct Bool {
  absl::string_view name;
  bool default_value = false;
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

struct Int {
  absl::string_view name;
  int64_t default_value = 0;
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  absl::string_view unit = "";
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

struct Double {
  absl::string_view name;
  double default_value = 0;
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
  absl::string_view unit = "";
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// Written as 250ms, 30s, 5m, 1h30m; a bare number is refused, except 0.
struct Duration {
  absl::string_view name;
  absl::Duration default_value = absl::ZeroDuration();
  absl::Duration min = absl::ZeroDuration();
  absl::Duration max = absl::Hours(24 * 365);
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// Written as 512, 64KiB, 8MiB, 2GiB (powers of 1024) or 10kB, 5MB (powers of 1000).
struct Bytes {
  absl::string_view name;
  int64_t default_value = 0;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// `choices`: when not empty, the comma separated values that are allowed.
struct String {
  absl::string_view name;
  absl::string_view default_value = "";
  absl::string_view choices = "";
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// Comma separated in environment and flags, a sequence (or the same text) in YAML.
struct StringList {
  absl::string_view name;
  absl::string_view default_value = "";
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// key=value pairs, comma separated, in environment and flags; a mapping (or the same text) in YAML.
struct StringMap {
  absl::string_view name;
  absl::string_view default_value = "";
  absl::string_view doc;
  bool reloadable = false;
  bool secret = false;
  absl::string_view env_alias = "";
};

// A parsed value. Int and Bytes are int64_t.
using Value = std::variant<bool, int64_t, double, absl::Duration, std::string,
                           std::vector<std::string>, std::map<std::string, std::string>>;

enum class Type { kBool, kInt, kDouble, kDuration, kBytes, kString, kStringList, kStringMap };

// Any key, with its type erased: what loader, printer and docs work on.
struct Key {
  Type type = Type::kString;
  std::string name;
  std::string doc;
  std::string unit;
  std::string choices;
  Value default_value;
  Value min;  // Unused by types without a range.
  Value max;
  bool reloadable = false;
  bool secret = false;
  std::string env_alias;

  friend bool operator==(const Key&, const Key&) = default;
};

class Schema {
 public:
  // Adds a key. Adding the identical key again changes nothing, since modules share keys; another
  // key of the same name is a bug and ends the process.
  void Add(const Bool& key);
  void Add(const Int& key);
  void Add(const Double& key);
  void Add(const Duration& key);
  void Add(const Bytes& key);
  void Add(const String& key);
  void Add(const StringList& key);
  void Add(const StringMap& key);

  // In the order in which they were added first.
  const std::vector<Key>& keys() const { return keys_; }
  // The key named `name`, or nullptr.
  const Key* Find(absl::string_view name) const;

 private:
  void AddKey(Key key);

  std::vector<Key> keys_;
};

// BDC_SYNC_ and the name in capitals, '.' as '_', "websocket." as "WS_".
std::string EnvironmentName(absl::string_view key_name);
// The flag as users may also type it: "--ws-port" for "websocket.port".
std::string KebabFlag(absl::string_view key_name);

// Parses `text` as a value of `key`. INVALID_ARGUMENT says what is wrong and what is allowed; the
// message never holds the text of a secret.
absl::StatusOr<Value> ParseValue(const Key& key, absl::string_view text);
// The text that ParseValue reads as `value`.
std::string FormatValue(const Key& key, const Value& value);
// What is allowed, for people: "1 to 65535", "json, text"; empty when everything is.
std::string DescribeRange(const Key& key);

}  // namespace bdcsync::config
