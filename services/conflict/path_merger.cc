#include "services/conflict/path_merger.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"

namespace bdcsync::conflict {
namespace {

using Document = std::optional<json::Value>;  // Nothing: it does not exist.

absl::StatusOr<Document> ReadText(absl::string_view field, absl::string_view text) {
  absl::StatusOr<json::Value> value = json::Parse(text, {.depth_max = json::kDepthCeiling});
  if (value.ok()) return Document(*std::move(value));
  return MakeErrorAt(Reason::kInvalidArgument, field, value.status().message());
}

absl::StatusOr<Document> Read(absl::string_view field, const v1::Side& side) {
  if (!side.exists()) return Document();
  return ReadText(field, side.data());
}

void Write(const Document& document, v1::Side& side) {
  side.set_exists(document.has_value());
  if (document) json::AppendTo(*document, *side.mutable_data());
}

Document At(const Document& document, absl::string_view path) {
  if (!document) return {};
  const json::Value* value = json::Resolve(*document, path);
  return value == nullptr ? Document() : Document(*value);
}

// Puts `value` at a place whose object exists in `document`; nothing otherwise.
void Put(absl::string_view path, Document value, Document& document) {
  if (path.empty()) {
    document = std::move(value);
    return;
  }
  absl::StatusOr<json::PointerTokens> tokens = json::ParsePointer(path);
  if (!tokens.ok() || !document) return;
  const std::string last = std::move(tokens->back());
  tokens->pop_back();
  json::Value* const holder = json::Resolve(*document, *tokens);
  if (holder == nullptr || !holder->is_object()) return;
  if (value) {
    holder->Set(last, *std::move(value));
  } else {
    holder->object().Erase(last);
  }
}

struct Sides {
  Document base;
  Document theirs;
  Document ours;
  Document proposed;
};

absl::StatusOr<Document> Chosen(const Sides& sides, absl::string_view path,
                                const v1::Choice& choice) {
  if (choice.choice() == "base") return At(sides.base, path);
  if (choice.choice() == "ours") return At(sides.ours, path);
  if (choice.choice() == "theirs") return At(sides.theirs, path);
  if (choice.choice() == "proposed") return At(sides.proposed, path);
  if (choice.value().empty()) return Document();
  return ReadText(path, choice.value());
}

const v1::Choice* ChoiceFor(absl::string_view path, const std::vector<v1::Choice>& choices) {
  const v1::Choice* found = nullptr;
  for (const v1::Choice& choice : choices) {
    if (choice.paths().empty() || absl::c_linear_search(choice.paths(), path)) found = &choice;
  }
  return found;
}

// Whether the two sides still differ there, each from the base.
bool IsOpen(const Sides& sides, absl::string_view path) {
  const Document base = At(sides.base, path);
  const Document theirs = At(sides.theirs, path);
  const Document ours = At(sides.ours, path);
  return theirs != ours && theirs != base && ours != base;
}

absl::Status CheckPaths(const v1::Conflict& conflict, const v1::DecideItem& item) {
  for (const v1::Choice& choice : item.choices()) {
    for (const std::string& path : choice.paths()) {
      const bool known = absl::c_any_of(conflict.places(), [&](const v1::OpenPlace& place) {
        return place.decision().path() == path;
      });
      if (known) continue;
      return MakeErrorAt(Reason::kInvalidArgument, path, "this place is not open");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PathMerger::Merge(const v1::Conflict& conflict, const v1::DecideItem& item,
                               const std::vector<v1::Choice>& kept,
                               v1::DecideResult& result) const {
  RETURN_IF_ERROR(CheckPaths(conflict, item));
  Sides sides;
  ASSIGN_OR_RETURN(sides.base, Read("base", item.base()));
  ASSIGN_OR_RETURN(sides.theirs, Read("theirs", item.theirs()));
  ASSIGN_OR_RETURN(sides.ours, Read("ours", item.ours()));
  sides.proposed =
      merge::Merge(sides.base, sides.theirs, sides.ours, {.matching_work_max = matching_work_max_})
          .value;
  Document merged = sides.proposed;
  std::vector<v1::Choice> choices = kept;
  choices.insert(choices.end(), item.choices().begin(), item.choices().end());
  for (const v1::OpenPlace& place : conflict.places()) {
    const std::string& path = place.decision().path();
    if (!IsOpen(sides, path)) continue;
    v1::Choice fallback;
    fallback.set_choice(place.fallback());
    const v1::Choice* choice = ChoiceFor(path, choices);
    if (choice == nullptr && item.with_fallbacks()) choice = &fallback;
    if (choice == nullptr) {
      *result.add_open() = place;
      Put(path, At(sides.theirs, path), merged);
      continue;
    }
    ASSIGN_OR_RETURN(Document chosen, Chosen(sides, path, *choice));
    v1::Decision& decision = *result.add_decisions();
    decision = place.decision();
    decision.set_chosen(choice->choice() == "proposed" ? "merged" : choice->choice());
    decision.clear_result();
    if (chosen) json::AppendTo(*chosen, *decision.mutable_result());
    Put(path, std::move(chosen), merged);
  }
  Write(merged, *result.mutable_merged());
  Write(sides.proposed, *result.mutable_proposed());
  return absl::OkStatus();
}

}  // namespace bdcsync::conflict
