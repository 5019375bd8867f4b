// `spool` and `config` against a server that answers as told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/fake_sync_client.h"
#include "clients/cli/run.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AdminCommandsTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& words) {
    std::istringstream in;
    out_.str("");
    err_.str("");
    const Environment environment{variables_,           in, out_, err_, clock_, random_,
                                  [](absl::Duration) {}};
    return RunCommandLine(words, environment, [this](SyncClientOptions) {
      return absl::StatusOr<std::unique_ptr<SyncClient>>(std::make_unique<Borrowed>(server_));
    });
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  void AnswerParked(const std::vector<int64_t>& ids, const std::string& next = "") {
    admin::v1::ListParkedResponse page;
    for (const int64_t id : ids) {
      admin::v1::ParkedGroup& group = *page.add_groups();
      group.set_id(id);
      group.set_space("team");
      group.set_reason("already_exists");
      group.set_stored_ms(1'700'000'000'000);
      group.set_parked_ms(1'700'000'001'000);
      admin::v1::ParkedOperation& parked = *group.add_operations();
      parked.set_user_id("ada");
      parked.mutable_operation()->set_op_id("op-1");
      parked.mutable_operation()->set_kind(common::v1::OPERATION_KIND_CREATE);
      parked.mutable_operation()->mutable_entity()->set_space("team");
      parked.mutable_operation()->mutable_entity()->set_entity_type("note");
      parked.mutable_operation()->mutable_entity()->set_entity_id("n1");
      parked.mutable_operation()->set_data(R"({"a":1})");
    }
    page.set_next_page_token(next);
    server_.parked_answers.push_back(page);
  }

  std::map<std::string, std::string> variables_;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{7};
  std::ostringstream out_;
  std::ostringstream err_;
  FakeSyncClient server_;
};

TEST_F(AdminCommandsTest, ListShowsATableForPeopleAndLinesForScripts) {
  AnswerParked({17});
  EXPECT_EQ(Run({"spool", "list"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr("17"), HasSubstr("already_exists"), HasSubstr("note/n1"),
                           HasSubstr("create"), HasSubstr("ada")));
  EXPECT_FALSE(server_.parked_requests.back().with_payload());
  AnswerParked({17});
  EXPECT_EQ(Run({"spool", "list", "--json"}), 0);
  EXPECT_THAT(out(), AllOf(HasSubstr(R"("id":17)"), HasSubstr(R"("reason":"already_exists")"),
                           HasSubstr(R"("parked":"2023-11-14T22:13:21.000Z")")));
  AnswerParked({});
  EXPECT_EQ(Run({"spool", "list"}), 0);
  EXPECT_EQ(out(), "nothing is parked\n");
}

TEST_F(AdminCommandsTest, ExportPrintsEveryPageWithItsData) {
  AnswerParked({1, 2}, "2");
  AnswerParked({3});
  EXPECT_EQ(Run({"spool", "export"}), 0);
  EXPECT_THAT(
      out(), AllOf(HasSubstr(R"("id":1)"), HasSubstr(R"("id":3)"), HasSubstr(R"("data":{"a":1})")));
  EXPECT_TRUE(server_.parked_requests.front().with_payload());
  EXPECT_EQ(server_.parked_requests.back().page_token(), "2");
}

TEST_F(AdminCommandsTest, RetryAndDiscardTellWhatBecameOfEachId) {
  EXPECT_EQ(Run({"spool", "retry", "17", "18"}), 0);
  EXPECT_EQ(out(), "retried 2\n");
  server_.unknown_id = 18;
  EXPECT_EQ(Run({"spool", "discard", "17", "18"}), 1);
  EXPECT_EQ(out(), "discarded 1\n");
  EXPECT_THAT(err(), HasSubstr("not parked: 18"));
  EXPECT_EQ(Run({"spool", "discard", "17", "18", "--json"}), 1);
  EXPECT_EQ(out(), "{\"discarded\":[17],\"not_found\":[18]}\n");
}

TEST_F(AdminCommandsTest, AllMeansEveryPageInCallsThatTheServerAllows) {
  std::vector<int64_t> ids(500);
  for (int page = 0; page < 3; ++page) {
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = page * 500 + static_cast<int64_t>(i) + 1;
    AnswerParked(ids, page < 2 ? "more" : "");
  }
  EXPECT_EQ(Run({"spool", "discard", "--all"}), 0);
  EXPECT_EQ(out(), "discarded 1500\n");
  EXPECT_EQ(server_.discard_calls, 2);
}

TEST_F(AdminCommandsTest, WrongCommandLinesAreRefusedBeforeAnythingHappens) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"spool"},
                                             {"spool", "show"},
                                             {"spool", "list", "17"},
                                             {"spool", "discard"},
                                             {"spool", "discard", "x"},
                                             {"spool", "discard", "0"},
                                             {"spool", "discard", "17", "--all"},
                                             {"config", "monitoring.log_level"},
                                             {"config", "=debug"}}) {
    EXPECT_EQ(Run(words), 2) << words.back();
    EXPECT_THAT(err(), Not(HasSubstr("expected no further call"))) << words.back();
  }
}

TEST_F(AdminCommandsTest, ConfigChangesAndShowsKeys) {
  EXPECT_EQ(Run({"config", "monitoring.log_level=debug", "limits.operations_per_s=7"}), 0);
  EXPECT_EQ(out(), "limits.operations_per_s=7\nmonitoring.log_level=debug\n");
  EXPECT_EQ(Run({"config", "monitoring.log_level=debug", "--json"}), 0);
  EXPECT_EQ(out(), "{\"monitoring.log_level\":\"debug\"}\n");
  EXPECT_EQ(Run({"config"}), 0);
  EXPECT_EQ(out(), "nothing is changed at run time\n");
}

}  // namespace
}  // namespace bdcsync::cli
