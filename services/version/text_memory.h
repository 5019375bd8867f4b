// What an entity's line knows beside the head: the trail of the last versions, parts of an older
// trail while it is read from the log, and the text that was edited last, open. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "libs/entity/version_id.h"
#include "services/version/entity_state.h"
#include "services/version/text_document.h"
#include "services/version/text_trail.h"

namespace bdcsync::version {

class TextMemory {
 public:
  // Versions to be read from the log, without data, oldest first.
  struct Range {
    int64_t from_revision = 0;
    int64_t count = 0;
  };

  void SetTrail(std::shared_ptr<TextTrail> trail) { trail_ = std::move(trail); }
  std::shared_ptr<TextTrail> TakeTrail() { return std::move(trail_); }
  // Null while nothing is remembered.
  const TextTrail* trail() const { return trail_.get(); }

  // The line goes on from this head, or nobody knows from which (null): forgets what does not lead
  // to it.
  void OnHead(const EntityState* head);
  // A version follows `before`. One that is about no text is noted only where a trail is kept.
  void OnText(const EntityState& before, TextStep step);
  void OnOther(const EntityState& before, TextStep step);
  // A version that was noted is stored.
  void OnStored(const EntityState& state);

  // What is to be read so that the trail reaches from `revision` to the stored head.
  Range Missing(int64_t revision, const EntityState& stored) const;
  // Takes what was read. False when it does not lead to what is known.
  bool AddOlder(const event_store::v1::ReadStreamResponse& page, const Range& asked,
                const EntityState& stored);

  // The text at `path` of `head`, open. Valid until the next call. Errors as TextDocument::Open.
  absl::StatusOr<TextDocument*> Open(const EntityState& head, absl::string_view path);
  // The open text is that of `head` now.
  void Opened(const EntityState& head) { open_at_ = {head.revision, head.event_id}; }
  void Close() { open_.reset(); }

 private:
  std::shared_ptr<TextTrail> trail_;  // Handed on by the memory of heads; nobody else has it.
  std::optional<TextTrail> older_;    // Ends before the trail begins, or before the stored head.
  std::optional<TextDocument> open_;
  std::string open_path_;
  entity::VersionId open_at_;
};

}  // namespace bdcsync::version
