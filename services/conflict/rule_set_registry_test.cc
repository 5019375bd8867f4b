// Rule sets from the call that stores them to the merge that follows them, over a real store.
#include "services/conflict/rule_set_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/rules/script_rules.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/rules_file.h"
#include "services/conflict/storage/sqlite_rule_set_storage.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;

const char* const kLww = R"({"rules":[]})";
const char* const kMax = R"({"rules":[{"path":"$.n","rule":"max"}]})";

class RuleSetRegistryTest : public ::testing::Test {
 protected:
  static v1::PutRuleSetRequest PutOf(const std::string& type, const std::string& rules) {
    v1::PutRuleSetRequest request;
    request.set_entity_type(type);
    request.set_rules(rules);
    request.set_author("ada");
    return request;
  }
  absl::Status Put(const std::string& type, const std::string& rules) {
    return registry_.Put(PutOf(type, rules)).status();
  }
  int64_t Holds(const std::string& type) { return registry_.active()->For(type).version; }
  std::unique_ptr<RuleSetRegistry> Another() {
    return std::make_unique<RuleSetRegistry>(
        *storage_, compiler_, clock_, RuleSetRegistry::Options{},
        RuleSetRegistry::Observer{.on_read = [](const absl::Status&, bool) {},
                                  .on_changed = [] {}});
  }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  std::unique_ptr<RuleSetStorage> storage_ = *OpenSqliteRuleSetStorage(sql::kSqliteMemory);
  rules::LuaCompiler compiler_;
  int changes_ = 0;
  int told_ = 0;
  RuleSetRegistry registry_{
      *storage_,
      compiler_,
      clock_,
      {.types_max = 3, .resolvers = {{"stock"}}},
      {.on_read = [this](const absl::Status&, bool changed) { changes_ += changed ? 1 : 0; },
       .on_changed = [this] { ++told_; }}};
};

TEST_F(RuleSetRegistryTest, AStoredSetHoldsThoughItsResolverIsGone) {
  const std::string asks_stock = R"({"rules":[{"path":"$.n","rule":"remote","resolver":"stock"}]})";
  ASSERT_OK(registry_.Put(PutOf("note", asks_stock)));
  RuleSetRegistry without(*storage_, compiler_, clock_,
                          {.resolvers = absl::flat_hash_set<std::string>()},
                          {.on_read = [](const absl::Status&, bool) {}, .on_changed = [] {}});
  EXPECT_OK(without.Refresh());
  EXPECT_EQ(without.active()->For("note").version, 1);
  EXPECT_EQ(PathOf(without.Put(PutOf("task", asks_stock)).status()), "/rules/0/resolver");
}

TEST_F(RuleSetRegistryTest, WhatIsPutHoldsAtOnceAndOthersAreTold) {
  EXPECT_EQ(Holds("note"), 0);
  ASSERT_OK_AND_ASSIGN(const v1::PutRuleSetResponse put, registry_.Put(PutOf("note", kMax)));
  EXPECT_EQ(put.rule_set().version(), 1);
  EXPECT_TRUE(put.rule_set().active());
  EXPECT_EQ(put.rule_set().author(), "ada");
  EXPECT_EQ(put.rule_set().time_ms(), 1'700'000'000'000);
  EXPECT_EQ(Holds("note"), 1);
  EXPECT_EQ(Holds("task"), 0);
  EXPECT_EQ(told_, 1);
  ASSERT_OK(Put("note", kLww));
  EXPECT_EQ(Holds("note"), 2);
}

TEST_F(RuleSetRegistryTest, AnotherReplicaSeesItWhenItLooks) {
  const std::unique_ptr<RuleSetRegistry> other = Another();
  ASSERT_OK(Put("note", kMax));
  EXPECT_EQ(other->active()->For("note").version, 0);
  ASSERT_OK(other->Refresh());
  EXPECT_EQ(other->active()->For("note").version, 1);
  v1::RemoveRuleSetRequest remove;
  remove.set_entity_type("note");
  ASSERT_OK(registry_.Remove(remove));
  EXPECT_EQ(Holds("note"), 0);
  ASSERT_OK(other->Refresh());
  EXPECT_EQ(other->active()->For("note").version, 0);
}

TEST_F(RuleSetRegistryTest, WhatDidNotChangeIsNotReadAgain) {
  ASSERT_OK(Put("note", kMax));
  ASSERT_OK(Put("task", kMax));
  EXPECT_EQ(changes_, 2);
  const auto before = registry_.active()->sets().at("note");
  ASSERT_OK(registry_.Refresh());
  ASSERT_OK(Put("task", kLww));
  EXPECT_EQ(changes_, 3);
  EXPECT_EQ(registry_.active()->sets().at("note"), before) << "compiled once";
}

TEST_F(RuleSetRegistryTest, MistakesAreNamedAndNothingIsStored) {
  const absl::Status rule = Put("note", R"({"rules":[{"path":"$","rule":"nope"}]})");
  EXPECT_THAT(rule, HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(PathOf(rule), "/rules/0/rule");
  const absl::Status script =
      Put("note", R"({"rules":[{"path":"$","rule":"script","script":"\n("}]})");
  EXPECT_EQ(PathOf(script), "/rules/0/script");
  EXPECT_THAT(std::string(script.message()), HasSubstr("script:2"));
  EXPECT_EQ(PathOf(Put("note", R"({"rules":[],"else":{"rule":"remote","resolver":"x"}})")),
            "/else/resolver");
  EXPECT_OK(Put("task", R"({"rules":[],"else":{"rule":"remote","resolver":"stock"}})"));
  for (const char* user : {"a b", "Ödön"}) {
    const std::string ask =
        absl::StrCat(R"({"path":"$.a","rule":"ask","assign_to":")", user, R"("})");
    EXPECT_EQ(PathOf(Put("note", absl::StrCat("[", ask, "]"))), "/0/assign_to");
  }
  EXPECT_EQ(PathOf(Put("note", "{")), "rules");
  EXPECT_THAT(Put("", kLww), HasReason(Reason::kInvalidArgument));
  v1::PutRuleSetRequest by_file = PutOf("note", kLww);
  by_file.set_author("file");
  EXPECT_EQ(PathOf(registry_.Put(by_file).status()), "author");
  EXPECT_EQ(Holds("note"), 0);
  EXPECT_EQ(told_, 1);
}

TEST_F(RuleSetRegistryTest, SizesAreHeldToTheLimits) {
  const auto sized = [](size_t bytes) {
    const std::string rules = kLww;
    return rules + std::string(bytes - rules.size(), ' ');
  };
  EXPECT_OK(Put("note", sized(kRuleSetBytesMax)));
  EXPECT_THAT(Put("note", sized(kRuleSetBytesMax + 1)), HasReason(Reason::kTooLarge));
  EXPECT_OK(Put("b", kLww));
  EXPECT_OK(Put("c", kLww));
  EXPECT_THAT(Put("d", kLww), HasReason(Reason::kQuotaExceeded));
  EXPECT_OK(Put("c", kMax)) << "another version is no other type";
}

TEST_F(RuleSetRegistryTest, CheckingStoresNothing) {
  v1::PutRuleSetRequest request = PutOf("note", kMax);
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const v1::PutRuleSetResponse checked, registry_.Put(request));
  EXPECT_EQ(checked.rule_set().version(), 0);
  EXPECT_EQ(checked.rule_set().time_ms(), 0);
  EXPECT_EQ(Holds("note"), 0);
  request.set_rules("7");
  EXPECT_THAT(registry_.Put(request).status(), HasReason(Reason::kInvalidArgument));
}

TEST_F(RuleSetRegistryTest, TheVersionItWasMadeFromMustHold) {
  v1::PutRuleSetRequest request = PutOf("note", kMax);
  request.set_expected_version(1);
  EXPECT_THAT(registry_.Put(request).status(), HasReason(Reason::kPreconditionFailed));
  ASSERT_OK(Put("note", kLww));
  EXPECT_OK(registry_.Put(request).status());
  EXPECT_THAT(registry_.Put(request).status(), HasReason(Reason::kPreconditionFailed));
  request.set_expected_version(-1);
  EXPECT_THAT(registry_.Put(request).status(), HasReason(Reason::kInvalidArgument));
}

TEST_F(RuleSetRegistryTest, VersionsAreKept) {
  ASSERT_OK(Put("note", kLww));
  ASSERT_OK(Put("note", kMax));
  v1::RemoveRuleSetRequest remove;
  remove.set_entity_type("note");
  remove.set_author("eve");
  ASSERT_OK(registry_.Remove(remove));
  ASSERT_OK(registry_.Remove(remove)) << "the defaults hold already";
  v1::GetRuleSetRequest get;
  get.set_entity_type("note");
  EXPECT_THAT(registry_.Get(get).status(), HasReason(Reason::kNotFound));
  get.set_version(2);
  ASSERT_OK_AND_ASSIGN(const v1::GetRuleSetResponse second, registry_.Get(get));
  EXPECT_EQ(second.rule_set().rules(), kMax);
  EXPECT_FALSE(second.rule_set().active());
  ASSERT_OK(Put("note", kLww));
  EXPECT_EQ(Holds("note"), 3);
}

TEST_F(RuleSetRegistryTest, ListsPageByPage) {
  for (const char* type : {"c", "a", "b"}) ASSERT_OK(Put(type, kLww));
  for (int i = 0; i < 4; ++i) ASSERT_OK(Put("a", kMax));
  const auto all = [this](const std::string& type) {
    v1::ListRuleSetsRequest request;
    request.set_entity_type(type);
    request.set_limit(2);
    std::vector<std::string> found;
    do {
      const auto page = registry_.List(request);
      EXPECT_OK(page);
      if (!page.ok()) break;
      for (const v1::RuleSet& set : page->rule_sets()) {
        found.push_back(absl::StrCat(set.entity_type(), set.version()));
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty() && found.size() < 100);
    return found;
  };
  EXPECT_THAT(all(""), ElementsAre("a5", "b1", "c1"));
  EXPECT_THAT(all("a"), ElementsAre("a5", "a4", "a3", "a2", "a1"));
  v1::ListRuleSetsRequest bad;
  bad.set_limit(kRulePageMax + 1);
  EXPECT_EQ(PathOf(registry_.List(bad).status()), "limit");
  bad.set_limit(0);
  bad.set_entity_type("a");
  bad.set_page_token("x");
  EXPECT_EQ(PathOf(registry_.List(bad).status()), "page_token");
}

TEST_F(RuleSetRegistryTest, PagesStayWithinTheirSize) {
  const std::string large = kLww + std::string(kRuleSetBytesMax - 100, ' ');
  for (int i = 0; i < 20; ++i) ASSERT_OK(Put("a", large));
  v1::ListRuleSetsRequest request;
  request.set_entity_type("a");
  ASSERT_OK_AND_ASSIGN(const v1::ListRuleSetsResponse page, registry_.List(request));
  EXPECT_LE(page.ByteSizeLong(), kRulePageBytesMax + 100);
  EXPECT_GT(page.rule_sets_size(), 5);
  EXPECT_NE(page.next_page_token(), "");
}

TEST_F(RuleSetRegistryTest, AFileIsStoredWhenItDiffersFromTheLastOne) {
  ASSERT_OK(registry_.PutFile({{"note", kLww}, {"task", kMax}}));
  EXPECT_EQ(Holds("note"), 1);
  EXPECT_EQ(Holds("task"), 1);
  EXPECT_EQ(told_, 1);
  ASSERT_OK(registry_.PutFile({{"note", kLww}, {"task", kMax}}));
  EXPECT_EQ(Holds("note"), 1);
  ASSERT_OK(Put("note", kMax));
  ASSERT_OK(registry_.PutFile({{"note", kLww}, {"task", kMax}}));
  EXPECT_EQ(Holds("note"), 2) << "what an operator has put since stays";
  ASSERT_OK(registry_.PutFile({{"note", R"({"rules":[],"else":"ours"})"}}));
  EXPECT_EQ(Holds("note"), 3);
  EXPECT_EQ(Holds("task"), 0) << "the file no longer holds it";
  ASSERT_OK(registry_.PutFile({{"task", kMax}}));
  EXPECT_EQ(Holds("task"), 2) << "it came back";
}

TEST_F(RuleSetRegistryTest, OfAFileWithAMistakeNothingIsTakenOver) {
  const absl::Status status = registry_.PutFile({{"note", kLww}, {"task", R"({"rules":[1]})"}});
  EXPECT_EQ(PathOf(status), "/rules/0");
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"task\""));
  EXPECT_EQ(Holds("note"), 0);
}

TEST_F(RuleSetRegistryTest, ReadersAndAWriterAtOnceSeeWholeSnapshots) {
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([this, &done] {
      int64_t last = 0;
      while (!done) {
        const auto active = registry_.active();
        const int64_t version = active->For("note").version;
        EXPECT_GE(version, last);
        last = version;
      }
    });
  }
  for (int i = 0; i < 200; ++i) ASSERT_OK(Put("note", i % 2 == 0 ? kLww : kMax));
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(RulesFileText, IsYamlOrJson) {
  ASSERT_OK_AND_ASSIGN(const RuleTexts yaml, ParseRulesFile(R"(
# Orders.
order:
  rules:
    - {path: $.lines, rule: keyed_list, key: [id, 7]}
    - path: $.total
      rule: script
      script: |
        return ours
  else: ask
note: {rules: []}
)"));
  EXPECT_EQ(yaml.at("order"),
            R"({"rules":[{"path":"$.lines","rule":"keyed_list","key":["id","7"]},)"
            R"({"path":"$.total","rule":"script","script":"return ours\n"}],"else":"ask"})");
  EXPECT_EQ(yaml.at("note"), kLww);
  ASSERT_OK_AND_ASSIGN(const RuleTexts json, ParseRulesFile(R"({"note": {"rules": []}})"));
  EXPECT_EQ(json.at("note"), kLww);
  EXPECT_TRUE(ParseRulesFile("")->empty());
}

TEST(RulesFileText, MistakesNameTheLine) {
  for (const char* text : {"a: 1\n- b", "a: 1\nb: {c: 1, c: 2}", "a: 1\n{b: 1}: 2"}) {
    const absl::Status status = ParseRulesFile(text).status();
    EXPECT_THAT(status, HasReason(Reason::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("line 2")) << text;
  }
  EXPECT_THAT(ParseRulesFile("[]").status(), HasReason(Reason::kInvalidArgument));
  std::string deep;
  for (size_t i = 0; i < kRuleSetDepthMax + 2; ++i) deep += "[";
  for (size_t i = 0; i < kRuleSetDepthMax + 2; ++i) deep += "]";
  EXPECT_THAT(ParseRulesFile("a: " + deep).status(), HasReason(Reason::kTooDeep));
}

// Of another document nothing would be read, and the sets in it would be taken away.
TEST(RulesFileText, IsOneDocument) {
  for (const char* text : {"---\n---\nnote: {rules: []}\n", "a: {}\n---\nb: {}\n", ", a: {}\n"}) {
    EXPECT_THAT(ParseRulesFile(text).status(), HasReason(Reason::kInvalidArgument)) << text;
  }
  EXPECT_TRUE(ParseRulesFile("---\nnote: {rules: []}\n...\n")->contains("note"));
}

TEST(RulesFileText, AliasesThatMultiplyAreRefused) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    absl::StrAppend(&text, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) absl::StrAppend(&text, j == 0 ? "" : ",", "*a", i - 1);
    text += "]\n";
  }
  EXPECT_THAT(ParseRulesFile(text).status(), HasReason(Reason::kTooLarge));
}

TEST(RulesFileLook, TellsOfEachChangeUntilItIsAccepted) {
  testing::TempDir folder;
  const std::string path = folder.File("rules.yaml");
  RulesFile file(path);
  EXPECT_THAT(file.Look().status(), HasReason(Reason::kInvalidArgument));
  const auto write = [&path](const char* text) { std::ofstream(path) << text; };
  write("a: {}");
  EXPECT_TRUE(*file.Look());
  EXPECT_TRUE(*file.Look());
  EXPECT_EQ(file.text(), "a: {}");
  file.Accept();
  EXPECT_FALSE(*file.Look());
  EXPECT_FALSE(file.unsettled());
  write("");  // Somebody has begun to write it anew.
  EXPECT_FALSE(*file.Look());
  EXPECT_TRUE(file.unsettled());
  write("b: {}");
  EXPECT_FALSE(*file.Look());
  EXPECT_TRUE(file.unsettled());
  EXPECT_TRUE(*file.Look());
  EXPECT_FALSE(file.unsettled());
  EXPECT_EQ(file.text(), "b: {}");
}

}  // namespace
}  // namespace bdcsync::conflict
