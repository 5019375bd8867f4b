#include "services/gateway/session/answer_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AnswerOrderTest : public ::testing::Test {
 protected:
  std::vector<std::string> sent_;
  AnswerOrder order_{
      [this](AnswerOrder::Ticket, const std::string& text) { sent_.push_back(text); }};
};

TEST_F(AnswerOrderTest, RequestsWithoutACommonKeyAreAnsweredAsTheyFinish) {
  const auto a = order_.Open({1});
  const auto b = order_.Open({2});
  EXPECT_TRUE(order_.Answer(b, "b"));
  EXPECT_TRUE(order_.Answer(a, "a"));
  EXPECT_THAT(sent_, ElementsAre("b", "a"));
  EXPECT_EQ(order_.pending(), 0u);
}

TEST_F(AnswerOrderTest, RequestsWithACommonKeyAreAnsweredInTheirOrder) {
  const auto a = order_.Open({1});
  const auto b = order_.Open({1});
  const auto c = order_.Open({1});
  EXPECT_FALSE(order_.Answer(c, "c"));
  EXPECT_FALSE(order_.Answer(b, "b"));
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_TRUE(order_.Answer(a, "a"));
  EXPECT_THAT(sent_, ElementsAre("a", "b", "c"));
}

TEST_F(AnswerOrderTest, ARequestWithSeveralKeysWaitsForAllOfThem) {
  const auto a = order_.Open({1});
  const auto b = order_.Open({2});
  const auto both = order_.Open({1, 2, 2, 1});
  const auto after = order_.Open({2});
  order_.Answer(both, "both");
  order_.Answer(after, "after");
  order_.Answer(a, "a");
  EXPECT_THAT(sent_, ElementsAre("a"));
  order_.Answer(b, "b");
  EXPECT_THAT(sent_, ElementsAre("a", "b", "both", "after"));
}

TEST_F(AnswerOrderTest, RequestsWithoutKeysWaitForNobody) {
  order_.Open({1});
  EXPECT_TRUE(order_.Answer(order_.Open({}), "x"));
}

TEST_F(AnswerOrderTest, WhateverTheOrderOfAnswersEachLeavesOnceAndInOrderOfItsKeys) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    sent_.clear();
    struct Request {
      AnswerOrder::Ticket ticket;
      AnswerOrder::Keys keys;
      std::string text;
    };
    std::vector<Request> requests;
    for (int i = 0; i < 30; ++i) {
      AnswerOrder::Keys keys;
      for (uint32_t k = random() % 4; k > 0; --k) keys.push_back(random() % 5);
      requests.push_back({order_.Open(keys), keys, std::to_string(i)});
    }
    std::vector<size_t> answers(requests.size());
    for (size_t i = 0; i < answers.size(); ++i) answers[i] = i;
    std::shuffle(answers.begin(), answers.end(), random);
    for (const size_t i : answers) order_.Answer(requests[i].ticket, requests[i].text);
    ASSERT_EQ(sent_.size(), requests.size()) << "seed " << seed;
    ASSERT_EQ(order_.pending(), 0u);
    for (uint64_t key = 0; key < 5; ++key) {
      std::vector<int> of_key;
      for (const std::string& text : sent_) {
        const auto& keys = requests[std::stoul(text)].keys;
        if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
          of_key.push_back(std::stoi(text));
        }
      }
      EXPECT_TRUE(std::is_sorted(of_key.begin(), of_key.end())) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace bdcsync::gateway
