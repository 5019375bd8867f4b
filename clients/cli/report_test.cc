// What a command line says, and its exit status, when something is wrong around it: no server, no
// answer, lost output, words that cannot be meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <streambuf>

#include "absl/strings/str_cat.h"
#include "clients/cli/connection_error.h"
#include "clients/cli/fake_sync_client.h"
#include "clients/cli/run.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Takes nothing, like a full disk.
class FullDisk final : public std::streambuf {};

class ReportTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& words, std::ostream& out, const std::string& input = "") {
    std::istringstream in(input);
    err_.str("");
    const std::map<std::string, std::string> variables = {{"BDC_SYNC_JWT_SECRET", "s"}};
    const Environment environment{variables, in, out, err_, clock_, random_, [](absl::Duration) {}};
    return RunCommandLine(words, environment, [this](SyncClientOptions) {
      return absl::StatusOr<std::unique_ptr<SyncClient>>(std::make_unique<Borrowed>(server_));
    });
  }
  int Run(const std::vector<std::string>& words, const std::string& input = "") {
    out_.str("");
    return Run(words, out_, input);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  ManualClock clock_{absl::FromUnixMillis(1'700'000'000'000)};
  SeededRandom random_{7};
  std::ostringstream out_;
  std::ostringstream err_;
  FakeSyncClient server_;
};

TEST_F(ReportTest, TheSameCommandWithTheSameOperationIdIsTheSameRequest) {
  server_.process_answer = MakeError(Reason::kUnavailable, "the connection broke");
  EXPECT_EQ(Run({"patch", "note/n1", "{}"}), kExitUnreachable);
  const std::string id = server_.processed[0].op_id();
  EXPECT_THAT(err(), HasSubstr("with --op-id " + id));
  clock_.Advance(absl::Minutes(3));
  Run({"patch", "note/n1", "{}", "--op-id", id});
  EXPECT_EQ(server_.processed[1].SerializeAsString(), server_.processed[0].SerializeAsString());
}

TEST_F(ReportTest, AnOperationIdThatTellsNoTimeComesWithoutOne) {
  Run({"patch", "note/n1", "{}", "--op-id", "mine"});
  clock_.Advance(absl::Minutes(3));
  Run({"patch", "note/n1", "{}", "--op-id", "mine"});
  ASSERT_THAT(server_.processed, SizeIs(2));
  EXPECT_EQ(server_.processed[0].client_time_ms(), 0);
  EXPECT_EQ(server_.processed[1].SerializeAsString(), server_.processed[0].SerializeAsString());
}

TEST_F(ReportTest, WithoutAConnectionNothingWasAppliedAndAServerIsLookedFor) {
  server_.process_answer = NotConnected(MakeError(Reason::kUnavailable, "connection refused"));
  EXPECT_EQ(Run({"put", "note/n1", "1", "--address", "h:1"}), kExitUnreachable);
  EXPECT_THAT(err(), HasSubstr("is a server running at h:1?"));
  EXPECT_THAT(err(), Not(HasSubstr("nobody knows")));
}

TEST_F(ReportTest, AServerThatAnswersIsNotLookedFor) {
  server_.process_answer = MakeError(Reason::kUnavailable, "the version service is away");
  EXPECT_EQ(Run({"put", "note/n1", "1"}), kExitUnreachable);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync status` shows what is away"));
  EXPECT_THAT(err(), Not(HasSubstr("is a server running")));
  EXPECT_THAT(err(), HasSubstr("nobody knows"));
  server_.status_answer = MakeError(Reason::kUnavailable, "draining");
  EXPECT_EQ(Run({"status"}), kExitUnreachable);
  EXPECT_THAT(err(), Not(HasSubstr("bdc-sync status`")));
}

TEST_F(ReportTest, WhatIsNotFoundIsListedByTheCommandThatListsIt) {
  const absl::Status missing = MakeError(Reason::kNotFound, "there is none");
  server_.entity_answer = missing;
  EXPECT_EQ(Run({"get", "note/n1"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync list` shows what there is"));
  EXPECT_EQ(Run({"get", "note/n1", "--version", "1-x"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync history note/n1` shows"));
  server_.diff_answer = missing;
  EXPECT_EQ(Run({"diff", "note/n1", "1-x"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync history note/n1` shows"));
  server_.revoke_failure = missing;
  EXPECT_EQ(Run({"devices", "revoke", "phone"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync devices` shows yours"));
  EXPECT_EQ(Run({"devices", "revoke", "phone", "--owner", "eve"}), kExitRefused);
  EXPECT_THAT(err(), Not(HasSubstr("shows")));
  server_.fake_desk.get_rule_set_answer = missing;
  EXPECT_EQ(Run({"rules", "show", "note"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync rules list` shows"));
  server_.fake_desk.get_conflict_answer = missing;
  EXPECT_EQ(Run({"conflicts", "show", "x"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync conflicts --status any` shows"));
  server_.fake_desk.undo_resolution_answer = missing;
  EXPECT_EQ(Run({"conflicts", "undo", "x"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("`bdc-sync conflicts records` shows"));
}

TEST_F(ReportTest, LostOutputIsAFailureOfEveryCommand) {
  testing::TempDir folder;
  const std::string file = folder.File("a.json");
  std::ofstream(file) << "1";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"delta"}, {"merge", file, file, file}, {"token"}, {"status"}, {"help"}, {"version"}}) {
    FullDisk disk;
    std::ostream out(&disk);
    EXPECT_EQ(Run(words, out, "{}\n"), kExitUsage) << words.front();
    EXPECT_EQ(err(), "bdc-sync: standard output could not be written: some of it is lost\n");
  }
}

TEST_F(ReportTest, APortThatThereIsNotIsRefused) {
  for (const char* address : {"h:99999", "h:65536", "h:0", "[::1]:123456", "h:99999999999999"}) {
    EXPECT_EQ(Run({"status", "--address", address}), kExitUsage) << address;
    EXPECT_THAT(err(), HasSubstr("there is no port "));
  }
  for (const char* address : {"h:1", "h:65535", "h", "[::1]", "[::1]:8766", "unix:/x:99999"}) {
    EXPECT_EQ(Run({"status", "--address", address}), kExitDone) << address;
  }
}

TEST_F(ReportTest, AUrlIsNoAddress) {
  EXPECT_EQ(Run({"status", "--address", "http://h:8766"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("http://h:8766 is a URL"));
}

TEST_F(ReportTest, WhatCannotBeReadIsNamed) {
  const testing::TempDir folder;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"put", "note/n1", "@" + folder.path()},
                                             {"put", "note/n1", "@" + folder.File("missing")},
                                             {"rules", "check", folder.path()},
                                             {"token", "--secret-file", folder.path()},
                                             {"merge", folder.path(), "-", folder.path()}}) {
    EXPECT_EQ(Run(words), kExitUsage) << words[0];
    EXPECT_THAT(err(), HasSubstr(folder.path()));
  }
}

// As of a variable of a script that was never set, whose loop would lose its input to it.
TEST_F(ReportTest, EmptyDataIsNotStandardInput) {
  EXPECT_EQ(Run({"put", "note/n1", ""}, "1"), kExitUsage);
  EXPECT_EQ(Run({"text", "note/n1", "/t", ""}, "[]"), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("is not JSON"));
  EXPECT_THAT(server_.processed, IsEmpty());
}

TEST_F(ReportTest, TokensThatNobodyWouldTakeAreNotMade) {
  EXPECT_EQ(Run({"token", "--user", "two words"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--user"));
  EXPECT_EQ(Run({"token", "--user", std::string(124, 'u')}), kExitUsage);
  EXPECT_EQ(Run({"token", "--user", std::string(123, 'u')}), kExitDone);
  EXPECT_EQ(Run({"token", "--device", std::string(129, 'd')}), kExitUsage);
  EXPECT_EQ(Run({"token", "--device", "two\nlines"}), kExitUsage);
  EXPECT_EQ(Run({"token", "--device", std::string(128, 'd')}), kExitDone);
  EXPECT_EQ(Run({"token", "--grant", "team=write", "--grant", "team=read"}), kExitUsage);
  EXPECT_EQ(Run({"token", "--grant", "team=read", "--grant", "team=read"}), kExitDone);
  EXPECT_EQ(Run({"token", "--expires", "inf"}), kExitUsage);
  EXPECT_EQ(Run({"token", "--expires", "876000h1s"}), kExitUsage);
  EXPECT_EQ(Run({"token", "--expires", "876000h"}), kExitDone);
}

TEST_F(ReportTest, WhatIsNoTypeIsNotWaitedFor) {
  for (const char* command : {"list", "watch"}) {
    for (const char* type : {"note/n1", "", "two words"}) {
      EXPECT_EQ(Run({command, "note", type}), kExitUsage) << command << " " << type;
      EXPECT_THAT(err(), HasSubstr(absl::StrCat("'", type, "' is no TYPE")));
    }
  }
}

TEST_F(ReportTest, AWrongCommandLineIsToldInJsonToWhoWantsJson) {
  EXPECT_EQ(Run({"list", "--json", "--limt", "5"}), kExitUsage);
  ASSERT_OK_AND_ASSIGN(const json::Value answer, json::Parse(err()));
  ASSERT_NE(answer.Find("error"), nullptr);
  EXPECT_EQ(answer.Find("error")->Find("code")->string(), "invalid_argument");
}

TEST_F(ReportTest, AVersionAndATimeAreNotMixed) {
  EXPECT_EQ(Run({"get", "note/n1", "--version", "1-a", "--as-of", "1h"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("not both"));
}

TEST_F(ReportTest, TheVersionIsJsonWhenAskedFor) {
  EXPECT_EQ(Run({"--version"}), kExitDone);
  const std::string line = out();
  EXPECT_EQ(Run({"version"}), kExitDone);
  EXPECT_EQ(out(), line);
  EXPECT_EQ(Run({"version", "--json"}), kExitDone);
  ASSERT_OK_AND_ASSIGN(const json::Value value, json::Parse(out()));
  EXPECT_EQ(line, absl::StrCat("bdc-sync ", value.Find("version")->string(), "\n"));
  EXPECT_EQ(Run({"version", "1"}), kExitUsage);
}

TEST_F(ReportTest, WhatHelpListsItselfHasHelp) {
  for (const char* name : {"help", "version"}) {
    EXPECT_EQ(Run({"help", name}), kExitDone) << name;
    EXPECT_THAT(err(), IsEmpty());
  }
}

TEST_F(ReportTest, AByteOrderMarkIsNamed) {
  EXPECT_EQ(Run({"put", "note/n1", "-"}, "\xEF\xBB\xBF{}"), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("the text begins with a UTF-8 byte order mark"));
  testing::TempDir folder;
  const std::string plain = folder.File("plain.json");
  const std::string marked = folder.File("marked.json");
  std::ofstream(plain) << "{}";
  std::ofstream(marked) << "\xEF\xBB\xBF{}";
  EXPECT_EQ(Run({"merge", plain, marked, plain}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("marked.json: the text begins with a UTF-8 byte order mark"));
  EXPECT_EQ(Run({"delta"}, "\xEF\xBB\xBF{}\n"), kExitDone);
  EXPECT_THAT(out(), HasSubstr("byte order mark"));
}

TEST_F(ReportTest, AWatchThatEndsDoesNotSayThatItWaits) {
  v1::WatchResponse message;
  message.set_caught_up(true);
  server_.streams.push_back({{message}, absl::OkStatus()});
  server_.streams.push_back({{message}, absl::OkStatus()});
  EXPECT_EQ(Run({"watch", "--once"}), kExitDone);
  EXPECT_EQ(err(), "bdc-sync: up to date\n");
  EXPECT_EQ(Run({"watch"}), kExitDone);
  EXPECT_EQ(err(), "bdc-sync: up to date; waiting for changes\n");
}

}  // namespace
}  // namespace bdcsync::cli
