// Asks for the heads of many spaces in few calls: what is asked for in one turn of the loop, or
// while a call is in flight, goes into the next call. One call at a time. Lives on one loop.
#pragma once

#include <cstddef>
#include <cstdint>
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
  // One answer per space asked for; a failed call fails each of its spaces. `call` is its number.
  using Answer = std::function<void(absl::string_view space, uint64_t call,
                                    const absl::StatusOr<entity::Cursor>& head)>;

  // References are borrowed. `answer` runs on the loop, never within Ask.
  HeadQuery(Loop& loop, EventReader& reader, size_t spaces_per_call_max, Answer answer);
  ~HeadQuery();

  // Returns the number of the first call that can answer: heads of earlier ones were read before.
  uint64_t Ask(absl::string_view space);

 private:
  void SendSoon();
  void Send();
  void OnAnswer(uint64_t call, const std::vector<std::string>& spaces,
                const absl::StatusOr<event_store::v1::GetSpaceHeadsResponse>& response);

  Loop& loop_;
  EventReader& reader_;
  const size_t spaces_per_call_max_;
  const Answer answer_;
  const std::shared_ptr<bool> alive_;  // Shared with what is posted.
  absl::flat_hash_set<std::string> waiting_;
  uint64_t calls_ = 0;  // Sent so far.
  bool send_posted_ = false;
  bool in_flight_ = false;
};

}  // namespace bdcsync::gateway
