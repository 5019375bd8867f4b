// A version service for tests that remembers what it was asked and answers when told to. One
// thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "services/gateway/pipeline/version_client.h"

namespace bdcsync::gateway {

class FakeVersion final : public VersionClient {
 public:
  struct Call {
    size_t replica;
    version::v1::CommitRequest request;  // A copy.
    Done<version::v1::CommitResponse> done;
  };

  size_t replica_count = 1;
  bool answers_at_once = true;
  absl::Status failure;  // Of whole calls, when not OK.
  int results_missing = 0;
  // How an item ends; by default it is applied.
  std::function<version::v1::CommitResult(const version::v1::CommitItem&)> decide;
  std::vector<version::v1::CommitRequest> commits;
  std::vector<CallTrace> traces;  // Of the commits.
  std::deque<Call> waiting;
  absl::StatusOr<version::v1::EntityState> entity = absl::NotFoundError("unset");

  size_t replicas() const override { return replica_count; }
  void Commit(size_t replica, std::shared_ptr<const version::v1::CommitRequest> request,
              Done<version::v1::CommitResponse> done) override {
    commits.push_back(*request);
    traces.push_back(CallScope::Current());
    waiting.push_back({replica, *request, std::move(done)});
    if (answers_at_once) AnswerNext();
  }
  void AnswerNext() {
    Call call = std::move(waiting.front());
    waiting.pop_front();
    if (!failure.ok()) {
      call.done(failure);
      return;
    }
    version::v1::CommitResponse response;
    for (const version::v1::CommitItem& item : call.request.items()) {
      if (decide) {
        *response.add_results() = decide(item);
        continue;
      }
      version::v1::CommitResult& result = *response.add_results();
      result.set_outcome(common::v1::OUTCOME_APPLIED);
      result.set_version_id("1-0000000000000001");
      result.set_revision(1);
      result.mutable_position()->set_epoch(7);
      result.mutable_position()->set_seq(1);
    }
    for (int i = 0; i < results_missing; ++i) response.mutable_results()->RemoveLast();
    call.done(std::move(response));
  }

  void GetEntities(size_t, version::v1::GetEntitiesRequest request,
                   Done<version::v1::GetEntitiesResponse> done) override {
    last_query = request.queries(0);
    reads.push_back(std::move(done));
    if (reads_at_once) AnswerRead();
  }
  void AnswerRead() {
    Done<version::v1::GetEntitiesResponse> done = std::move(reads.front());
    reads.pop_front();
    if (!entity.ok()) {
      done(entity.status());
      return;
    }
    version::v1::GetEntitiesResponse response;
    *response.add_entities() = *entity;
    done(std::move(response));
  }
  void GetHistory(size_t, version::v1::GetHistoryRequest,
                  Done<version::v1::GetHistoryResponse> done) override {
    version::v1::GetHistoryResponse response;
    response.add_versions()->set_revision(3);
    response.set_next_page_token("2");
    done(std::move(response));
  }
  void Diff(size_t, version::v1::DiffRequest, Done<version::v1::DiffResponse> done) override {
    version::v1::DiffResponse response;
    response.set_changes("[]");
    done(std::move(response));
  }

  version::v1::EntityQuery last_query;
  bool reads_at_once = true;  // Of entities.
  std::deque<Done<version::v1::GetEntitiesResponse>> reads;
};

}  // namespace bdcsync::gateway
