// Holds back answers until they may leave: those of requests with a key in common (the same entity;
// no `id`) leave in the order of the requests. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace bdcsync::gateway {

class AnswerOrder {
 public:
  using Ticket = uint64_t;
  // Two for the usual request: its entity, and that it has no id.
  using Keys = absl::InlinedVector<uint64_t, 2>;
  using Send = std::function<void(Ticket, const std::string& text)>;

  // `send` gets each answer when it may leave. It may open new tickets.
  explicit AnswerOrder(Send send) : send_(std::move(send)) {}

  // A request has come. Keys that stand twice count once.
  Ticket Open(Keys keys);
  // Its answer; it leaves now or when those before it have. True when it has left.
  bool Answer(Ticket ticket, std::string text);
  // Requests whose answers have not left.
  size_t pending() const { return requests_.size(); }
  // Of answers that wait for those before them.
  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Request {
    Keys keys;
    bool answered = false;
    std::string text;
  };
  using Line = absl::InlinedVector<Ticket, 4>;

  bool MayLeave(Ticket ticket, const Request& request) const;
  // Takes the request out of its lines; those who come first now go to `next`.
  void Leave(Ticket ticket, const Keys& keys, std::vector<Ticket>& next);

  const Send send_;
  Ticket last_ = 0;
  size_t held_bytes_ = 0;
  absl::flat_hash_map<Ticket, Request> requests_;
  absl::flat_hash_map<uint64_t, Line> lines_;  // By key; the first of each may leave.
};

}  // namespace bdcsync::gateway
