#include "services/version/text_trail.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/json/value.h"

namespace bdcsync::version {

TextStep::Bearing TextStep::BearingOn(absl::string_view path) const {
  if (text.has_value()) {
    if (text->path == path) return Bearing::kKnown;
    return Overlap(text->path, path) ? Bearing::kUnknown : Bearing::kNone;
  }
  const bool touches = absl::c_any_of(
      changed_paths, [path](const std::string& changed) { return Overlap(changed, path); });
  return touches ? Bearing::kUnknown : Bearing::kNone;
}

size_t TextStep::bytes() const {
  size_t bytes = sizeof(TextStep);
  if (text.has_value()) bytes += text->path.capacity() + MemoryOf(text->ops);
  for (const std::string& path : changed_paths) bytes += sizeof(path) + path.capacity();
  return bytes;
}

TextStep StepOf(entity::VersionId version, const v1::VersionMeta& meta, int64_t time_ms) {
  TextStep step{.version = version,
                .text = std::nullopt,
                .changed_paths = {},
                .client_time_ms = meta.client_time_ms(),
                .time_ms = time_ms};
  if (!meta.text().empty()) {
    // It was checked when it was stored; limits may have been wider then.
    absl::StatusOr<TextChange> text = ReadTextChange(
        meta.text(), {.data_bytes_max = SIZE_MAX, .data_depth_max = json::kDepthCeiling});
    if (text.ok()) {
      step.text = *std::move(text);
      return step;
    }
  }
  step.changed_paths.assign(meta.changed_paths().begin(), meta.changed_paths().end());
  // Whoever wrote it did not say what it changed.
  if (meta.operation() == common::v1::OPERATION_KIND_UNSPECIFIED) step.changed_paths = {""};
  return step;
}

std::optional<entity::VersionId> TextTrail::VersionAt(int64_t revision) const {
  if (revision == from_.revision) return from_;
  if (revision < from_.revision || revision > to().revision) return std::nullopt;
  return StepTo(revision).version;
}

void TextTrail::Add(TextStep step) {
  bytes_ += step.bytes();
  steps_.push_back(std::move(step));
}

void TextTrail::Join(TextTrail later) {
  for (TextStep& step : later.steps_) steps_.push_back(std::move(step));
  bytes_ += later.bytes_;
}

void TextTrail::SetTime(int64_t revision, int64_t time_ms) {
  if (revision <= from_.revision || revision > to().revision) return;
  steps_[static_cast<size_t>(revision - from_.revision - 1)].time_ms = time_ms;
}

void TextTrail::Rewind(int64_t revision) {
  while (!steps_.empty() && steps_.back().version.revision > revision) {
    bytes_ -= steps_.back().bytes();
    steps_.pop_back();
  }
}

void TextTrail::Trim(size_t steps_max, size_t bytes_max) {
  while (!steps_.empty() && (steps_.size() > steps_max || bytes_ > bytes_max)) {
    from_ = steps_.front().version;
    bytes_ -= steps_.front().bytes();
    steps_.pop_front();
  }
}

}  // namespace bdcsync::version
