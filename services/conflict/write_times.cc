#include "services/conflict/write_times.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "services/conflict/rebuilt_document.h"

namespace bdcsync::conflict {
namespace {

// The next token of a pointer, without the slash, as it is written.
absl::string_view TakeToken(absl::string_view& pointer) {
  absl::ConsumePrefix(&pointer, "/");
  const absl::string_view token = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(token.size());
  return token;
}

bool IsPosition(absl::string_view token) {
  return !token.empty() &&
         absl::c_all_of(token, [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool Differ(const json::Value* a, const json::Value* b) {
  if (a == nullptr || b == nullptr) return a != b;
  return !(*a == *b);
}

}  // namespace

void LastWrites::Add(int write, absl::string_view changed) {
  size_t node = 0;
  nodes_[node].within = write;
  while (!changed.empty()) {
    const absl::string_view token = TakeToken(changed);
    if (IsPosition(token)) nodes_[node].at_position = write;
    const auto [child, is_new] = nodes_[node].children.try_emplace(token, nodes_.size());
    node = child->second;
    if (is_new) nodes_.emplace_back();
    nodes_[node].within = write;
  }
  nodes_[node].here = write;
}

std::optional<int> LastWrites::At(absl::string_view path) const {
  const Node* node = &nodes_.front();
  int last = node->here;
  while (!path.empty()) {
    const absl::string_view token = TakeToken(path);
    // Which element stood at a position is not known any more.
    if (absl::StrContains(token, '=')) last = std::max(last, node->at_position);
    const auto child = node->children.find(token);
    node = child == node->children.end() ? nullptr : &nodes_[child->second];
    if (node == nullptr) break;
    last = std::max(last, node->here);
  }
  if (node != nullptr) last = std::max(last, node->within);
  return last == kNone ? std::nullopt : std::optional<int>(last);
}

WriteTimes::WriteTimes(const v1::ResolveRequest& request, int item, StateOf met, StateOf outcome,
                       size_t& steps)
    : request_(request),
      item_(request.items(item)),
      met_(std::move(met)),
      outcome_(std::move(outcome)),
      steps_(steps) {
  for (int i = 0; i < item_.theirs_writes_size(); ++i) {
    for (const std::string& changed : item_.theirs_writes(i).changed_paths()) {
      writes_.Add(i, changed);
    }
  }
}

std::optional<WriteTime> WriteTimes::LastAt(const std::string& path) {
  for (uint32_t number = item_.theirs_item(); number != 0;) {
    if (steps_ >= kLookStepsMax) return std::nullopt;
    const int before = static_cast<int>(number) - 1;
    if (Differ(FindAt(path, met_(before), &steps_), FindAt(path, outcome_(before), &steps_))) {
      return WriteTime{request_.items(before).ours().client_time_ms(), 0};
    }
    number = request_.items(before).theirs_item();
  }
  if (const std::optional<int> last = writes_.At(path)) {
    const v1::Write& write = item_.theirs_writes(*last);
    return WriteTime{write.client_time_ms(), write.time_ms()};
  }
  wants_writes_ = wants_writes_ || item_.can_tell_writes();
  return std::nullopt;
}

}  // namespace bdcsync::conflict
