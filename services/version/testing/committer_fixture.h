// A committer on fakes and short ways to ask it, for tests that read as sentences.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/base/ids.h"
#include "services/version/committer.h"
#include "services/version/testing/fake_desk.h"
#include "services/version/testing/fake_event_log.h"
#include "services/version/testing/merging_resolver.h"

namespace bdcsync::version::testing {

class CountingObserver final : public CommitObserver {
 public:
  void OnBatch(size_t) override { ++batches; }
  void OnAnswer(common::v1::OperationKind, common::v1::Outcome) override { ++answers; }
  void OnMeetings(size_t count) override { meetings += static_cast<int>(count); }
  void OnWrites(WritesTold told) override { ++writes[static_cast<size_t>(told)]; }
  void OnText(TextRoute route) override { ++text[static_cast<size_t>(route)]; }
  void OnLostRace() override { ++lost_races; }
  void OnJoined(const CallTrace&, const std::vector<const CallTrace*>&) override { ++joined; }
  void OnSentBack(const common::v1::Operation&, const absl::Status&) override { ++sent_back; }
  void OnConflictOpened() override { ++opened; }
  void OnConflictClosed(conflict::v1::ConflictState) override { ++closed; }
  void OnFactsLost(size_t facts, const absl::Status&) override {
    facts_lost += static_cast<int>(facts);
  }

  std::atomic<int> batches{0};
  std::atomic<int> answers{0};
  std::atomic<int> meetings{0};
  std::array<std::atomic<int>, 3> writes{};  // By WritesTold.
  std::array<std::atomic<int>, 4> text{};    // By TextRoute.
  std::atomic<int> lost_races{0};
  std::atomic<int> joined{0};
  std::atomic<int> sent_back{0};
  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::atomic<int> facts_lost{0};
};

class CommitterFixture : public ::testing::Test {
 protected:
  using Operation = common::v1::Operation;
  using Result = v1::CommitResult;

  CommitterFixture() { Restart(); }

  // A new process on the same log.
  void Restart(CommitLimits limits = {}, size_t cache_bytes = 1 << 20) {
    committer_.reset();
    cache_ = std::make_unique<HeadCache>(cache_bytes);
    committer_ =
        std::make_unique<Committer>(log_, resolver_, facts_, *cache_, random_, observer_, limits);
  }

  Operation Make(common::v1::OperationKind kind, const std::string& id, const std::string& text) {
    Operation operation;
    operation.set_op_id(absl::StrCat("op-", ++operations_));
    operation.mutable_entity()->set_space("s");
    operation.mutable_entity()->set_entity_type("note");
    operation.mutable_entity()->set_entity_id(id);
    operation.set_kind(kind);
    (kind == common::v1::OPERATION_KIND_PATCH ? *operation.mutable_patch()
                                              : *operation.mutable_data()) = text;
    operation.set_request_hash(StableHash64(absl::StrCat(kind, id, text)));
    return operation;
  }
  Operation Create(const std::string& id, const std::string& data) {
    return Make(common::v1::OPERATION_KIND_CREATE, id, data);
  }
  Operation Update(const std::string& id, const std::string& data) {
    return Make(common::v1::OPERATION_KIND_UPDATE, id, data);
  }
  Operation Patch(const std::string& id, const std::string& patch) {
    return Make(common::v1::OPERATION_KIND_PATCH, id, patch);
  }
  Operation Delete(const std::string& id) {
    return Make(common::v1::OPERATION_KIND_DELETE, id, "");
  }
  // `ops` on the text at `path`.
  Operation Text(const std::string& id, const std::string& ops, const std::string& path = "/t") {
    Operation operation = Make(common::v1::OPERATION_KIND_TEXT, id, "");
    operation.set_text(absl::StrCat("{\"path\":\"", path, "\",\"ops\":", ops, "}"));
    operation.set_request_hash(StableHash64(absl::StrCat(id, operation.text())));
    return operation;
  }
  static Operation On(Operation operation, const std::string& base_version) {
    operation.set_base_version(base_version);
    return operation;
  }

  enum class As { kSingles, kClientBatch, kAtomic };

  std::vector<Result> CommitAll(const std::vector<Operation>& operations, As as = As::kSingles) {
    v1::CommitRequest request;
    for (const Operation& operation : operations) {
      v1::CommitItem& item = *request.add_items();
      *item.mutable_operation() = operation;
      item.mutable_actor()->set_user_id("ada");
      item.mutable_actor()->set_device_id("phone");
      if (as != As::kSingles) item.set_batch(7);
      if (as == As::kAtomic) item.set_atomic_group(9);
    }
    v1::CommitResponse response;
    bool done = false;
    EXPECT_TRUE(committer_->Commit(request, response, [&done] { done = true; }).ok());
    EXPECT_TRUE(done);
    return {response.results().begin(), response.results().end()};
  }
  Result Commit(const Operation& operation) { return CommitAll({operation}).front(); }

  // The same in one batch of the service, though each came in its own call.
  std::vector<Result> CommitTogether(const std::vector<Operation>& operations) {
    std::vector<v1::CommitRequest> requests(operations.size());
    std::vector<v1::CommitResponse> responses(operations.size());
    size_t done = 0;
    log_.BeforeNextAppend([&] {  // The committer is busy: what comes now waits and goes together.
      for (size_t i = 0; i < operations.size(); ++i) {
        v1::CommitItem& item = *requests[i].add_items();
        *item.mutable_operation() = operations[i];
        item.mutable_actor()->set_user_id("ada");
        EXPECT_TRUE(committer_->Commit(requests[i], responses[i], [&done] { ++done; }).ok());
      }
    });
    Commit(Update("busy", "0"));
    EXPECT_EQ(done, operations.size());
    std::vector<Result> results;
    for (const v1::CommitResponse& response : responses) results.push_back(response.results(0));
    return results;
  }

  std::string DataOf(const std::string& id) {
    const auto events = log_.Stream("s", "note:main:" + id);
    return events.empty() ? "none" : events.back().tombstone() ? "deleted" : events.back().data();
  }
  size_t VersionsOf(const std::string& id) { return log_.Stream("s", "note:main:" + id).size(); }
  v1::VersionMeta MetaOf(const std::string& id) {
    v1::VersionMeta meta;
    meta.ParseFromString(log_.Stream("s", "note:main:" + id).back().meta());
    return meta;
  }
  // Writes a version of the entity as another replica would.
  void WriteElsewhere(const std::string& id, const std::string& data) {
    const auto events = log_.Stream("s", "note:main:" + id);
    event_store::v1::AppendRequest request;
    event_store::v1::AppendItem& item = *request.add_items();
    item.mutable_stream()->set_space("s");
    item.mutable_stream()->set_name("note:main:" + id);
    item.mutable_expected()->set_revision(static_cast<int64_t>(events.size()));
    item.set_event_id(random_.Bits64());
    item.set_data(data);
    log_.AppendElsewhere(std::move(request));
  }

  SeededRandom random_{1};
  FakeEventLog log_;
  MergingResolver resolver_;
  FakeDesk desk_{resolver_};
  CountingObserver observer_;
  FactRecorder facts_{desk_, observer_};
  std::unique_ptr<HeadCache> cache_;
  std::unique_ptr<Committer> committer_;
  int operations_ = 0;
};

}  // namespace bdcsync::version::testing
