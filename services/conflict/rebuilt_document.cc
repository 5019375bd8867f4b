#include "services/conflict/rebuilt_document.h"

#include <optional>
#include <utility>
#include <vector>

#include "libs/json/parse.h"
#include "libs/json/pointer.h"

namespace bdcsync::conflict {
namespace {

using Keys = std::vector<std::pair<std::string, json::Value>>;

// Where a JSON scalar that begins at `text` ends: at the comma before the next key.
size_t EndOfScalar(absl::string_view text) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return text.size();
}

// The keys that a token of a keyed list names; nothing: it is a member's name.
std::optional<Keys> KeysOf(absl::string_view token) {
  Keys keys;
  while (true) {
    const size_t equals = token.find('=');
    if (equals == absl::string_view::npos) return std::nullopt;
    const std::string name(token.substr(0, equals));
    token.remove_prefix(equals + 1);
    const size_t end = EndOfScalar(token);
    absl::StatusOr<json::Value> value = json::Parse(token.substr(0, end), {.depth_max = 1});
    if (!value.ok() || value->is_array() || value->is_object()) return std::nullopt;
    keys.emplace_back(name, *std::move(value));
    if (end == token.size()) return keys;
    token.remove_prefix(end + 1);
  }
}

template <typename Array>
auto FindElement(Array& array, const Keys& keys) -> decltype(array.data()) {
  for (auto& element : array) {
    bool same = true;
    for (const auto& [name, value] : keys) {
      const json::Value* const found = element.Find(name);
      same = same && found != nullptr && *found == value;
    }
    if (same) return &element;
  }
  return nullptr;
}

json::Value Element(const Keys& keys) {
  json::Value element{json::Object()};
  for (const auto& [name, value] : keys) element.Set(name, value);
  return element;
}

// The place one step down, made if it is not there; nullptr when something else is in the way.
json::Value* StepDown(const std::string& token, json::Value& holder) {
  const std::optional<Keys> keys = KeysOf(token);
  if (!keys) {
    if (holder.is_null()) holder = json::Value(json::Object());
    if (!holder.is_object()) return nullptr;
    return &holder.object()[token];
  }
  if (holder.is_null()) holder = json::Value(json::Array());
  if (!holder.is_array()) return nullptr;
  if (json::Value* const found = FindElement(holder.array(), *keys)) return found;
  return &holder.Append(Element(*keys));
}

// What holds the last step must be there even if the place itself is not.
bool MakeHolder(const std::string& token, json::Value& holder) {
  const bool list = KeysOf(token).has_value();
  if (holder.is_null()) holder = list ? json::Value(json::Array()) : json::Value(json::Object());
  return list ? holder.is_array() : holder.is_object();
}

}  // namespace

bool PutAt(absl::string_view path, Document value, Document& document) {
  if (path.empty()) {
    if (document) return false;
    document = std::move(value);
    return true;
  }
  const absl::StatusOr<json::PointerTokens> tokens = json::ParsePointer(path);
  if (!tokens.ok()) return false;
  if (!document) document = json::Value();
  json::Value* place = &*document;
  for (size_t i = 0; i + 1 < tokens->size(); ++i) {
    place = StepDown((*tokens)[i], *place);
    if (place == nullptr) return false;
  }
  if (!MakeHolder(tokens->back(), *place)) return false;
  if (!value) return true;
  place = StepDown(tokens->back(), *place);
  if (place == nullptr) return false;
  *place = *std::move(value);
  return true;
}

const json::Value* FindAt(absl::string_view path, const Document& document, size_t* steps) {
  size_t uncounted = 0;
  size_t& looked_at = steps != nullptr ? *steps : uncounted;
  looked_at += path.size() + 1;
  if (!document) return nullptr;
  const absl::StatusOr<json::PointerTokens> tokens = json::ParsePointer(path);
  if (!tokens.ok()) return nullptr;
  const json::Value* place = &*document;
  for (const std::string& token : *tokens) {
    const std::optional<Keys> keys = place->is_array() ? KeysOf(token) : std::nullopt;
    if (keys) looked_at += place->array().size();
    place = keys ? FindElement(place->array(), *keys) : place->Find(token);
    if (place == nullptr) return nullptr;
  }
  return place;
}

}  // namespace bdcsync::conflict
