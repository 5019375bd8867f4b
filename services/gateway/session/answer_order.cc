#include "services/gateway/session/answer_order.h"

#include <algorithm>
#include <utility>

namespace bdcsync::gateway {

AnswerOrder::Ticket AnswerOrder::Open(Keys keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const Ticket ticket = ++last_;
  for (const uint64_t key : keys) lines_[key].push_back(ticket);
  requests_.emplace(ticket, Request{std::move(keys), false, {}});
  return ticket;
}

bool AnswerOrder::Answer(Ticket ticket, std::string text) {
  Request& request = requests_.at(ticket);
  request.answered = true;
  request.text = std::move(text);
  held_bytes_ += request.text.size();
  if (!MayLeave(ticket, request)) return false;
  std::vector<Ticket> ready = {ticket};
  while (!ready.empty()) {
    const Ticket next = ready.back();
    ready.pop_back();
    const auto found = requests_.find(next);
    if (found == requests_.end() || !MayLeave(next, found->second)) continue;
    const Request leaving = std::move(found->second);
    requests_.erase(found);
    held_bytes_ -= leaving.text.size();
    Leave(next, leaving.keys, ready);
    send_(next, leaving.text);
  }
  return true;
}

bool AnswerOrder::MayLeave(Ticket ticket, const Request& request) const {
  return request.answered &&
         std::all_of(request.keys.begin(), request.keys.end(),
                     [&](uint64_t key) { return lines_.at(key).front() == ticket; });
}

void AnswerOrder::Leave(Ticket ticket, const Keys& keys, std::vector<Ticket>& next) {
  for (const uint64_t key : keys) {
    const auto line = lines_.find(key);
    line->second.erase(line->second.begin());
    if (line->second.empty()) {
      lines_.erase(line);
    } else {
      next.push_back(line->second.front());
    }
  }
}

}  // namespace bdcsync::gateway
