#include "services/version/conflict_closer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/version/closing_run.h"
#include "services/version/conflict_lookup.h"

namespace bdcsync::version {
namespace {

// A call of Close whose items are worked on; the last one to end sends the response.
struct CloseCall : std::enable_shared_from_this<CloseCall> {
  CloseCall(const ConflictTools& with, v1::CloseConflictsRequest asked,
            ConflictCloser::Callback then)
      : tools(with), request(std::move(asked)), callback(std::move(then)) {}

  void OnRecords(std::vector<ConflictRecord> found) {
    records = std::move(found);
    // Those of one entity would only get into each other's way.
    absl::flat_hash_map<std::string, size_t> places;
    for (int i = 0; i < request.items_size(); ++i) {
      v1::CloseResult& result = *response.add_results();
      ConflictRecord& record = records[static_cast<size_t>(i)];
      if (!record.ok()) {
        *result.mutable_error() = record.error;
        continue;
      }
      event_store::v1::StreamKey stream;
      SetFactsStream(record.conflict.entity(), stream);
      const std::string name = absl::StrCat(stream.space(), "\n", stream.name());
      const size_t place = places.try_emplace(name, chains.size()).first->second;
      if (place == chains.size()) chains.emplace_back();
      chains[place].push_back(i);
    }
    ForEachOfSome(
        chains.size(), kConflictsAtOnceMax,
        [self = shared_from_this()](size_t chain, absl::AnyInvocable<void()> done) {
          self->RunChain(chain, 0, std::move(done));
        },
        [self = shared_from_this()] { self->callback(std::move(self->response)); });
  }

  // Works on the items of a chain from `next` on, one after the other.
  void RunChain(size_t chain, size_t next, absl::AnyInvocable<void()> done) {
    if (next == chains[chain].size()) {
      done();
      return;
    }
    const int i = chains[chain][next];
    std::make_shared<ClosingRun>(
        tools, request.items(i), std::move(records[static_cast<size_t>(i)].conflict),
        *response.mutable_results(i),
        [self = shared_from_this(), chain, next, done = std::move(done)]() mutable {
          self->RunChain(chain, next + 1, std::move(done));
        })
        ->Start();
  }

  const ConflictTools tools;
  const v1::CloseConflictsRequest request;
  v1::CloseConflictsResponse response;
  ConflictCloser::Callback callback;
  std::vector<ConflictRecord> records;
  std::vector<std::vector<int>> chains;
};

}  // namespace

conflict::v1::Conflict WithRecord(const conflict::v1::Conflict& logged,
                                  const conflict::v1::Conflict& record) {
  conflict::v1::Conflict whole = logged;
  if (!record.places().empty()) *whole.mutable_places() = record.places();
  for (conflict::v1::OpenPlace& place : *whole.mutable_places()) {
    for (const conflict::v1::OpenPlace& known : logged.places()) {
      const conflict::v1::Decision& decision = known.decision();
      if (decision.path() != place.decision().path() || decision.chosen().empty()) continue;
      place.mutable_decision()->set_chosen(decision.chosen());
      if (!decision.result().empty()) place.mutable_decision()->set_result(decision.result());
    }
  }
  const bool is_open = logged.state() == conflict::v1::CONFLICT_STATE_OPEN;
  if (is_open && !record.assigned_to().empty()) {
    whole.set_assigned_to(record.assigned_to());
    whole.set_state(conflict::v1::CONFLICT_STATE_ASSIGNED);
  }
  return whole;
}

void ConflictCloser::Close(v1::CloseConflictsRequest request, Callback callback) {
  std::vector<std::string> ids;
  for (const v1::CloseItem& item : request.items()) ids.push_back(item.conflict_id());
  auto call = std::make_shared<CloseCall>(tools_, std::move(request), std::move(callback));
  LookUpConflicts(tools_.desk, std::move(ids),
                  [call](absl::StatusOr<std::vector<ConflictRecord>> records) {
                    if (records.ok()) {
                      call->OnRecords(*std::move(records));
                    } else {
                      call->callback(records.status());
                    }
                  });
}

}  // namespace bdcsync::version
