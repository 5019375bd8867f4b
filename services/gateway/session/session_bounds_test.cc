// What one session makes the gateway keep is bounded, whatever its client and others do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/session/testing/session_fixture.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionBoundsTest : public SessionFixture {
 protected:
  void SetUp() override {
    client_ = Connect("ada", {{"team-1", Access::kWrite}, {"team-2", Access::kRead}});
  }
  std::unique_ptr<Client> client_;
};

// Such frames are not in the connection's queue: a request before it that took long let them
// gather.
TEST_F(SessionBoundsTest, WhatWaitsForASubscriptionIsLikeWhatASlowReaderLeaves) {
  services_.options.held_answer_bytes_max = 1000;
  live_.ready_at_once = false;
  client_->Send(R"({"type":"subscribe","space":"team-1"})");
  auto* sink = dynamic_cast<LiveSink*>(client_->session.get());
  const std::string large(600, 'x');
  sink->OnBroadcast("team-1", MakeTextFrame("first" + large));
  sink->OnPresence("team-1\nada\nd2", MakeTextFrame("second" + large));
  sink->OnBroadcast("team-1", MakeTextFrame("dropped"));
  sink->OnPresence("team-1\nada\nd2", MakeTextFrame("replaced"));
  sink->OnPresence("team-1\nada\nd2", MakeTextFrame("last"));
  EXPECT_THAT(client_->Take(), IsEmpty());
  live_.waiting[0]();
  loop_.RunPosted();
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(4));
  EXPECT_EQ(Text(sent[0], "type"), "subscribed");
  EXPECT_EQ(sent[1], "first" + large);
  EXPECT_EQ(sent[2], "second" + large);
  EXPECT_EQ(sent[3], "last");
  EXPECT_EQ(metrics_.broadcasts_dropped.value(), 1);
  sink->OnBroadcast("team-1", MakeTextFrame("again"));
  EXPECT_THAT(client_->Take(), ElementsAre("again"));
}

// What waits shrinks when a space is lost, so a newer state may find room while an older one waits.
TEST_F(SessionBoundsTest, NoPresenceIsToldAfterANewerOne) {
  services_.options.held_answer_bytes_max = 1000;
  live_.ready_at_once = false;
  client_->Send(R"({"type":"subscribe","space":"team-1"})");
  client_->Send(R"({"type":"subscribe","space":"team-2"})");
  auto* sink = dynamic_cast<LiveSink*>(client_->session.get());
  sink->OnBroadcast("team-1", MakeTextFrame(std::string(1200, 'x')));
  sink->OnPresence("team-2\nada\nd2", MakeTextFrame("older"));
  client_->Send(absl::StrCat(R"({"type":"refresh","token":")",
                             Token("ada", {{"team-2", Access::kRead}}), "\"}"));
  sink->OnPresence("team-2\nada\nd2", MakeTextFrame("newer"));
  client_->Take();
  for (LiveReady& ready : live_.waiting) ready();
  loop_.RunPosted();
  const std::vector<std::string> sent = client_->Take();
  ASSERT_THAT(sent, SizeIs(4));
  EXPECT_EQ(Text(sent[0], "error/code"), "forbidden");
  EXPECT_EQ(Text(sent[1], "type"), "subscribed");
  EXPECT_EQ(sent[2], "newer");
  EXPECT_EQ(Text(sent[3], "type"), "refreshed");
}

TEST_F(SessionBoundsTest, PresenceThatWaitsForASlowReaderIsNotToldOnceItsSpaceIsLost) {
  client_->Send(R"({"type":"subscribe","space":"team-1"})");
  client_->Send(R"({"type":"subscribe","space":"team-2"})");
  auto* sink = dynamic_cast<LiveSink*>(client_->session.get());
  client_->connection.is_congested = true;
  sink->OnPresence("team-1\nada\nd2", MakeTextFrame("lost"));
  sink->OnPresence("team-2\nada\nd2", MakeTextFrame("kept"));
  client_->Send(absl::StrCat(R"({"type":"refresh","token":")",
                             Token("ada", {{"team-2", Access::kRead}}), "\"}"));
  client_->Take();
  client_->connection.is_congested = false;
  client_->session->OnDrained();
  EXPECT_THAT(client_->Take(), ElementsAre("kept"));
}

TEST_F(SessionBoundsTest, FiltersOfASessionAreBoundedTogether) {
  const auto subscribe = [&](size_t ids, size_t id_bytes) {
    std::string list;
    for (size_t i = 0; i < ids; ++i) {
      absl::StrAppend(&list, i == 0 ? "" : ",", "\"", std::string(id_bytes, 'x'), "\"");
    }
    client_->Send(absl::StrCat(R"({"type":"subscribe","space":"team-1","filter":{"entity_ids":[)",
                               list, "]}}"));
    return client_->TakeOne();
  };
  constexpr size_t kIds = 1000;
  constexpr size_t kIdBytes = 224;  // With a string's own 32 bytes a quarter of a megabyte.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Text(subscribe(kIds, kIdBytes), "success"), "true");
  const size_t rest = (size_t{1} << 20) - 4 * kIds * (kIdBytes + sizeof(std::string));
  EXPECT_EQ(Text(subscribe(rest / 256 + 1, kIdBytes), "error/code"), "quota_exceeded");
  EXPECT_EQ(Text(subscribe(rest / 256, kIdBytes), "success"), "true");
  EXPECT_EQ(Text(subscribe(0, 0), "success"), "true");
  client_->Send(R"({"type":"unsubscribe","subscription_id":"s1"})");
  client_->Take();
  EXPECT_EQ(Text(subscribe(kIds, kIdBytes), "success"), "true");
}

TEST_F(SessionBoundsTest, OnePresenceIsForAsManySpacesAndBytesAsTheProtocolSays) {
  constexpr size_t kSpaces = 32;
  Spaces spaces;
  for (size_t i = 0; i <= kSpaces; ++i) spaces[absl::StrCat("s", i)] = Access::kWrite;
  auto client = Connect("bob", spaces, "d9");
  const auto say = [&client](size_t space, absl::string_view state) {
    client->Send(
        absl::StrCat(R"({"type":"presence","space":"s)", space, R"(","state":)", state, "}"));
    return client->Take();
  };
  for (size_t i = 0; i < kSpaces; ++i) EXPECT_THAT(say(i, "{}"), IsEmpty()) << i;
  const std::vector<std::string> refused = say(kSpaces, "{}");
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(Text(refused[0], "error/code"), "quota_exceeded");
  EXPECT_THAT(say(0, R"({"x":1})"), IsEmpty()) << "known";
  EXPECT_THAT(say(0, "null"), IsEmpty());
  EXPECT_THAT(say(kSpaces, "{}"), IsEmpty()) << "there is room again";

  constexpr size_t kBytes = 16 << 10;
  const auto of = [](size_t bytes) {
    return absl::StrCat(R"({"x":")", std::string(bytes - 8, 'x'), R"("})");
  };
  EXPECT_THAT(say(1, of(kBytes)), IsEmpty());
  const std::vector<std::string> large = say(1, of(kBytes + 1));
  ASSERT_THAT(large, SizeIs(1));
  EXPECT_EQ(Text(large[0], "error/code"), "too_large");
}

}  // namespace
}  // namespace bdcsync::gateway
