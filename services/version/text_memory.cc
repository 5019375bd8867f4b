#include "services/version/text_memory.h"

#include <utility>

#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/status.h"

namespace bdcsync::version {
namespace {

entity::VersionId IdOf(const EntityState& state) { return {state.revision, state.event_id}; }

}  // namespace

void TextMemory::OnHead(const EntityState* head) {
  older_.reset();
  if (trail_ == nullptr) return;
  if (head != nullptr) trail_->Rewind(head->revision);
  if (head == nullptr || trail_->to() != IdOf(*head)) trail_ = nullptr;
}

void TextMemory::OnText(const EntityState& before, TextStep step) {
  if (trail_ == nullptr) trail_ = std::make_shared<TextTrail>(IdOf(before));
  OnOther(before, std::move(step));
}

void TextMemory::OnOther(const EntityState& before, TextStep step) {
  if (trail_ == nullptr) return;
  if (trail_->to() == IdOf(before)) {
    trail_->Add(std::move(step));
  } else {
    trail_ = nullptr;
  }
}

void TextMemory::OnStored(const EntityState& state) {
  if (trail_ != nullptr) trail_->SetTime(state.revision, state.time_ms);
}

TextMemory::Range TextMemory::Missing(int64_t revision, const EntityState& stored) const {
  const int64_t end = trail_ != nullptr ? trail_->from().revision : stored.revision;
  const bool begun = older_.has_value() && older_->from().revision <= revision;
  const int64_t begin = begun ? older_->to().revision : revision;
  return {begin + 1, end - begin};
}

bool TextMemory::AddOlder(const event_store::v1::ReadStreamResponse& page, const Range& asked,
                          const EntityState& stored) {
  const bool goes_on = older_.has_value() && older_->to().revision + 1 == asked.from_revision;
  if (!goes_on) older_.reset();
  for (const event_store::v1::Event& event : page.events()) {
    v1::VersionMeta meta;
    if (!meta.ParseFromString(event.meta())) return false;
    if (!older_.has_value()) {
      // The version before is not in the page; the first of a version's parents is that.
      const auto before =
          meta.parents_size() > 0 ? entity::ParseVersionId(meta.parents(0)) : std::nullopt;
      if (!before.has_value() || before->revision + 1 != asked.from_revision) return false;
      older_.emplace(*before);
    }
    if (event.revision() != older_->to().revision + 1) return false;
    older_->Add(StepOf({event.revision(), event.event_id()}, meta, event.time_ms()));
  }
  if (!older_.has_value() || page.events().empty()) return false;
  const entity::VersionId end = trail_ != nullptr ? trail_->from() : IdOf(stored);
  if (older_->to().revision < end.revision) return true;
  if (older_->to() != end) return false;
  auto joined = std::make_shared<TextTrail>(*std::exchange(older_, std::nullopt));
  if (trail_ != nullptr) joined->Join(std::move(*trail_));
  trail_ = std::move(joined);
  return true;
}

absl::StatusOr<TextDocument*> TextMemory::Open(const EntityState& head, absl::string_view path) {
  if (open_.has_value() && open_at_ == IdOf(head) && open_path_ == path) return &*open_;
  open_.reset();
  ASSIGN_OR_RETURN(open_, TextDocument::Open(head.data, path));
  open_path_ = std::string(path);
  Opened(head);
  return &*open_;
}

}  // namespace bdcsync::version
