// The rule `remote` within one call of Resolve: collects the places that are to be asked about, and
// answers for them when the answers are there. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "libs/merge/evaluator.h"
#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

// Of one item; the `else` decides about the others.
inline constexpr std::size_t kRemotePlacesMax = 256;
inline constexpr std::size_t kRemotePathBytesMax = std::size_t{256} << 10;  // Of all their paths.

class RemoteQuestions {
 public:
  // Both sides and their documents of the item with this number.
  using MeetingOf = std::function<std::shared_ptr<const RemoteMeeting>(int item)>;
  // What is asked of one resolver.
  struct Batch {
    std::string resolver;
    std::vector<RemotePlace> places;
    std::vector<std::string> keys;  // For Put, one for each place.
  };

  explicit RemoteQuestions(MeetingOf meeting_of) : meeting_of_(std::move(meeting_of)) {}

  // As ResolveContext::ask_remote: kPending for a place that was not asked about yet.
  merge::Answer Evaluate(int item, const merge::Question& question);

  // The places that Evaluate has found since the last time, by resolver; empty: none.
  std::vector<Batch> Take();
  // The answers to `batch`, in the order of its places.
  void Put(const Batch& batch, std::vector<RemoteAnswer> answers);
  // No more is asked: the `else` decides about every place that has no answer. How many there are
  // Evaluate finds out.
  void Stop() { stopped_ = true; }
  // Places that Take will give.
  std::size_t found() const { return found_; }
  // Places that were asked about, or will be.
  std::size_t asked() const { return asked_all_; }
  // Places left to the `else` after Stop.
  std::size_t given_up() const { return given_up_; }

 private:
  struct Asked {
    std::size_t places = 0;
    std::size_t path_bytes = 0;
  };

  const MeetingOf meeting_of_;
  // By item, resolver and place; nothing: it is asked about, and not answered yet.
  absl::flat_hash_map<std::string, std::optional<RemoteAnswer>> answers_;
  absl::flat_hash_map<int, Asked> asked_;  // By item.
  absl::flat_hash_map<int, std::shared_ptr<const RemoteMeeting>> meetings_;
  std::map<std::string, Batch> open_;  // By resolver.
  bool stopped_ = false;
  std::size_t found_ = 0;
  std::size_t asked_all_ = 0;
  std::size_t given_up_ = 0;
};

}  // namespace bdcsync::conflict
