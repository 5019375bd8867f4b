// Whole command lines against a server that answers as told: what is asked, what is printed, and
// the exit status.
#include "clients/cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/command_table.h"
#include "clients/cli/fake_sync_client.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int64_t kNowMs = 1'700'000'000'000;

class RunTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& words, const std::string& input = "") {
    std::istringstream in(input);
    out_.str("");
    err_.str("");
    const Environment environment{
        variables_, in, out_, err_, clock_, random_, [this](absl::Duration duration) {
          waits_.push_back(duration);
        }};
    return RunCommandLine(words, environment, [this](SyncClientOptions options) {
      dialled_ = std::move(options);
      return absl::StatusOr<std::unique_ptr<SyncClient>>(std::make_unique<Borrowed>(server_));
    });
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  // The answer to a write of note/n1.
  void AnswerWrite(common::v1::Outcome outcome) {
    v1::OperationResult result;
    result.set_outcome(outcome);
    result.set_op_id("op");
    result.mutable_entity()->set_space("user:dev");
    result.mutable_entity()->set_entity_type("note");
    result.mutable_entity()->set_entity_id("n1");
    result.set_version_id("3-00000000000000ff");
    result.set_revision(3);
    v1::ProcessSyncResponse response;
    *response.mutable_result() = result;
    server_.process_answer = response;
  }
  static version::v1::EntityState Entity(const std::string& id, const std::string& data) {
    version::v1::EntityState entity;
    entity.mutable_entity()->set_space("user:dev");
    entity.mutable_entity()->set_entity_type("note");
    entity.mutable_entity()->set_entity_id(id);
    entity.set_version_id("1-0000000000000001");
    entity.set_revision(1);
    entity.set_data(data);
    entity.set_time_ms(kNowMs);
    return entity;
  }
  static v1::WatchResponse Changes(const std::vector<std::string>& ids, const std::string& cursor,
                                   bool caught_up = false) {
    v1::WatchResponse message;
    for (const std::string& id : ids) {
      v1::Change& change = *message.add_changes();
      change.set_kind(v1::CHANGE_KIND_UPDATE);
      *change.mutable_entity() = Entity(id, "{}");
    }
    message.set_cursor(cursor);
    message.set_caught_up(caught_up);
    return message;
  }
  static json::Value Json(const std::string& line) {
    auto value = json::Parse(line);
    EXPECT_OK(value) << line;
    return value.ok() ? *std::move(value) : json::Value();
  }

  std::map<std::string, std::string> variables_;
  ManualClock clock_{absl::FromUnixMillis(kNowMs)};
  SeededRandom random_{7};
  std::ostringstream out_;
  std::ostringstream err_;
  std::vector<absl::Duration> waits_;
  FakeSyncClient server_;
  SyncClientOptions dialled_;
};

TEST_F(RunTest, PutSendsTheDataAsWrittenAndSaysWhatBecameOfIt) {
  AnswerWrite(common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(Run({"put", "note/n1/part", " {\"a\": 1.10} ", "--space", "team-1", "--base", "2-x",
                 "--message", "m", "--category", "c"}),
            kExitDone);
  ASSERT_THAT(server_.processed, SizeIs(1));
  const common::v1::Operation& sent = server_.processed[0];
  EXPECT_EQ(sent.kind(), common::v1::OPERATION_KIND_UPDATE);
  EXPECT_EQ(sent.data(), "{\"a\": 1.10}");
  EXPECT_EQ(sent.entity().entity_type(), "note");
  EXPECT_EQ(sent.entity().entity_id(), "n1/part");
  EXPECT_EQ(sent.entity().space(), "team-1");
  EXPECT_EQ(sent.base_version(), "2-x");
  EXPECT_EQ(sent.message(), "m");
  EXPECT_EQ(sent.category(), "c");
  EXPECT_THAT(sent.op_id(), SizeIs(36));
  EXPECT_EQ(sent.client_time_ms(), kNowMs);
  EXPECT_THAT(out(), HasSubstr("applied  note/n1  in user:dev  revision 3"));
}

TEST_F(RunTest, TextSendsItsOperationsWithTheirPlace) {
  AnswerWrite(common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(Run({"text", "note/n1", "/a\"b", "[{\"insert\": \"x\"}]", "--base", "2-x"}), kExitDone);
  ASSERT_THAT(server_.processed, SizeIs(1));
  EXPECT_EQ(server_.processed[0].kind(), common::v1::OPERATION_KIND_TEXT);
  EXPECT_EQ(server_.processed[0].text(), R"({"path":"/a\"b","ops":[{"insert": "x"}]})");
  EXPECT_EQ(server_.processed[0].base_version(), "2-x");
  EXPECT_EQ(Run({"text", "note/n1", "/a", "no JSON"}), kExitUsage);
}

TEST_F(RunTest, DataComesFromAFileOrStandardInputToo) {
  AnswerWrite(common::v1::OUTCOME_APPLIED);
  testing::TempDir folder;
  std::ofstream(folder.File("n.json")) << "[1]\n";
  EXPECT_EQ(Run({"put", "note/n1", "@" + folder.File("n.json")}), kExitDone);
  EXPECT_EQ(Run({"patch", "note/n1", "-"}, "{\"x\": null}"), kExitDone);
  EXPECT_EQ(Run({"put", "note/n1", "--create"}, "2"), kExitDone);
  ASSERT_THAT(server_.processed, SizeIs(3));
  EXPECT_EQ(server_.processed[0].data(), "[1]");
  EXPECT_EQ(server_.processed[1].patch(), "{\"x\": null}");
  EXPECT_EQ(server_.processed[1].kind(), common::v1::OPERATION_KIND_PATCH);
  EXPECT_EQ(server_.processed[2].data(), "2");
  EXPECT_EQ(server_.processed[2].kind(), common::v1::OPERATION_KIND_CREATE);
}

TEST_F(RunTest, TypeAndIdMayBeTwoWords) {
  EXPECT_EQ(Run({"put", "note", "n1", "1"}), kExitDone);
  EXPECT_EQ(Run({"put", "note", "a/b", "--message", "m", "2"}), kExitDone);
  EXPECT_EQ(Run({"delete", "note", "n1"}), kExitDone);
  EXPECT_EQ(Run({"text", "note", "n1", "/body", R"([{"insert": "x"}])"}), kExitDone);
  ASSERT_EQ(server_.processed.size(), 4u);
  EXPECT_EQ(server_.processed[0].entity().entity_type(), "note");
  EXPECT_EQ(server_.processed[0].entity().entity_id(), "n1");
  EXPECT_EQ(server_.processed[0].data(), "1");
  EXPECT_EQ(server_.processed[1].entity().entity_id(), "a/b");
  EXPECT_EQ(server_.processed[3].entity().entity_id(), "n1");
  for (const char* data : {"{}", "[1]", "\"x\"", "@file", "-"}) {
    EXPECT_EQ(Run({"put", "note", data}), kExitUsage) << data;
    EXPECT_THAT(err(), HasSubstr("is not TYPE/ID"));
  }
}

TEST_F(RunTest, OptionsOfEveryCommandMayStandBeforeIt) {
  AnswerWrite(common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(Run({"--json", "--timeout", "5s", "--address=localhost:1", "put", "note/n1", "1"}),
            kExitDone);
  EXPECT_EQ(dialled_.address, "localhost:1");
  EXPECT_EQ(dialled_.timeout, absl::Seconds(5));
  EXPECT_EQ(*Json(out()).Find("status"), json::Value("applied"));
  EXPECT_EQ(Run({"--json"}), kExitUsage);
  EXPECT_EQ(Run({"--timeout", "5s"}), kExitUsage);
  EXPECT_EQ(Run({"--help", "put"}), kExitDone);
}

TEST_F(RunTest, TheVersionIsPrinted) {
  EXPECT_EQ(Run({"--version"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("bdc-sync 0."));
  EXPECT_EQ(Run({"version"}), kExitDone);
}

TEST_F(RunTest, AWrongCommandLineNeverReachesTheServerAndSaysWhatToWrite) {
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_EQ(Run({"putt"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("did you mean put?"));
  EXPECT_EQ(Run({"put", "note"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("is not TYPE/ID"));
  EXPECT_EQ(Run({"put", "no te/n1", "1"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("entity_type"));
  EXPECT_EQ(Run({"put", "note/n1", "{a: 1}"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("not JSON"));
  EXPECT_THAT(err(), HasSubstr("bdc-sync help put"));
  EXPECT_EQ(Run({"put", "note/n1", "@/no/such/file"}), kExitUsage);
  EXPECT_EQ(Run({"get", "note/n1", "--as-of", "yesterday"}), kExitUsage);
  EXPECT_EQ(Run({"list", "--limit", "0"}), kExitUsage);
  EXPECT_EQ(Run({"list", "--timeout", "soon"}), kExitUsage);
  EXPECT_EQ(Run({"help", "nothing"}), kExitUsage);
  EXPECT_THAT(server_.processed, IsEmpty());
  EXPECT_THAT(server_.queries, IsEmpty());
  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(RunTest, ARefusalHasStatusOneACodeAndAdvice) {
  v1::ProcessSyncResponse response;
  response.mutable_result()->mutable_error()->set_code("already_exists");
  response.mutable_result()->mutable_error()->set_message("note/n1 exists");
  server_.process_answer = response;
  EXPECT_EQ(Run({"put", "note/n1", "1", "--create"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("already_exists: note/n1 exists"));
  EXPECT_THAT(err(), HasSubstr("leave --create out"));
  EXPECT_EQ(Run({"put", "note/n1", "1", "--create", "--json"}), kExitRefused);
  const json::Value error = Json(err());
  EXPECT_EQ(error.Find("error")->Find("code")->string(), "already_exists");
  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(RunTest, AnUnreachableServerHasStatusThreeAndAWriteSaysHowToRepeatIt) {
  server_.process_answer = MakeError(Reason::kUnavailable, "connection refused");
  EXPECT_EQ(Run({"put", "note/n1", "1", "--address", "h:1"}), kExitUnreachable);
  EXPECT_THAT(err(), HasSubstr(absl::StrCat("--op-id ", server_.processed[0].op_id())));
  EXPECT_EQ(Run({"delete", "note/n1", "--op-id", "mine"}), kExitUnreachable);
  EXPECT_EQ(server_.processed[1].op_id(), "mine");
  server_.entity_answer = MakeError(Reason::kDeadlineExceeded, "late");
  EXPECT_EQ(Run({"get", "note/n1"}), kExitUnreachable);
}

TEST_F(RunTest, GetShowsPrettyDataAndJsonKeepsEveryDigit) {
  v1::GetEntityResponse response;
  *response.mutable_entity() = Entity("n1", "{\"big\":9007199254740993,\"x\":1.10}");
  server_.entity_answer = response;
  EXPECT_EQ(Run({"get", "note/n1", "--version", "1-1", "--branch", "b"}), kExitDone);
  EXPECT_EQ(server_.queries[0].version_id(), "1-1");
  EXPECT_EQ(server_.queries[0].entity().branch(), "b");
  EXPECT_THAT(out(), HasSubstr("\n  \"big\": 9007199254740993,\n"));
  EXPECT_EQ(Run({"get", "note/n1", "--json", "--as-of", "10s"}), kExitDone);
  EXPECT_EQ(server_.queries[1].as_of_ms(), kNowMs - 10'000);
  EXPECT_EQ(Run({"get", "note/n1", "--as-of", "1970-01-01T00:00:00Z"}), kExitDone);
  EXPECT_EQ(server_.queries[2].as_of_ms(), 1) << "0 would be the head";
  EXPECT_EQ(Run({"get", "note/n1", "--json"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("\"data\":{\"big\":9007199254740993,\"x\":1.10}"));
  EXPECT_EQ(Json(out()).Find("time")->string(), "2023-11-14T22:13:20.000Z");
}

TEST_F(RunTest, ATombstoneIsAnAnswerAndWhatNeverWasIsNot) {
  v1::GetEntityResponse response;
  *response.mutable_entity() = Entity("n1", "");
  response.mutable_entity()->set_deleted(true);
  server_.entity_answer = response;
  EXPECT_EQ(Run({"get", "note/n1"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("\ndeleted\n"));
  response.mutable_entity()->mutable_error()->set_code("not_found");
  server_.entity_answer = response;
  EXPECT_EQ(Run({"get", "note/n1"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("not_found"));
}

TEST_F(RunTest, ListReadsPagesUntilTheLimitAndSaysWhenThereIsMore) {
  for (int page = 0; page < 2; ++page) {
    v1::ListEntitiesResponse& response = server_.list_answers.emplace_back();
    *response.add_entities() = Entity(absl::StrCat("n", page), "{}");
    response.set_next_page_token(absl::StrCat("after ", page));
  }
  EXPECT_EQ(Run({"list", "note", "task", "--limit", "2", "--json"}), kExitDone);
  ASSERT_THAT(server_.list_requests, SizeIs(2));
  EXPECT_THAT(server_.list_requests[0].entity_types(), ElementsAre("note", "task"));
  EXPECT_EQ(server_.list_requests[1].page_token(), "after 0");
  EXPECT_EQ(server_.list_requests[1].limit(), 1);
  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(out(), '\n')), SizeIs(3));
  EXPECT_THAT(err(), HasSubstr("there are more"));
}

TEST_F(RunTest, TablesStayInLineAndDataCannotSteerTheTerminal) {
  v1::ListEntitiesResponse& response = server_.list_answers.emplace_back();
  *response.add_entities() = Entity("short", "{\"a\":\"\x1b[2J\x07\xc2\x9b\"}");
  *response.add_entities() = Entity("ünï🙂 longer id", std::string(500, '1'));
  EXPECT_EQ(Run({"list"}), kExitDone);
  EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out(), Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(out(), HasSubstr("ENTITY               REVISION  "));
  EXPECT_THAT(out(), HasSubstr("note/short           1         2023-11-14 22:13:20  {\"a\""));
  EXPECT_THAT(out(), HasSubstr("note/ünï🙂 longer id  1         2023-11-14 22:13:20  111"));
  EXPECT_THAT(out(), HasSubstr("…"));
}

TEST_F(RunTest, PrettyDataCannotSteerTheTerminalEitherAndStaysTheSame) {
  v1::GetEntityResponse answer;
  *answer.mutable_entity() = Entity("n1",
                                    "\"\xc2\x9b"
                                    "31m \x7f \xc2\xa0\"");  // CSI, and no control.
  server_.entity_answer = answer;
  EXPECT_EQ(Run({"get", "note/n1"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("\n\"\\u009b31m \\u007f \xc2\xa0\"\n"));
}

TEST_F(RunTest, HistoryDiffAndDevicesAreShownForPeopleAndForScripts) {
  version::v1::VersionInfo version;
  version.set_version_id("2-ab");
  version.set_revision(2);
  version.mutable_meta()->set_operation(common::v1::OPERATION_KIND_PATCH);
  version.mutable_meta()->set_user_id("ada");
  version.mutable_meta()->add_changed_paths("/title");
  for (int i = 0; i < 2; ++i) *server_.history_answers.emplace_back().add_versions() = version;
  EXPECT_EQ(Run({"history", "note/n1"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("2-ab"));
  EXPECT_THAT(out(), HasSubstr("/title"));
  EXPECT_EQ(Run({"history", "note/n1", "--json"}), kExitDone);
  EXPECT_EQ(Json(out()).Find("operation")->string(), "patch");

  v1::DiffResponse diff;
  diff.set_changes(R"([{"op":"remove","path":"/a"}])");
  server_.diff_answer = diff;
  EXPECT_EQ(Run({"diff", "note/n1", "1-x", "2-y"}), kExitDone);
  EXPECT_EQ(server_.diff_requests[0].from_version_id(), "1-x");
  EXPECT_EQ(server_.diff_requests[0].to_version_id(), "2-y");
  EXPECT_EQ(out(), "{\"op\":\"remove\",\"path\":\"/a\"}\n");
  diff.set_changes("[]");
  server_.diff_answer = diff;
  EXPECT_EQ(Run({"diff", "note/n1", "1-x"}), kExitDone);
  EXPECT_EQ(out(), "no difference\n");

  for (int i = 0; i < 2; ++i) {
    device_sync::v1::Device& device = *server_.device_answers.emplace_back().add_devices();
    device.set_device_id("phone");
    device.set_online(true);
    device.mutable_state()->set_battery_percent(-1);
  }
  EXPECT_EQ(Run({"devices"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("phone   online"));
  EXPECT_EQ(Run({"devices", "--json"}), kExitDone);
  EXPECT_EQ(Json(out()).Find("battery_percent"), nullptr);
  EXPECT_TRUE(Json(out()).Find("online")->boolean());
}

TEST_F(RunTest, ADeviceIsRevokedByItsIdAndAnothersByItsOwner) {
  EXPECT_EQ(Run({"devices", "revoke", "phone"}), kExitDone);
  EXPECT_THAT(out(), HasSubstr("phone   revoked"));
  EXPECT_EQ(Run({"devices", "revoke", "phone", "--owner", "eve", "--json"}), kExitDone);
  EXPECT_EQ(Json(out()).Find("revoked")->string(), "2023-11-14T22:13:20.000Z");
  ASSERT_EQ(server_.revoke_requests.size(), 2u);
  EXPECT_EQ(server_.revoke_requests[0].user_id(), "");
  EXPECT_EQ(server_.revoke_requests[1].user_id(), "eve");
  EXPECT_EQ(Run({"devices", "revoke"}), kExitUsage);
  EXPECT_EQ(Run({"devices", "bless", "phone"}), kExitUsage);
}

TEST_F(RunTest, StatusFailsWhenAServiceIsNotReady) {
  v1::GetStatusResponse status;
  status.set_version("0.1.0");
  status.add_services()->set_name("version");
  status.mutable_services(0)->set_ready(true);
  server_.status_answer = status;
  EXPECT_EQ(Run({"status"}), kExitDone);
  status.mutable_services(0)->set_ready(false);
  status.mutable_services(0)->set_detail("no connection");
  server_.status_answer = status;
  EXPECT_EQ(Run({"status"}), kExitRefused);
  EXPECT_THAT(out(), HasSubstr("version  NOT READY  no connection"));
}

TEST_F(RunTest, WatchGoesOnFromItsLastCursorAfterALostConnection) {
  const absl::Status lost = MakeError(Reason::kUnavailable, "socket closed");
  server_.streams.push_back({{Changes({"a"}, "c1"), Changes({"b"}, "c2")}, lost});
  server_.streams.push_back({{}, lost});
  server_.streams.push_back(
      {{Changes({"c"}, "c3")}, MakeError(Reason::kForbidden, "access ended")});
  EXPECT_EQ(Run({"watch", "note", "--latest", "--id", "a", "--id", "b"}), kExitRefused);
  ASSERT_THAT(server_.watches, SizeIs(3));
  EXPECT_EQ(server_.watches[0].cursor(), "");
  EXPECT_TRUE(server_.watches[0].latest());
  EXPECT_THAT(server_.watches[0].entity_ids(), ElementsAre("a", "b"));
  EXPECT_EQ(server_.watches[1].cursor(), "c2");
  EXPECT_EQ(server_.watches[2].cursor(), "c2");
  EXPECT_THAT(waits_, SizeIs(2));
  EXPECT_THAT(out(), HasSubstr("note/c"));
  EXPECT_THAT(err(), HasSubstr("connection lost (socket closed)"));
}

TEST_F(RunTest, AWatchGoesOnWithANewTokenWhenItsOwnHasEnded) {
  const absl::Status expired = MakeError(Reason::kTokenExpired, "the token has expired");
  server_.streams.push_back({{Changes({"a"}, "c1", true)}, expired});
  server_.streams.push_back({{Changes({"b"}, "c2", true)}, expired});
  server_.streams.push_back({{}, expired});  // One that was given cannot be made anew.
  EXPECT_EQ(Run({"watch"}), kExitRefused);
  ASSERT_THAT(server_.watches, SizeIs(3));
  EXPECT_EQ(server_.watches[1].cursor(), "c1");
  EXPECT_EQ(server_.watches[2].cursor(), "c2");
  EXPECT_THAT(waits_, IsEmpty());
  EXPECT_THAT(err(), Not(HasSubstr("connection lost")));
  EXPECT_THAT(err(), HasSubstr("token_expired"));
}

TEST_F(RunTest, WatchWaitsLongerFromTryToTryUpToALimit) {
  server_.streams.push_back({{Changes({}, "c1")}, MakeError(Reason::kUnavailable, "x")});
  for (int i = 0; i < 50; ++i) {
    server_.streams.push_back({{}, MakeError(Reason::kUnavailable, "x")});
  }
  server_.streams.push_back({{Changes({}, "c2", /*caught_up=*/true)}, absl::OkStatus()});
  EXPECT_EQ(Run({"watch", "--once"}), kExitDone);
  ASSERT_THAT(waits_, SizeIs(51));
  EXPECT_LE(waits_.front(), absl::Milliseconds(200));
  for (const absl::Duration wait : waits_) EXPECT_LE(wait, absl::Seconds(10));
  EXPECT_GT(*std::max_element(waits_.begin(), waits_.end()), absl::Seconds(2));
}

TEST_F(RunTest, AWatchThatNeverWorkedEndsAtOnce) {
  server_.streams.push_back({{}, MakeError(Reason::kUnavailable, "connection refused")});
  EXPECT_EQ(Run({"watch"}), kExitUnreachable);
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(RunTest, WatchForScriptsIsLinesOfChangesAndCursors) {
  server_.streams.push_back({{Changes({"a"}, "c1", /*caught_up=*/true)}, absl::OkStatus()});
  EXPECT_EQ(Run({"watch", "--json", "--once"}), kExitDone);
  const std::vector<std::string> lines = absl::StrSplit(out(), '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(Json(lines[0]).Find("kind")->string(), "update");
  EXPECT_EQ(Json(lines[1]).Find("cursor")->string(), "c1");
  EXPECT_TRUE(Json(lines[1]).Find("caught_up")->boolean());
  EXPECT_THAT(err(), IsEmpty());
}

TEST_F(RunTest, TokensAreMadeFromTheSecretOfTheDataFolder) {
  testing::TempDir folder;
  std::ofstream(folder.File("secret")) << "a secret of the development server\n";
  EXPECT_EQ(Run({"token", "--data-dir", folder.path(), "--user", "ada", "--grant", "team=write",
                 "--expires", "1h"}),
            kExitDone);
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(out()), '.');
  ASSERT_THAT(parts, SizeIs(3));
  std::string claims;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(parts[1], &claims));
  EXPECT_EQ(
      claims,
      "{\"sub\":\"ada\",\"iat\":1700000000,\"exp\":1700003600,\"spaces\":{\"team\":\"write\"}}");
  EXPECT_EQ(Run({"token", "--data-dir", folder.path(), "--grant", "team"}), kExitUsage);
  EXPECT_EQ(Run({"token", "--data-dir", folder.File("nowhere")}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("there is no secret in"));
}

TEST_F(RunTest, WhatIsNoTokenIsRefusedBeforeItIsSent) {
  EXPECT_EQ(Run({"get", "note/n1", "--token", "two\nlines"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("is no token"));
}

TEST_F(RunTest, ACallCarriesTheTokenGivenOrOneMadeForTheUser) {
  AnswerWrite(common::v1::OUTCOME_APPLIED);
  Run({"delete", "note/n1", "--token", "given"});
  EXPECT_EQ(dialled_.token(), "given");
  variables_["BDC_SYNC_TOKEN"] = "from-environment";
  Run({"delete", "note/n1"});
  EXPECT_EQ(dialled_.token(), "from-environment");
  variables_.clear();
  variables_["BDC_SYNC_JWT_SECRET"] = "a secret";
  Run({"delete", "note/n1"});
  const std::string first = dialled_.token();
  EXPECT_THAT(first, StartsWith("eyJ"));
  clock_.Advance(absl::Hours(1));  // A long watch must not reconnect with an expired token.
  EXPECT_NE(dialled_.token(), first);
  variables_.clear();
  Run({"delete", "note/n1", "--data-dir", "/no/such/folder"});
  EXPECT_EQ(dialled_.token(), "");
}

TEST_F(RunTest, WhereNoSecretIsFoundTheRefusalSaysWhereItWasLookedFor) {
  server_.process_answer = MakeError(Reason::kUnauthenticated, "a token is needed");
  EXPECT_EQ(Run({"delete", "note/n1", "--data-dir", "/no/such/folder"}), kExitRefused);
  EXPECT_THAT(err(), HasSubstr("there is no secret in /no/such/folder/secret"));
  EXPECT_EQ(Run({"delete", "note/n1", "--data-dir", "/no/such/folder", "--token", "t"}),
            kExitRefused);
  EXPECT_THAT(err(), Not(HasSubstr("/no/such/folder")));
}

TEST_F(RunTest, EveryCommandHasHelpWithAnExample) {
  EXPECT_EQ(Run({"help"}), kExitDone);
  const std::string overview = out();
  for (const Command& command : Commands()) {
    const std::string name(command.spec.name);
    EXPECT_THAT(overview, HasSubstr("\n  " + name));
    EXPECT_EQ(Run({"help", name}), kExitDone);
    EXPECT_THAT(out(), HasSubstr("bdc-sync " + name));
    EXPECT_THAT(out(), HasSubstr("Examples:\n"));
    const std::string help = out();
    EXPECT_EQ(Run({name, "--help"}), kExitDone);
    EXPECT_EQ(out(), help);
  }
}

}  // namespace
}  // namespace bdcsync::cli
