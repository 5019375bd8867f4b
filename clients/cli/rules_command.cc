// The rules of entity types, for administrators.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/render_conflicts.h"
#include "clients/cli/subcommand.h"
#include "clients/cli/table.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

using conflict::v1::RuleSet;

constexpr int kPageMax = 500;  // What ListRuleSets allows.
constexpr int kRecordsMax = 10'000;
constexpr int kRecordsDefault = 1000;
constexpr char kAnyType[] = "any";  // What `check` says the rules are for.

// Rules as JSON text, from a file or standard input.
absl::StatusOr<std::string> ReadRules(const Call& call, size_t position) {
  const std::string name = call.arguments.operand(position);
  auto text = ReadJson(name == "-" ? name : absl::StrCat("@", name), call.environment);
  if (!text.ok()) return UsageError(text.status());
  return text;
}

void Print(const Call& call, const RuleSet& rules, absl::string_view did) {
  if (call.arguments.Has("json")) {
    call.environment.out << json::Serialize(JsonOf(rules)) << "\n";
  } else {
    call.environment.out << std::string(did) << "\n";
  }
}

absl::StatusOr<int> List(const Call& call) {
  v1::ListRuleSetsRequest request;
  request.set_entity_type(call.arguments.operand(1));
  request.set_limit(kPageMax);
  std::vector<RuleSet> all;
  do {
    ASSIGN_OR_RETURN(auto page, call.client.desk().ListRuleSets(request));
    for (RuleSet& rules : *page.mutable_rule_sets()) all.push_back(std::move(rules));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (call.arguments.Has("json")) {
    for (const RuleSet& rules : all) call.environment.out << json::Serialize(JsonOf(rules)) << "\n";
  } else {
    call.environment.out << TableOf(all);
  }
  return 0;
}

absl::StatusOr<int> Show(const Call& call) {
  v1::GetRuleSetRequest request;
  request.set_entity_type(call.arguments.operand(1));
  const auto version = ReadCount(call.arguments, "version", 0, 1, 1'000'000'000);
  if (!version.ok()) return UsageError(version.status());
  request.set_version(*version);
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().GetRuleSet(request));
  Print(call, answer.rule_set(),
        EscapeControls(json::SerializePretty(Embedded(answer.rule_set().rules()))));
  return 0;
}

absl::StatusOr<int> Put(const Call& call) {
  v1::PutRuleSetRequest request;
  request.set_entity_type(call.arguments.operand(1));
  ASSIGN_OR_RETURN(*request.mutable_rules(), ReadRules(call, 2));
  const auto expected = ReadCount(call.arguments, "expected", 0, 1, 1'000'000'000);
  if (!expected.ok()) return UsageError(expected.status());
  request.set_expected_version(*expected);
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().PutRuleSet(request));
  Print(call, answer.rule_set(),
        absl::StrCat("version ", answer.rule_set().version(), " of the rules of ",
                     request.entity_type(), " holds"));
  return 0;
}

absl::StatusOr<int> Remove(const Call& call) {
  v1::RemoveRuleSetRequest request;
  request.set_entity_type(call.arguments.operand(1));
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().RemoveRuleSet(request));
  (void)answer;
  if (call.arguments.Has("json")) {
    call.environment.out << "{}\n";
  } else {
    call.environment.out << "the defaults hold for " << request.entity_type() << "\n";
  }
  return 0;
}

absl::StatusOr<int> Check(const Call& call) {
  v1::PutRuleSetRequest request;
  request.set_entity_type(kAnyType);
  request.set_validate_only(true);
  ASSIGN_OR_RETURN(*request.mutable_rules(), ReadRules(call, 1));
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().PutRuleSet(request));
  Print(call, answer.rule_set(), "these rules are right");
  return 0;
}

absl::StatusOr<int> Try(const Call& call) {
  v1::DryRunRequest request;
  request.set_entity_type(call.arguments.operand(1));
  ASSIGN_OR_RETURN(*request.mutable_rules(), ReadRules(call, 2));
  auto space = ReadCountedSpace(call.arguments, call.environment);
  if (!space.ok()) return UsageError(space.status());
  request.set_space(*std::move(space));
  const auto records = ReadCount(call.arguments, "records", kRecordsDefault, 1, kRecordsMax);
  if (!records.ok()) return UsageError(records.status());
  request.set_records_max(*records);
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().DryRun(request));
  if (call.arguments.Has("json")) {
    call.environment.out << json::Serialize(JsonOf(answer.report())) << "\n";
  } else {
    call.environment.out << TextOf(answer.report());
  }
  return 0;
}

}  // namespace

absl::StatusOr<int> RunRules(const Call& call) {
  constexpr Subcommand kAll[] = {
      {"list", 0, 1, "[TYPE]", List},  {"show", 1, 1, "TYPE", Show},
      {"put", 2, 2, "TYPE FILE", Put}, {"remove", 1, 1, "TYPE", Remove},
      {"check", 1, 1, "FILE", Check},  {"try", 2, 2, "TYPE FILE", Try},
  };
  return RunSubcommand(call, "rules", kAll);
}

}  // namespace bdcsync::cli
