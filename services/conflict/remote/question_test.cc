// What a resolver is told, and which of its answers count.
#include "services/conflict/remote/question.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/json/serialize.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const RemoteMeeting> Meeting(const std::string& op_id) {
  auto meeting = std::make_shared<RemoteMeeting>();
  meeting->op_id = op_id;
  meeting->entity.set_space("shop");
  meeting->entity.set_entity_type("product");
  meeting->entity.set_entity_id("p1");
  meeting->entity.set_branch("main");
  for (auto [side, data] :
       {std::pair(&meeting->base, "{\"a\":1}"), std::pair(&meeting->theirs, "{\"a\":2}"),
        std::pair(&meeting->ours, "{\"a\":3}")}) {
    side->set_exists(true);
    side->set_data(data);
    side->set_user_id("ada");
  }
  meeting->ours.set_app_version("1.2");
  meeting->ours.set_device_id("phone");
  meeting->ours.set_client_time_ms(11);
  meeting->theirs.set_time_ms(12);
  meeting->theirs.set_version_id("2-0000000000000002");
  return meeting;
}

class QuestionTest : public ::testing::Test {
 protected:
  QuestionTest() {
    const auto first = Meeting("one");
    places_ = {{first, "/a", "edit_edit", "1", "2", "3"},
               {first, "/b", "edit_delete", "1", "", "3"},
               {Meeting("two"), "/a", "add_add", "", "2", "3"}};
    for (const RemotePlace& place : places_) borrowed_.push_back(&place);
  }
  std::vector<std::string> Read(const resolver::v1::ResolveResponse& response) {
    std::vector<std::string> told;
    for (const RemoteAnswer& answer : ReadAnswers(response, borrowed_, limits_)) {
      told.push_back(answer.failure ? std::string(NoAnswerName(*answer.failure))
                     : answer.value ? json::Serialize(*answer.value)
                                    : "removed");
    }
    return told;
  }
  static resolver::v1::Answer& Add(resolver::v1::ResolveResponse& response, uint32_t number,
                                   const std::string& path) {
    resolver::v1::Answer& answer = *response.add_answers();
    answer.set_number(number);
    answer.set_path(path);
    return answer;
  }

  QuestionLimits limits_{.answer_bytes_max = 10};
  std::vector<RemotePlace> places_;
  std::vector<const RemotePlace*> borrowed_;
};

TEST_F(QuestionTest, TellsPlacesByMeetingAndWhoMadeEachVersion) {
  const resolver::v1::ResolveRequest request = MakeQuestion("price", borrowed_, limits_);
  EXPECT_EQ(request.resolver(), "price");
  ASSERT_EQ(request.meetings_size(), 2);
  const resolver::v1::Meeting& meeting = request.meetings(0);
  EXPECT_EQ(meeting.op_id(), "one");
  EXPECT_EQ(meeting.space(), "shop");
  EXPECT_EQ(meeting.entity_type(), "product");
  EXPECT_EQ(meeting.entity_id(), "p1");
  EXPECT_EQ(meeting.branch(), "main");
  EXPECT_TRUE(meeting.ours().exists());
  EXPECT_EQ(meeting.ours().user_id(), "ada");
  EXPECT_EQ(meeting.ours().device_id(), "phone");
  EXPECT_EQ(meeting.ours().app_version(), "1.2");
  EXPECT_EQ(meeting.ours().client_time_ms(), 11);
  EXPECT_EQ(meeting.theirs().time_ms(), 12);
  EXPECT_EQ(meeting.theirs().version_id(), "2-0000000000000002");
  ASSERT_EQ(meeting.places_size(), 2);
  EXPECT_EQ(meeting.places(0).number(), 1u);
  EXPECT_EQ(meeting.places(1).number(), 2u);
  EXPECT_EQ(meeting.places(1).path(), "/b");
  EXPECT_EQ(meeting.places(1).kind(), "edit_delete");
  EXPECT_EQ(meeting.places(1).base(), "1");
  EXPECT_EQ(meeting.places(1).theirs(), "");
  EXPECT_EQ(meeting.places(1).ours(), "3");
  EXPECT_EQ(request.meetings(1).places(0).number(), 3u);
}

TEST_F(QuestionTest, DocumentsAreSentOnlyWhereWantedAndSmall) {
  const auto documents = [this] {
    const auto request = MakeQuestion("price", borrowed_, limits_);
    const auto& meeting = request.meetings(0);
    EXPECT_EQ(meeting.with_documents(), !meeting.theirs().document().empty());
    return meeting.theirs().document();
  };
  EXPECT_EQ(documents(), "");
  const size_t without = BytesOf(places_[0], limits_);
  limits_.documents_bytes_max = 20;
  EXPECT_EQ(documents(), "");
  EXPECT_EQ(BytesOf(places_[0], limits_), without);
  limits_.documents_bytes_max = 21;
  EXPECT_EQ(documents(), "{\"a\":2}");
  EXPECT_EQ(BytesOf(places_[0], limits_), without + 21);
}

TEST_F(QuestionTest, ReadsEveryOutcomeInAnyOrder) {
  resolver::v1::ResolveResponse response;
  Add(response, 3, "/a").set_value(" [1] ");
  Add(response, 1, "/a").mutable_remove();
  EXPECT_THAT(Read(response), ElementsAre("removed", "unanswered", "[1]"));
  response.mutable_answers(0)->mutable_decline();
  response.mutable_answers(1)->mutable_error();
  EXPECT_THAT(Read(response), ElementsAre("resolver_error", "unanswered", "declined"));
}

TEST_F(QuestionTest, AnAnswerForAnotherPathIsRefusedAndTheOthersStand) {
  resolver::v1::ResolveResponse response;
  Add(response, 1, "/b").set_value("1");
  Add(response, 2, "/b").set_value("2");
  Add(response, 3, "").set_value("3");
  EXPECT_THAT(Read(response), ElementsAre("invalid_answer", "2", "invalid_answer"));
}

TEST_F(QuestionTest, AnswersToWhatWasNotAskedMakeAllWorthless) {
  for (const uint32_t number : {0u, 4u, 2u}) {  // 2: twice.
    resolver::v1::ResolveResponse response;
    Add(response, 2, "/b").set_value("2");
    Add(response, number, "/b").set_value("2");
    EXPECT_THAT(Read(response), ElementsAre("invalid_answer", "invalid_answer", "invalid_answer"));
  }
}

TEST_F(QuestionTest, ValuesAreJsonWithinTheLimits) {
  const auto value = [this](const std::string& text) {
    resolver::v1::ResolveResponse response;
    Add(response, 1, "/a").set_value(text);
    return Read(response)[0];
  };
  EXPECT_EQ(value("1234567890"), "1234567890");
  EXPECT_EQ(value("12345678901"), "answer_too_large");
  EXPECT_EQ(value(""), "invalid_answer");
  EXPECT_EQ(value("1 2"), "invalid_answer");
  EXPECT_EQ(value("\"\xff\""), "invalid_answer");
  limits_.answer_bytes_max = 1000;
  const std::string deepest = std::string(kAnswerDepthMax, '[') + std::string(kAnswerDepthMax, ']');
  EXPECT_EQ(value(deepest), deepest);
  EXPECT_EQ(value("[" + deepest + "]"), "answer_too_large");
}

TEST_F(QuestionTest, OfAStretchTheAnswerIsAnArrayOrARemoval) {
  places_[0].stretch = true;
  EXPECT_TRUE(MakeQuestion("price", borrowed_, limits_).meetings(0).places(0).stretch());
  resolver::v1::ResolveResponse response;
  Add(response, 1, "/a").set_value("1");
  EXPECT_EQ(Read(response)[0], "invalid_answer");
  response.mutable_answers(0)->set_value("[1]");
  EXPECT_EQ(Read(response)[0], "[1]");
  response.mutable_answers(0)->mutable_remove();
  EXPECT_EQ(Read(response)[0], "removed");
}

TEST_F(QuestionTest, AnAnswerWithoutOutcomeIsRefused) {
  resolver::v1::ResolveResponse response;
  Add(response, 1, "/a");
  EXPECT_EQ(Read(response)[0], "invalid_answer");
}

TEST_F(QuestionTest, AResolverWorksUnlessAllItsAnswersBreakTheContract) {
  const auto valid = [](std::vector<NoAnswer> reasons) {
    std::vector<RemoteAnswer> answers;
    for (const NoAnswer reason : reasons) answers.push_back({.failure = reason, .value = {}});
    return AnyIsValid(answers);
  };
  EXPECT_FALSE(valid({NoAnswer::kInvalidAnswer, NoAnswer::kAnswerTooLarge}));
  EXPECT_TRUE(valid({NoAnswer::kInvalidAnswer, NoAnswer::kDeclined}));
  EXPECT_TRUE(valid({NoAnswer::kUnanswered}));
  EXPECT_TRUE(valid({NoAnswer::kResolverError}));
}

}  // namespace
}  // namespace bdcsync::conflict
