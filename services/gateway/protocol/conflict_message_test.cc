// `conflicts` and `resolve_conflict` as clients send them, and what they are told, in both forms.
#include "services/gateway/protocol/conflict_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "bdcsync/websocket/v1/client_message.pb.h"
#include "bdcsync/websocket/v1/server_message.pb.h"
#include "libs/json/parse.h"
#include "libs/json/value.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/protocol/conflict_request.h"
#include "services/gateway/protocol/proto_message.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;

template <typename Request>
Request Read(absl::string_view text) {
  ClientMessage message = ParseClientMessage(text);
  EXPECT_OK(message.request) << text;
  return message.request.ok() ? std::get<Request>(*message.request) : Request();
}

void ExpectRefusedAt(absl::string_view path, absl::string_view text,
                     Reason reason = Reason::kInvalidArgument) {
  const absl::Status status = ParseClientMessage(text).request.status();
  EXPECT_THAT(status, HasReason(reason)) << text;
  EXPECT_EQ(PathOf(status), path) << text;
}

json::Value Parsed(absl::string_view text) {
  auto value = json::Parse(text);
  EXPECT_OK(value) << text;
  return value.ok() ? *std::move(value) : json::Value();
}

conflict::v1::Conflict Open() {
  conflict::v1::Conflict conflict;
  conflict.set_conflict_id("c1");
  conflict.mutable_entity()->set_space("team");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("n1");
  conflict.set_branch("conflict/c1");
  conflict.set_state(conflict::v1::CONFLICT_STATE_OPEN);
  conflict.set_op_id("op-1");
  conflict.set_base_version_id("1-aa");
  conflict.set_theirs_version_id("2-bb");
  conflict.set_ours_version_id("1-cc");
  conflict.set_user_id("ada");
  conflict.set_device_id("phone");
  conflict.set_opened_ms(1'700'000'000'000);
  conflict.set_deadline_ms(1'700'000'060'000);
  conflict::v1::OpenPlace& place = *conflict.add_places();
  place.mutable_decision()->set_path("/title");
  place.mutable_decision()->set_kind("edit_delete");
  place.mutable_decision()->set_base("\"a\"");
  place.mutable_decision()->set_ours("9007199254740993");
  place.set_fallback("theirs");
  return conflict;
}

constexpr char kOpenAsJson[] =
    R"("conflict_id":"c1","space":"team","entity_type":"note","entity_id":"n1",)"
    R"("branch":"conflict/c1","status":"open","op_id":"op-1","user_id":"ada",)"
    R"("device_id":"phone","base_version":"1-aa","theirs_version":"2-bb","ours_version":"1-cc",)"
    R"("opened_at":"2023-11-14T22:13:20.000Z","deadline":"2023-11-14T22:14:20.000Z",)"
    R"("paths":[{"path":"/title","kind":"edit_delete","base":"a","ours":9007199254740993,)"
    R"("fallback":"theirs"}])";

TEST(ConflictRequest, AListIsReadWithAllItsFilters) {
  const auto request = Read<ConflictsRequest>(
      R"({"type":"conflicts","space":"team","status":"resolved","entity_type":"note",)"
      R"("entity_id":"n1","assigned_to":"bo","page_token":"p","limit":7})");
  EXPECT_EQ(request.list.space(), "team");
  EXPECT_THAT(request.list.states(), ElementsAre(conflict::v1::CONFLICT_STATE_RESOLVED));
  EXPECT_EQ(request.list.entity_type(), "note");
  EXPECT_EQ(request.list.entity_id(), "n1");
  EXPECT_EQ(request.list.assigned_to(), "bo");
  EXPECT_EQ(request.list.page_token(), "p");
  EXPECT_EQ(request.list.limit(), 7);
  EXPECT_EQ(request.one.conflict_id(), "");
  EXPECT_TRUE(Read<ConflictsRequest>(R"({"type":"conflicts"})").list.states().empty());
  EXPECT_THAT(Read<ConflictsRequest>(R"({"type":"conflicts","status":"any"})").list.states(),
              ElementsAre(conflict::v1::CONFLICT_STATE_UNSPECIFIED));
}

TEST(ConflictRequest, OneConflictIsReadWithADecisionToPreview) {
  const auto request = Read<ConflictsRequest>(
      R"({"type":"conflicts","conflict_id":"c1","choices":[{"choice":"ours"},)"
      R"({"choice":"value","value":null,"paths":["/a"]}]})");
  EXPECT_EQ(request.one.conflict_id(), "c1");
  ASSERT_EQ(request.one.choices_size(), 2);
  EXPECT_EQ(request.one.choices(0).choice(), "ours");
  EXPECT_EQ(request.one.choices(1).value(), "null");
  EXPECT_THAT(request.one.choices(1).paths(), ElementsAre("/a"));
}

TEST(ConflictRequest, ADecisionIsReadShortOrAsAList) {
  const auto whole = Read<ResolveConflictRequest>(
      R"({"type":"resolve_conflict","conflict_id":"c1","choice":"proposed"})");
  EXPECT_EQ(whole.decision.conflict_id(), "c1");
  ASSERT_EQ(whole.decision.choices_size(), 1);
  EXPECT_EQ(whole.decision.choices(0).choice(), "proposed");
  const auto value = Read<ResolveConflictRequest>(
      R"({"type":"resolve_conflict","conflict_id":"c1","choice":"value","value":1.10,)"
      R"("paths":["/a","/b"]})");
  EXPECT_EQ(value.decision.choices(0).value(), "1.10");
  EXPECT_THAT(value.decision.choices(0).paths(), ElementsAre("/a", "/b"));
  const auto list = Read<ResolveConflictRequest>(
      R"({"type":"resolve_conflict","conflict_id":"c1","choices":[{"choice":"base"},)"
      R"({"choice":"theirs","paths":["/b"]}]})");
  EXPECT_EQ(list.decision.choices_size(), 2);
}

// As the conflict tells it: names of members may hold any character.
TEST(ConflictRequest, APathMayHoldWhatTheNameOfAMemberMay) {
  const auto request = Read<ResolveConflictRequest>(
      R"({"type":"resolve_conflict","conflict_id":"c1","choice":"ours","paths":["/a\u0000b"]})");
  EXPECT_THAT(request.decision.choices(0).paths(), ElementsAre(std::string("/a\0b", 4)));
}

TEST(ConflictRequest, WhatIsWrongIsNamed) {
  ExpectRefusedAt("/status", R"({"type":"conflicts","status":"closed"})");
  ExpectRefusedAt("/limit", R"({"type":"conflicts","limit":0})");
  ExpectRefusedAt("/entity_type", R"({"type":"conflicts","entity_id":"n1"})");
  ExpectRefusedAt("/conflict_id", R"({"type":"conflicts","choices":[{"choice":"ours"}]})");
  ExpectRefusedAt("/choices/1/choice",
                  R"({"type":"conflicts","conflict_id":"c","choices":[{"choice":"ours"},{}]})");
  const std::string resolve = R"({"type":"resolve_conflict","conflict_id":"c1",)";
  ExpectRefusedAt("/conflict_id", R"({"type":"resolve_conflict","choice":"ours"})");
  ExpectRefusedAt("/choice", resolve + R"("paths":[]})");
  ExpectRefusedAt("/choice", resolve + R"("choice":"mine"})");
  ExpectRefusedAt("/value", resolve + R"("choice":"value"})");
  ExpectRefusedAt("/value", resolve + R"("choice":"ours","value":1})");
  ExpectRefusedAt("/choices", resolve + R"("choice":"ours","choices":[]})");
  ExpectRefusedAt("/choices", resolve + R"("choices":[]})");
  ExpectRefusedAt("/choices", resolve + R"("choices":[7]})");
  ExpectRefusedAt("/paths", resolve + R"("choice":"ours","paths":[7]})");
  ExpectRefusedAt("/paths", resolve + R"("choice":"ours","paths":[]})");
  ExpectRefusedAt("/choices/0/paths", resolve + R"("choices":[{"choice":"ours","paths":[]}]})");
}

TEST(ConflictRequest, LimitsHoldAtTheLimit) {
  const auto resolve = [](size_t paths, size_t bytes) {
    std::string text = R"({"type":"resolve_conflict","conflict_id":"c1","choice":"ours","paths":[)";
    for (size_t i = 0; i < paths; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"", std::string(bytes, 'x'), "\"");
    }
    return text + "]}";
  };
  Read<ResolveConflictRequest>(resolve(kConflictPathsMax, 1));
  ExpectRefusedAt("/paths", resolve(kConflictPathsMax + 1, 1), Reason::kTooLarge);
  Read<ResolveConflictRequest>(resolve(1, kConflictPathBytesMax));
  ExpectRefusedAt("/paths", resolve(1, kConflictPathBytesMax + 1), Reason::kTooLarge);
  const auto choices = [](size_t count) {
    std::string text = R"({"type":"resolve_conflict","conflict_id":"c1","choices":[)";
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", R"({"choice":"ours"})");
    }
    return text + "]}";
  };
  Read<ResolveConflictRequest>(choices(kConflictChoicesMax));
  ExpectRefusedAt("/choices", choices(kConflictChoicesMax + 1), Reason::kTooLarge);
}

TEST(ConflictMessage, APageListsConflicts) {
  sync::v1::ListConflictsResponse page;
  *page.add_conflicts() = Open();
  page.set_next_page_token("more");
  EXPECT_EQ(ConflictsMessage("3", page),
            absl::StrCat(R"({"type":"conflicts","id":3,"success":true,"conflicts":[{)", kOpenAsJson,
                         R"(}],"next_page_token":"more"})"));
}

TEST(ConflictMessage, AClosedOneTellsHow) {
  sync::v1::ListConflictsResponse page;
  conflict::v1::Conflict& conflict = *page.add_conflicts();
  conflict.set_state(conflict::v1::CONFLICT_STATE_EXPIRED);
  conflict.set_closed_ms(1'700'000'060'000);
  conflict.set_closing_version_id("3-dd");
  conflict.set_assigned_to("bo");
  conflict.add_places()->mutable_decision()->set_chosen("theirs");
  const json::Value answer = Parsed(ConflictsMessage("", page));
  const json::Value& told = answer.Find("conflicts")->array()[0];
  EXPECT_EQ(told.Find("status")->string(), "expired");
  EXPECT_EQ(told.Find("closed_at")->string(), "2023-11-14T22:14:20.000Z");
  EXPECT_EQ(told.Find("version_id")->string(), "3-dd");
  EXPECT_EQ(told.Find("assigned_to")->string(), "bo");
  EXPECT_EQ(told.Find("closed_by"), nullptr);
  EXPECT_EQ(told.Find("paths")->array()[0].Find("chosen")->string(), "theirs");
}

TEST(ConflictMessage, EveryStateHasItsName) {
  EXPECT_EQ(NameOf(conflict::v1::CONFLICT_STATE_OPENING), "open");
  EXPECT_EQ(NameOf(conflict::v1::CONFLICT_STATE_ASSIGNED), "assigned");
  EXPECT_EQ(NameOf(conflict::v1::CONFLICT_STATE_RESOLVED), "resolved");
  EXPECT_EQ(NameOf(conflict::v1::CONFLICT_STATE_SUPERSEDED), "superseded");
  EXPECT_EQ(NameOf(conflict::v1::CONFLICT_STATE_CANCELLED), "cancelled");
}

version::v1::ConflictView View() {
  version::v1::ConflictView view;
  *view.mutable_conflict() = Open();
  view.mutable_theirs()->set_version_id("2-bb");
  view.mutable_theirs()->set_revision(2);
  view.mutable_theirs()->set_data("{\"a\":1}");
  view.mutable_theirs()->set_time_ms(1'700'000'000'000);
  view.mutable_ours()->set_version_id("1-cc");
  view.mutable_ours()->set_deleted(true);
  view.mutable_proposed()->set_exists(true);
  view.mutable_proposed()->set_data("{\"a\":2}");
  view.mutable_preview()->set_exists(false);
  view.add_open()->mutable_decision()->set_path("/title");
  return view;
}

TEST(ConflictMessage, AViewHoldsTheStatesThatMeet) {
  const json::Value answer = Parsed(ConflictViewMessage("\"x\"", View()));
  const json::Value& told = answer.Find("conflicts")->array()[0];
  EXPECT_EQ(told.Find("conflict_id")->string(), "c1");
  EXPECT_EQ(*told.Find("states"), Parsed(R"({
      "theirs":{"version_id":"2-bb","revision":2,"deleted":false,"data":{"a":1},
                "time":"2023-11-14T22:13:20.000Z"},
      "ours":{"version_id":"1-cc","revision":0,"deleted":true,"time":"1970-01-01T00:00:00.000Z"},
      "proposed":{"deleted":false,"data":{"a":2}},"preview":{"deleted":true},
      "open_paths":["/title"]})"));
}

TEST(ConflictMessage, ADecisionTellsWhatBecameOfIt) {
  sync::v1::DecideResult result;
  result.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_RESOLVED);
  result.set_version_id("3-dd");
  result.set_revision(3);
  result.set_cursor("cur");
  EXPECT_EQ(ConflictResolvedMessage("1", "c1", result),
            R"({"type":"conflict_resolved","id":1,"success":true,"conflict_id":"c1",)"
            R"("status":"resolved","version_id":"3-dd","revision":3,"cursor":"cur"})");
  sync::v1::DecideResult part;
  part.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_OPEN);
  part.add_open()->mutable_decision()->set_path("/b");
  EXPECT_EQ(ConflictResolvedMessage("", "c1", part),
            R"({"type":"conflict_resolved","success":true,"conflict_id":"c1","status":"open",)"
            R"("open_paths":["/b"]})");
}

TEST(ConflictMessage, ARefusalTellsHowItWasClosed) {
  sync::v1::DecideResult result;
  *result.mutable_conflict() = Open();
  result.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_SUPERSEDED);
  *result.mutable_error() = ErrorOf(MakeError(Reason::kPreconditionFailed, "too late"));
  const json::Value answer = Parsed(ConflictResolvedMessage("1", "c1", result));
  EXPECT_FALSE(answer.Find("success")->boolean());
  EXPECT_EQ(answer.Find("conflict")->Find("status")->string(), "superseded");
  EXPECT_EQ(answer.Find("error")->Find("code")->string(), "precondition_failed");
}

TEST(ConflictMessage, ProtobufCarriesAllOfIt) {
  websocket::v1::ClientMessage asked;
  asked.mutable_resolve_conflict()->set_conflict_id("c1");
  asked.mutable_resolve_conflict()->set_choice("value");
  asked.mutable_resolve_conflict()->set_value("[1.10]");
  asked.mutable_resolve_conflict()->add_paths("/a");
  ASSERT_OK_AND_ASSIGN(const std::string text, JsonOfClientMessage(asked.SerializeAsString()));
  const auto decision = Read<ResolveConflictRequest>(text).decision;
  EXPECT_EQ(decision.choices(0).value(), "[1.10]");
  asked.mutable_conflicts()->set_conflict_id("c1");
  asked.mutable_conflicts()->add_choices()->set_choice("ours");
  ASSERT_OK_AND_ASSIGN(const std::string view, JsonOfClientMessage(asked.SerializeAsString()));
  EXPECT_EQ(Read<ConflictsRequest>(view).one.choices_size(), 1);

  const auto told = [](absl::string_view json) {
    websocket::v1::ServerMessage message;
    const auto bytes = ServerMessageOfJson(json);
    EXPECT_OK(bytes) << json;
    EXPECT_TRUE(bytes.ok() && message.ParseFromString(*bytes));
    EXPECT_FALSE(message.has_json()) << json;
    return message;
  };
  const auto page = told(ConflictViewMessage("\"x\"", View()));
  ASSERT_EQ(page.conflicts().conflicts_size(), 1);
  const websocket::v1::Conflict& conflict = page.conflicts().conflicts(0);
  EXPECT_EQ(conflict.paths(0).ours(), "9007199254740993");
  EXPECT_EQ(conflict.states().theirs().data(), "{\"a\":1}");
  EXPECT_TRUE(conflict.states().preview().deleted());
  EXPECT_FALSE(conflict.states().has_base());
  sync::v1::DecideResult result;
  *result.mutable_conflict() = Open();
  *result.mutable_error() = ErrorOf(MakeError(Reason::kPreconditionFailed, "too late"));
  EXPECT_EQ(told(ConflictResolvedMessage("\"x\"", "c1", result))
                .conflict_resolved()
                .conflict()
                .conflict_id(),
            "c1");
  const auto news = told(absl::StrCat(R"({"type":"conflict_opened","subscription_id":"s1",)"
                                      R"("cursor":"c")",
                                      ConflictNewsTail(7, 2, Open())));
  EXPECT_EQ(news.conflict_opened().seq(), 7);
  EXPECT_EQ(news.conflict_opened().open_conflicts(), 2);
  EXPECT_EQ(news.conflict_opened().paths(0).path(), "/title");
}

}  // namespace
}  // namespace bdcsync::gateway
