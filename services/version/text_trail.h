// The last versions of an entity: what each did to which text, what else it changed, and when. With
// it, an operation on a text that was made on one of them is moved to the head, and it is known
// when a place was written last, without asking the log. Bounded by whoever keeps it. Not
// thread-safe: it belongs to the line that works on the entity, and to the memory of heads while
// none does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/entity/version_id.h"
#include "services/version/text_change.h"

namespace bdcsync::version::v1 {
class VersionMeta;
}  // namespace bdcsync::version::v1

namespace bdcsync::version {

// What one version did.
struct TextStep {
  entity::VersionId version;
  std::optional<TextChange> text;          // Of a text operation.
  std::vector<std::string> changed_paths;  // Of any other.
  int64_t client_time_ms = 0;              // As of EntityState.
  int64_t time_ms = 0;

  // Whether it changed the text at `path`, and if so whether `text` says how.
  enum class Bearing { kNone, kKnown, kUnknown };
  Bearing BearingOn(absl::string_view path) const;
  size_t bytes() const;
};

// What the description of a version says.
TextStep StepOf(entity::VersionId version, const v1::VersionMeta& meta, int64_t time_ms = 0);

class TextTrail {
 public:
  // Empty; what is added follows `from`.
  explicit TextTrail(entity::VersionId from) : from_(from) {}

  const entity::VersionId& from() const { return from_; }
  const entity::VersionId& to() const { return steps_.empty() ? from_ : steps_.back().version; }
  size_t size() const { return steps_.size(); }
  size_t bytes() const { return bytes_; }
  // The version with this revision; nothing when it is not within from() and to().
  std::optional<entity::VersionId> VersionAt(int64_t revision) const;
  // The step that made this revision, which is after from() and at most to().
  const TextStep& StepTo(int64_t revision) const {
    return steps_[static_cast<size_t>(revision - from_.revision - 1)];
  }

  // The step's revision is the one after to().
  void Add(TextStep step);
  // Adds all of `later`, which begins where this ends.
  void Join(TextTrail later);
  // The step that made this revision, if it is known, was committed at this time.
  void SetTime(int64_t revision, int64_t time_ms);
  // Drops the steps that made versions after `revision`.
  void Rewind(int64_t revision);
  // Drops the oldest steps beyond either bound.
  void Trim(size_t steps_max, size_t bytes_max);

 private:
  entity::VersionId from_;
  std::deque<TextStep> steps_;
  size_t bytes_ = 0;
};

}  // namespace bdcsync::version
