// A committer beside a conflict service that asks about "status", for tests of conflicts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "services/version/conflict_closer.h"
#include "services/version/conflict_facts.h"
#include "services/version/conflict_viewer.h"
#include "services/version/resolution_undoer.h"
#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {

class ConflictFixture : public CommitterFixture {
 protected:
  ConflictFixture() {
    resolver_.UseRules(R"({"rules":[{"path":"$.status","rule":"ask"},
                                    {"path":"$.title","rule":"ask"}]})");
  }

  // Makes an entity and changes it at `status` and `title` since the version that is returned.
  std::string Diverge(const std::string& id = "a") {
    const std::string base =
        Commit(Create(id, R"({"status":"new","title":"new","n":1})")).version_id();
    head_ = Commit(Patch(id, R"({"status":"theirs","title":"theirs"})")).version_id();
    return base;
  }
  // Opens a conflict about `status`; its id.
  std::string OpenOne(const std::string& id = "a", const std::string& status = "ours") {
    const Result result =
        Commit(On(Patch(id, absl::StrCat(R"({"status":")", status, R"(","m":1})")), Diverge(id)));
    EXPECT_EQ(result.outcome(), common::v1::OUTCOME_CONFLICT);
    return result.conflict_id();
  }
  static Operation OnBranch(Operation operation, const std::string& conflict_id) {
    operation.mutable_entity()->set_branch("conflict/" + conflict_id);
    return operation;
  }

  std::vector<event_store::v1::Event> Branch(const std::string& conflict_id,
                                             const std::string& id = "a") {
    return log_.Stream("s", "note:conflict/" + conflict_id + ":" + id);
  }
  std::vector<event_store::v1::Event> Facts(const std::string& id = "a") {
    return log_.Stream("s", "!conflicts:note:" + id);
  }
  v1::OpenConflicts Open(const std::string& id = "a") {
    v1::OpenConflicts open;
    const auto facts = Facts(id);
    if (!facts.empty()) open.ParseFromString(facts.back().data());
    return open;
  }
  static v1::VersionMeta Meta(const event_store::v1::Event& event) {
    v1::VersionMeta meta;
    meta.ParseFromString(event.meta());
    return meta;
  }

  ConflictTools Tools(Committer& committer, FakeDesk& desk) {
    return {log_, desk, facts_, committer, random_, clock_, observer_};
  }
  static conflict::v1::Choice Choose(const std::string& choice,
                                     const std::vector<std::string>& paths = {},
                                     const std::string& value = "") {
    conflict::v1::Choice chosen;
    chosen.set_choice(choice);
    chosen.set_value(value);
    for (const std::string& path : paths) chosen.add_paths(path);
    return chosen;
  }
  static v1::CloseItem CloseWith(const std::string& conflict_id, v1::CloseCause cause,
                                 const std::vector<conflict::v1::Choice>& choices = {}) {
    v1::CloseItem item;
    item.set_conflict_id(conflict_id);
    item.set_cause(cause);
    for (const conflict::v1::Choice& choice : choices) *item.add_choices() = choice;
    item.mutable_actor()->set_user_id("boss");
    return item;
  }
  static v1::CloseItem Decide(const std::string& conflict_id,
                              const std::vector<conflict::v1::Choice>& choices) {
    return CloseWith(conflict_id, v1::CLOSE_CAUSE_DECIDED, choices);
  }
  absl::StatusOr<v1::CloseConflictsResponse> TryClose(const std::vector<v1::CloseItem>& items,
                                                      Committer& committer) {
    v1::CloseConflictsRequest request;
    for (const v1::CloseItem& item : items) *request.add_items() = item;
    std::optional<absl::StatusOr<v1::CloseConflictsResponse>> answer;
    ConflictCloser(Tools(committer, desk_))
        .Close(std::move(request), [&answer](absl::StatusOr<v1::CloseConflictsResponse> got) {
          answer = std::move(got);
        });
    return answer.value_or(absl::InternalError("no answer"));
  }
  v1::CloseResult Close(const v1::CloseItem& item) { return CloseAt(*committer_, item); }
  v1::CloseResult CloseAt(Committer& committer, const v1::CloseItem& item) {
    const auto answer = TryClose({item}, committer);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->results(0) : v1::CloseResult();
  }
  v1::ConflictView View(const std::string& conflict_id,
                        const std::vector<conflict::v1::Choice>& choices = {}) {
    v1::ViewConflictsRequest request;
    v1::ViewItem& item = *request.add_items();
    item.set_conflict_id(conflict_id);
    for (const conflict::v1::Choice& choice : choices) *item.add_choices() = choice;
    v1::ConflictView view;
    ConflictViewer(log_, desk_)
        .View(std::move(request), [&view](absl::StatusOr<v1::ViewConflictsResponse> answer) {
          ASSERT_TRUE(answer.ok()) << answer.status();
          view = answer->views(0);
        });
    return view;
  }

  ManualClock clock_{absl::FromUnixMillis(5'000'000)};
  std::string head_;
};

}  // namespace bdcsync::version::testing
