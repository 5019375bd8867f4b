#include "libs/merge/place.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/json/decimal_math.h"
#include "libs/json/serialize.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;

// How many places in a token names of members are looked for at: a token has no more keys than
// kKeysMax of rule sets. Elements come from clients, and some could be read in so many ways that
// trying all would take for ever.
constexpr size_t kStartsMax = 32;

// A number has one text, however it is written: a decision, what is chosen for it, and who wrote
// last find each other by their paths.
std::string TextOf(const Value& key) {
  return key.is_number() ? json::CanonicalNumber(key.number_text()) : json::Serialize(key);
}

// Takes the text of `key` from the front of `token`; of a number any text with its value.
bool ConsumeKey(const Value& key, absl::string_view& token) {
  if (!key.is_number()) return absl::ConsumePrefix(&token, json::Serialize(key));
  const size_t size = std::min(token.find(','), token.size());
  const std::optional<Value> number = Value::FromNumberText(token.substr(0, size));
  if (!number || *number != key) return false;
  token.remove_prefix(size);
  return true;
}

// Whether `token` is made of members of `element`. Names and texts may hold any letters, so all
// ways to read it are tried.
bool IsNamed(const Value& element, absl::string_view token) {
  std::set<size_t> starts = {0};  // Where a name may begin.
  for (size_t tried = 0; !starts.empty() && tried < kStartsMax; ++tried) {
    const absl::string_view from = token.substr(*starts.begin());
    starts.erase(starts.begin());
    for (const json::Member& member : element.object()) {
      absl::string_view rest = from;
      if (!absl::ConsumePrefix(&rest, member.key) || !absl::ConsumePrefix(&rest, "=")) continue;
      if (!ConsumeKey(member.value, rest)) continue;
      if (rest.empty()) return true;
      if (absl::ConsumePrefix(&rest, ",")) starts.insert(token.size() - rest.size());
    }
  }
  return false;
}

}  // namespace

std::string KeyToken(const Value& element, const std::vector<std::string>& keys) {
  std::string token;
  for (const std::string& key : keys) {
    const Value* value = element.Find(key);
    absl::StrAppend(&token, token.empty() ? "" : ",", key, "=",
                    value == nullptr ? "" : TextOf(*value));
  }
  return token;
}

std::optional<size_t> ElementAt(const Array& list, absl::string_view token) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object() && IsNamed(list[i], token)) return i;
  }
  return std::nullopt;
}

Value* FindPlace(Value& document, absl::Span<const std::string> tokens) {
  Value* place = &document;
  for (const std::string& token : tokens) {
    if (place->is_array()) {
      const std::optional<size_t> element = ElementAt(place->array(), token);
      place = element ? &place->array()[*element] : nullptr;
    } else {
      place = place->Find(token);
    }
    if (place == nullptr) return nullptr;
  }
  return place;
}

}  // namespace bdcsync::merge
