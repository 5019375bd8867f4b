#include "services/conflict/stored_conflicts.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/conflict/desk_request.h"

namespace bdcsync::conflict {
namespace {

// Tells at each open place what was chosen for it already.
absl::Status AddChosen(StoredConflict& stored) {
  ASSIGN_OR_RETURN(const std::vector<v1::Choice> kept, ChoicesOf(stored));
  for (const v1::Choice& choice : kept) {
    for (v1::OpenPlace& place : *stored.conflict.mutable_places()) {
      if (!absl::c_linear_search(choice.paths(), place.decision().path())) continue;
      place.mutable_decision()->set_chosen(choice.choice());
      if (choice.choice() == "value") place.mutable_decision()->set_result(choice.value());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ConflictsById> ReadConflicts(DeskStorage& storage, std::vector<std::string> ids) {
  std::erase_if(ids, [](const std::string& id) { return !IsConflictId(id); });
  absl::StatusOr<std::vector<StoredConflict>> stored = storage.Get(ids);
  if (!stored.ok()) return ConflictsUnavailable(stored.status());
  ConflictsById by_id;
  for (StoredConflict& one : *stored) {
    RETURN_IF_ERROR(AddChosen(one));
    std::string id = one.conflict.conflict_id();
    by_id.emplace(std::move(id), std::move(one));
  }
  return by_id;
}

absl::StatusOr<std::vector<v1::Choice>> ChoicesOf(const StoredConflict& stored) {
  v1::DecideItem kept;
  if (!kept.ParseFromString(stored.choices)) return absl::DataLossError("choices cannot be read");
  return std::vector<v1::Choice>(kept.choices().begin(), kept.choices().end());
}

absl::Status ConflictsUnavailable(const absl::Status& stored) {
  if (absl::IsDataLoss(stored)) return stored;
  return MakeError(Reason::kUnavailable, "the conflicts cannot be reached");
}

absl::Status NoSuchConflict() { return MakeError(Reason::kNotFound, "there is no such conflict"); }

absl::Status ConflictIsClosed() {
  return MakeError(Reason::kPreconditionFailed, "the conflict is closed");
}

}  // namespace bdcsync::conflict
