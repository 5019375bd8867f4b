// Ids of messages that cannot be read as a whole.
#include "services/gateway/protocol/message_id.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/protocol/client_message.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

TEST(MessageIdTest, IsFoundBeforeAndBehindWhatIsNestedTooDeep) {
  const std::string deep = absl::StrCat(std::string(100'000, '['), std::string(100'000, ']'));
  EXPECT_EQ(SalvageMessageId(absl::StrCat(R"({"type":"x","id":7,"data":)", deep, "}")), "7");
  EXPECT_EQ(SalvageMessageId(absl::StrCat(R"({"data":)", deep, R"(,"id":"a\"b"})")), R"("a\"b")");
  EXPECT_EQ(SalvageMessageId(absl::StrCat(R"({"id":7,"data":)", deep)), "7");
}

TEST(MessageIdTest, IsFoundBesideWhatIsNotJson) {
  EXPECT_EQ(SalvageMessageId(R"( { "id" : 1.50 , "x" : "\ud800" })"), "1.50");
  EXPECT_EQ(SalvageMessageId(R"({"x":tru,"id":"q"})"), R"("q")");
  EXPECT_EQ(SalvageMessageId(R"({"id":5)"), "5");
  EXPECT_EQ(SalvageMessageId("{\"x\":\"\xff\",\"id\":5}"), "5");
}

TEST(MessageIdTest, IsThatOfTheOutermostObjectOnly) {
  EXPECT_EQ(SalvageMessageId(R"({"data":{"id":1},"text":"\"id\":2","id":3,"more":[{"id":4}]})"),
            "3");
  EXPECT_EQ(SalvageMessageId(R"({"data":{"id":1},"x":["id",2]})"), "");
  EXPECT_EQ(SalvageMessageId(R"({"x":"id","y":1} {"id":2})"), "");
  EXPECT_EQ(SalvageMessageId(R"({"id":1,"id":2,"id":null,"x":})"), "2");
}

TEST(MessageIdTest, IsNothingElse) {
  for (const char* text :
       {"", " ", "{", "[", "]", "}}", "\"id\"", "\"id\":1", "{\"id\"", "{\"id\":", "{\"id\":\"",
        "{\"id\":\"a", "{\"id\":\"a\\", "{\"id\":null}", "{\"id\":[1]}", "{\"id\":}", "id:1"}) {
    EXPECT_EQ(SalvageMessageId(text), "") << text;
  }
  EXPECT_EQ(SalvageMessageId(absl::StrCat(R"({"id":")", std::string(kIdBytesMax, 'x'), "\",")), "");
}

TEST(MessageIdTest, MayBeLong) {
  const auto ping = [](size_t length) {
    return ParseClientMessage(
        absl::StrCat(R"({"type":"ping","id":")", std::string(length, 'x'), R"("})"));
  };
  const ClientMessage longest = ping(4094);
  EXPECT_OK(longest.request);
  EXPECT_EQ(longest.id.size(), 4096u);  // With its quotation marks.
  EXPECT_THAT(ping(4095).request, HasReason(Reason::kInvalidArgument));
}

TEST(MessageIdTest, IsEchoedWithTheRefusal) {
  const ClientMessage deep = ParseClientMessage(absl::StrCat(
      R"({"type":"sync_request","id":7,"data":)", std::string(64, '['), std::string(64, ']'), "}"));
  EXPECT_FALSE(deep.request.ok());
  EXPECT_EQ(deep.id, "7");
  EXPECT_EQ(ParseClientMessage(R"({"type":"ping","id":8,"x":"\udc00"})").id, "8");
}

}  // namespace
}  // namespace bdcsync::gateway
