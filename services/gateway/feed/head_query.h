// Asks for the heads of many spaces in few calls: what is asked for in one turn of the loop, or
// while a call is in flight, goes into the next call. One call at a time. Lives on one loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/entity/cursor.h"
#include "services/gateway/feed/event_reader.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class HeadQuery {
 public:
  // One answer per space asked for; a failed call fails each of its spaces.
  using Answer =
      std::function<void(absl::string_view space, const absl::StatusOr<entity::Cursor>& head)>;

  // References are borrowed. `answer` runs on the loop, never within Ask.
  HeadQuery(Loop& loop, EventReader& reader, size_t spaces_per_call_max, Answer answer);
  ~HeadQuery();

  // Answers with a head that was read after this call.
  void Ask(absl::string_view space);

 private:
  void SendSoon();
  void Send();
  void OnAnswer(const std::vector<std::string>& spaces,
                const absl::StatusOr<event_store::v1::GetSpaceHeadsResponse>& response);

  Loop& loop_;
  EventReader& reader_;
  const size_t spaces_per_call_max_;
  const Answer answer_;
  const std::shared_ptr<bool> alive_;  // Shared with what is posted.
  absl::flat_hash_set<std::string> waiting_;
  bool send_posted_ = false;
  bool in_flight_ = false;
};

}  // namespace bdcsync::gateway
