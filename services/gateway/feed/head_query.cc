#include "services/gateway/feed/head_query.h"

#include <utility>

#include "libs/base/errors.h"

namespace bdcsync::gateway {

HeadQuery::HeadQuery(Loop& loop, EventReader& reader, size_t spaces_per_call_max, Answer answer)
    : loop_(loop),
      reader_(reader),
      spaces_per_call_max_(spaces_per_call_max),
      answer_(std::move(answer)),
      alive_(std::make_shared<bool>(true)) {}

HeadQuery::~HeadQuery() = default;

uint64_t HeadQuery::Ask(absl::string_view space) {
  waiting_.insert(std::string(space));
  SendSoon();
  return calls_ + 1;
}

void HeadQuery::SendSoon() {
  if (send_posted_ || in_flight_) return;
  send_posted_ = true;
  loop_.Post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    send_posted_ = false;
    Send();
  });
}

void HeadQuery::Send() {
  if (waiting_.empty()) return;
  std::vector<std::string> spaces;
  event_store::v1::GetSpaceHeadsRequest request;
  request.set_partial(true);
  while (!waiting_.empty() && spaces.size() < spaces_per_call_max_) {
    auto space = waiting_.extract(waiting_.begin());
    request.add_spaces(space.value());
    spaces.push_back(std::move(space.value()));
  }
  in_flight_ = true;
  ++calls_;
  using Response = event_store::v1::GetSpaceHeadsResponse;
  reader_.GetSpaceHeads(std::move(request),
                        [this, &loop = loop_, alive = std::weak_ptr<bool>(alive_), call = calls_,
                         spaces = std::move(spaces)](absl::StatusOr<Response> response) mutable {
                          loop.Post([this, alive = std::move(alive), call,
                                     spaces = std::move(spaces), response = std::move(response)] {
                            if (!alive.expired()) OnAnswer(call, spaces, response);
                          });
                        });
}

void HeadQuery::OnAnswer(uint64_t call, const std::vector<std::string>& spaces,
                         const absl::StatusOr<event_store::v1::GetSpaceHeadsResponse>& response) {
  in_flight_ = false;
  if (!waiting_.empty()) SendSoon();
  for (size_t i = 0; i < spaces.size(); ++i) {
    if (!response.ok()) {
      answer_(spaces[i], call, response.status());
    } else if (static_cast<int>(i) < response->heads_size()) {
      const common::v1::SpacePosition& head = response->heads(static_cast<int>(i));
      if (head.epoch() == 0) {
        answer_(spaces[i], call,
                MakeError(Reason::kUnavailable, "the server of the space gives no answer"));
      } else {
        answer_(spaces[i], call, entity::Cursor{head.epoch(), head.seq()});
      }
    } else {
      answer_(spaces[i], call, MakeError(Reason::kInternal, "a head is missing in the answer"));
    }
  }
}

}  // namespace bdcsync::gateway
