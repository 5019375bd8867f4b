#include "services/version/fact_recorder.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "services/version/conflict_facts.h"

namespace bdcsync::version {
namespace {

// Of one call; conflict takes 1,000 facts.
constexpr int kFactsPerCallMax = 1000;
constexpr size_t kBytesPerCallMax = size_t{2} << 20;
// A conflict with more than this is told without the values, which can be read again.
constexpr size_t kWholeConflictBytesMax = size_t{256} << 10;

// The calls that tell the facts of one Record; the last answer ends it.
struct Telling {
  std::atomic<int> waiting{1};
  absl::AnyInvocable<void()> done;

  void Arrive() {
    if (waiting.fetch_sub(1, std::memory_order_acq_rel) == 1) done();
  }
};

}  // namespace

conflict::v1::Fact FactOf(const conflict::v1::Conflict& conflict) {
  conflict::v1::Fact fact;
  *fact.mutable_conflict() =
      conflict.ByteSizeLong() > kWholeConflictBytesMax ? WithoutValues(conflict) : conflict;
  return fact;
}

void FactRecorder::Record(std::vector<conflict::v1::Fact> facts, absl::AnyInvocable<void()> done) {
  auto telling = std::make_shared<Telling>();
  telling->done = std::move(done);
  for (size_t next = 0; next < facts.size();) {
    conflict::v1::RecordFactsRequest request;
    size_t bytes = 0;
    while (next < facts.size() && request.facts_size() < kFactsPerCallMax &&
           bytes < kBytesPerCallMax) {
      bytes += facts[next].ByteSizeLong();
      *request.add_facts() = std::move(facts[next++]);
    }
    const auto count = static_cast<size_t>(request.facts_size());
    telling->waiting.fetch_add(1, std::memory_order_relaxed);
    desk_.RecordFacts(
        std::move(request),
        [this, telling, count](const absl::StatusOr<conflict::v1::RecordFactsResponse>& answer) {
          if (!answer.ok()) observer_.OnFactsLost(count, answer.status());
          telling->Arrive();
        });
  }
  telling->Arrive();
}

}  // namespace bdcsync::version
