#include "services/gateway/protocol/conflict_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"
#include "libs/json/serialize.h"
#include "services/gateway/protocol/field_reader.h"
#include "services/gateway/protocol/operation_message.h"

namespace bdcsync::gateway {
namespace {

using Choices = google::protobuf::RepeatedPtrField<conflict::v1::Choice>;

constexpr absl::string_view kChoiceNames[] = {"base", "ours", "theirs", "proposed", "value"};
constexpr int kNoStatus = -1;

void ReadChoice(FieldReader& in, conflict::v1::Choice& choice) {
  if (!in.Has("choice")) in.Fail("choice", "choice is required");
  const int chosen = in.Choice(
      "choice", {{"base", 0}, {"ours", 1}, {"theirs", 2}, {"proposed", 3}, {"value", 4}}, 0);
  choice.set_choice(std::string(kChoiceNames[chosen]));
  if (choice.choice() == "value") {
    if (const json::Value* value = in.RequiredValue("value")) {
      json::AppendTo(*value, *choice.mutable_value());
    }
  } else if (in.Has("value")) {
    in.Fail("value", "value is for choice value only");
  }
  for (std::string& path : in.Pointers("paths", kConflictPathsMax, kConflictPathBytesMax)) {
    choice.add_paths(std::move(path));
  }
  // Without paths the whole conflict is meant; whoever has chosen none of them does not mean it.
  if (in.Has("paths") && choice.paths().empty()) {
    in.Fail("paths", "paths must name a place; leave it out to decide all");
  }
}

void ReadChoices(FieldReader& in, Choices& choices) {
  if (!in.Has("choices")) return;
  const json::Value* list = in.RequiredArray("choices", kConflictChoicesMax);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->array().size() && in.ok(); ++i) {
    const json::Value& one = list->array()[i];
    if (!one.is_object()) {
      in.Fail("choices", "choices must hold objects only");
      return;
    }
    FieldReader fields(one, absl::StrCat("/choices/", i));
    ReadChoice(fields, *choices.Add());
    in.Take(fields.status());
  }
}

}  // namespace

ConflictsRequest ReadConflicts(FieldReader& in) {
  ConflictsRequest request;
  sync::v1::ListConflictsRequest& list = request.list;
  list.set_space(ReadSpace(in));
  const int state = in.Choice("status",
                              {{"open", conflict::v1::CONFLICT_STATE_OPEN},
                               {"assigned", conflict::v1::CONFLICT_STATE_ASSIGNED},
                               {"resolved", conflict::v1::CONFLICT_STATE_RESOLVED},
                               {"expired", conflict::v1::CONFLICT_STATE_EXPIRED},
                               {"superseded", conflict::v1::CONFLICT_STATE_SUPERSEDED},
                               {"cancelled", conflict::v1::CONFLICT_STATE_CANCELLED},
                               {"any", conflict::v1::CONFLICT_STATE_UNSPECIFIED}},
                              kNoStatus);
  if (state != kNoStatus) list.add_states(static_cast<conflict::v1::ConflictState>(state));
  list.set_entity_type(in.Text("entity_type", entity::kTypeBytesMax));
  list.set_entity_id(in.Text("entity_id", entity::kIdBytesMax));
  if (!list.entity_id().empty() && list.entity_type().empty()) {
    in.Fail("entity_type", "entity_id needs entity_type");
  }
  list.set_assigned_to(in.Text("assigned_to", entity::kSpaceBytesMax));
  list.set_page_token(in.Text("page_token", kTokenTextBytesMax));
  list.set_limit(static_cast<int32_t>(in.Limit("limit", kConflictsLimitMax)));
  request.one.set_conflict_id(in.Text("conflict_id", kConflictIdBytesMax));
  ReadChoices(in, *request.one.mutable_choices());
  if (!request.one.choices().empty() && request.one.conflict_id().empty()) {
    in.Fail("conflict_id", "choices preview the decision of one conflict: conflict_id is required");
  }
  return request;
}

ResolveConflictRequest ReadResolveConflict(FieldReader& in) {
  ResolveConflictRequest request;
  request.decision.set_conflict_id(in.RequiredText("conflict_id", kConflictIdBytesMax));
  if (in.Has("choice") && in.Has("choices")) {
    in.Fail("choices", "give choice or choices");
  } else if (in.Has("choices")) {
    ReadChoices(in, *request.decision.mutable_choices());
    if (request.decision.choices().empty()) in.Fail("choices", "choices must not be empty");
  } else {
    ReadChoice(in, *request.decision.add_choices());
  }
  return request;
}

}  // namespace bdcsync::gateway
