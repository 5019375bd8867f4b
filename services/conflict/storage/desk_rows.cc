#include "services/conflict/storage/desk_rows.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace bdcsync::conflict {

absl::StatusOr<StoredConflict> ReadConflict(int64_t state, absl::string_view assigned_to,
                                            absl::string_view data, absl::string_view choices) {
  StoredConflict stored;
  if (!stored.conflict.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return absl::DataLossError("a conflict cannot be read");
  }
  stored.conflict.set_state(static_cast<v1::ConflictState>(state));
  stored.conflict.set_assigned_to(std::string(assigned_to));
  stored.choices = std::string(choices);
  return stored;
}

// Written as it would be with the other fields empty: a copy of the decisions costs each record
// more than writing them.
std::string DecisionsOf(const v1::Resolution& resolution) {
  using google::protobuf::internal::WireFormatLite;
  constexpr uint32_t kTag = WireFormatLite::MakeTag(v1::Resolution::kDecisionsFieldNumber,
                                                    WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  std::string written;
  google::protobuf::io::StringOutputStream stream(&written);
  google::protobuf::io::CodedOutputStream out(&stream);
  for (const v1::Decision& decision : resolution.decisions()) {
    out.WriteTag(kTag);
    out.WriteVarint32(static_cast<uint32_t>(decision.ByteSizeLong()));
    decision.SerializeWithCachedSizes(&out);
  }
  out.Trim();
  return written;
}

bool CompleteClosing(absl::string_view recorded_conflict_id, absl::string_view recorded,
                     v1::Resolution& closing) {
  v1::Resolution before;
  if (!before.ParseFromArray(recorded.data(), static_cast<int>(recorded.size()))) return true;
  if (!recorded_conflict_id.empty()) return before.decisions_size() == 0;
  for (v1::Decision& decision : *before.mutable_decisions()) {
    *closing.add_decisions() = std::move(decision);
  }
  return true;
}

void KeepNewest(int limit, std::vector<ConflictPlace>& page) {
  std::sort(page.begin(), page.end(), [](const ConflictPlace& a, const ConflictPlace& b) {
    return std::tie(a.opened_ms, a.conflict_id) > std::tie(b.opened_ms, b.conflict_id);
  });
  if (page.size() > static_cast<size_t>(limit)) page.resize(static_cast<size_t>(limit));
}

void KeepMostOverdue(int limit, std::vector<DuePlace>& due) {
  absl::flat_hash_set<std::string> with_deadline;
  for (const DuePlace& place : due) {
    if (place.reason == v1::DUE_REASON_DEADLINE) with_deadline.insert(place.conflict_id);
  }
  std::erase_if(due, [&](const DuePlace& place) {
    return place.reason != v1::DUE_REASON_DEADLINE && with_deadline.contains(place.conflict_id);
  });
  std::sort(due.begin(), due.end(), [](const DuePlace& a, const DuePlace& b) {
    return std::tie(b.overdue_ms, a.conflict_id) < std::tie(a.overdue_ms, b.conflict_id);
  });
  if (due.size() > static_cast<size_t>(limit)) due.resize(static_cast<size_t>(limit));
}

}  // namespace bdcsync::conflict
