// When the places of a head were written, for the meetings of a line: the resolver compares times
// place by place where an operation's base lies more than one version behind.
#include <algorithm>
#include <utility>

#include "services/version/entity_line.h"

namespace bdcsync::version {
namespace {

conflict::v1::Write WriteOf(const TextStep& step) {
  conflict::v1::Write write;
  if (step.text.has_value()) {
    write.add_changed_paths(step.text->path);
  } else {
    for (const std::string& path : step.changed_paths) write.add_changed_paths(path);
  }
  write.set_client_time_ms(step.client_time_ms);
  write.set_time_ms(step.time_ms);
  return write;
}

}  // namespace

void EntityLine::SetWrites(Work* work) {
  if (open_meeting_ == 0) met_first_ = work->before;
  work->writes.clear();
  work->can_tell_writes = false;
  // On top of its own operation, which was merged, a client knows of others what it knew before: a
  // base that is made holds nothing that came after the version that both operations name.
  const std::optional<entity::VersionId> known =
      work->base_is_made ? NamedBy(*work)
                         : entity::VersionId{work->base->revision, work->base->event_id};
  const int64_t base = known.has_value() ? known->revision : 0;
  // Of a head that follows the base at once the resolver knows all.
  if (base == 0 || work->before->revision <= base + 1) return;
  // Those that meet in the same call it knows itself.
  const int64_t head = met_first_->revision;
  if (work->does_without_writes || head <= base || head - base > kWritesDistanceMax) return;
  const TextTrail* const trail = text_.trail();
  const entity::VersionId head_id{head, met_first_->event_id};
  if (trail != nullptr && trail->VersionAt(base) == *known && trail->to() == head_id) {
    TakeWrites(*trail, base, work);
  } else if (head == base + 1) {
    conflict::v1::Write& write = work->writes.emplace_back();
    write.add_changed_paths("");
    write.set_client_time_ms(met_first_->client_time_ms);
    write.set_time_ms(met_first_->time_ms);
  } else {
    work->can_tell_writes = true;
  }
}

// The resolver need not ask for a few, which is cheaper than asking.
void EntityLine::TakeWrites(const TextTrail& trail, int64_t base, Work* work) {
  const size_t bytes_max = work->times_wanted > 0 ? kWritesBytesMax : kWritesUnaskedBytesMax;
  size_t bytes = 0;
  for (int64_t at = trail.to().revision; at > base; --at) {
    conflict::v1::Write write = WriteOf(trail.StepTo(at));
    bytes += write.ByteSizeLong();
    if (bytes > bytes_max) break;  // What is older counts as written with the head.
    work->writes.push_back(std::move(write));
  }
  std::reverse(work->writes.begin(), work->writes.end());
  if (bytes <= bytes_max || work->times_wanted > 0) return;
  work->writes.clear();
  work->can_tell_writes = true;
}

std::optional<int64_t> EntityLine::WritesFrom(const Work& work) const {
  // What is read leads to the stored head, so what is made is stored first.
  if (waits_for_append_ || work.stage != Stage::kWaiting || work.times_wanted == 0 ||
      work.does_without_writes) {
    return std::nullopt;
  }
  const auto named = NamedBy(work);
  if (!named.has_value() || stored_->revision - named->revision > kWritesDistanceMax) {
    return std::nullopt;
  }
  return named->revision;
}

bool EntityLine::OnWritesWanted(Work* work, const Tools& tools) {
  for (Work* other : works_) {
    if (other->stage == Stage::kMeeting) other->stage = Stage::kWaiting;
  }
  head_ = work->before;
  open_meeting_ = 0;
  // The log tells of what is stored, and what an atomic batch has made is not stored before all is:
  // it is made again once the steps to the stored head are here.
  const bool must_store = text_.trail() == nullptr && head_ != stored_;
  if (++work->times_wanted > kTimesWantedMax) {
    work->does_without_writes = true;
  } else if (must_store && tools.atomic) {
    return true;
  } else {
    waits_for_append_ = must_store;
  }
  return false;
}

}  // namespace bdcsync::version
