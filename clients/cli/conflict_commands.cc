// The desk for people: conflicts, their decisions, and what became of earlier ones.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/render_conflicts.h"
#include "clients/cli/subcommand.h"
#include "clients/cli/table.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

using conflict::v1::AnalyzeDimension;
using conflict::v1::Conflict;
using conflict::v1::ConflictState;

constexpr int kLimitDefault = 100;
constexpr int kLimitMax = 100'000;
constexpr int kPageMax = 500;            // What ListConflicts allows.
constexpr int kDecisionsPerCall = 1000;  // What DecideConflicts allows.
constexpr size_t kConflictIdSize = 32;   // Hexadecimal digits.

template <typename Value>
struct Named {
  absl::string_view name;
  Value value;
};

constexpr Named<ConflictState> kStates[] = {
    {"open", conflict::v1::CONFLICT_STATE_OPEN},
    {"assigned", conflict::v1::CONFLICT_STATE_ASSIGNED},
    {"resolved", conflict::v1::CONFLICT_STATE_RESOLVED},
    {"expired", conflict::v1::CONFLICT_STATE_EXPIRED},
    {"superseded", conflict::v1::CONFLICT_STATE_SUPERSEDED},
    {"cancelled", conflict::v1::CONFLICT_STATE_CANCELLED},
    {"any", conflict::v1::CONFLICT_STATE_UNSPECIFIED},
};

constexpr Named<AnalyzeDimension> kDimensions[] = {
    {"all", conflict::v1::ANALYZE_DIMENSION_UNSPECIFIED},
    {"type", conflict::v1::ANALYZE_DIMENSION_ENTITY_TYPE},
    {"path", conflict::v1::ANALYZE_DIMENSION_PATH},
    {"rule", conflict::v1::ANALYZE_DIMENSION_RULE},
    {"device", conflict::v1::ANALYZE_DIMENSION_DEVICE},
    {"version", conflict::v1::ANALYZE_DIMENSION_APP_VERSION},
    {"time", conflict::v1::ANALYZE_DIMENSION_TIME},
    {"entity", conflict::v1::ANALYZE_DIMENSION_ENTITY},
};

// The value that the option names; `missing` when it was not given.
template <typename Value, size_t kCount>
absl::StatusOr<Value> ReadNamed(const Arguments& arguments, absl::string_view option,
                                const Named<Value> (&choices)[kCount], Value missing) {
  if (!arguments.Has(option)) return missing;
  const std::string given = arguments.Get(option);
  std::string known;
  for (const Named<Value>& choice : choices) {
    if (choice.name == given) return choice.value;
    absl::StrAppend(&known, known.empty() ? "" : ", ", choice.name);
  }
  return Usage(absl::StrCat("--", option, " must be one of ", known));
}

absl::StatusOr<v1::ListConflictsRequest> ReadFilter(const Call& call) {
  v1::ListConflictsRequest request;
  request.set_space(call.arguments.Get("space"));
  request.set_entity_type(call.arguments.Get("type"));
  request.set_assigned_to(call.arguments.Get("assigned"));
  if (call.arguments.Has("status")) {
    ASSIGN_OR_RETURN(const ConflictState state, ReadNamed(call.arguments, "status", kStates,
                                                          conflict::v1::CONFLICT_STATE_OPEN));
    request.add_states(state);
  }
  return request;
}

// Up to `wanted` conflicts; `more` tells whether there are others.
absl::StatusOr<std::vector<Conflict>> ReadConflicts(const Call& call,
                                                    v1::ListConflictsRequest request, int wanted,
                                                    bool& more) {
  std::vector<Conflict> conflicts;
  more = true;
  while (more && static_cast<int>(conflicts.size()) < wanted) {
    request.set_limit(std::min(wanted - static_cast<int>(conflicts.size()), kPageMax));
    ASSIGN_OR_RETURN(auto page, call.client.desk().ListConflicts(request));
    for (Conflict& conflict : *page.mutable_conflicts()) conflicts.push_back(std::move(conflict));
    request.set_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
  }
  return conflicts;
}

template <typename Elements>
void PrintLines(const Call& call, const Elements& elements) {
  for (const auto& element : elements) {
    call.environment.out << json::Serialize(JsonOf(element)) << "\n";
  }
}

absl::StatusOr<int> List(const Call& call) {
  ASSIGN_OR_RETURN(v1::ListConflictsRequest request, ReadFilter(call));
  const auto limit = ReadCount(call.arguments, "limit", kLimitDefault, 1, kLimitMax);
  if (!limit.ok()) return UsageError(limit.status());
  bool more = false;
  ASSIGN_OR_RETURN(const auto conflicts, ReadConflicts(call, std::move(request), *limit, more));
  if (call.arguments.Has("json")) {
    PrintLines(call, conflicts);
  } else {
    call.environment.out << TableOf(conflicts);
  }
  if (more) call.environment.err << "bdc-sync: there are more; --limit shows them\n";
  return 0;
}

absl::StatusOr<int> Show(const Call& call) {
  v1::GetConflictRequest request;
  request.set_conflict_id(call.arguments.operand(1));
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().GetConflict(request));
  if (call.arguments.Has("json")) {
    call.environment.out << json::Serialize(JsonOf(answer.view())) << "\n";
  } else {
    call.environment.out << TextOf(answer.view());
  }
  return 0;
}

void PrintConflict(const Call& call, const Conflict& conflict) {
  if (call.arguments.Has("json")) {
    call.environment.out << json::Serialize(JsonOf(conflict)) << "\n";
  } else {
    call.environment.out << TableOf(std::vector<Conflict>{conflict});
  }
}

absl::StatusOr<int> Assign(const Call& call) {
  v1::AssignConflictRequest request;
  request.set_conflict_id(call.arguments.operand(1));
  request.set_user_id(call.arguments.operand(2));
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().AssignConflict(request));
  PrintConflict(call, answer.conflict());
  return 0;
}

absl::StatusOr<int> Cancel(const Call& call) {
  v1::CancelConflictRequest request;
  request.set_conflict_id(call.arguments.operand(1));
  ASSIGN_OR_RETURN(const auto answer, call.client.desk().CancelConflict(request));
  PrintConflict(call, answer.conflict());
  return 0;
}

absl::StatusOr<int> Records(const Call& call) {
  const auto limit = ReadCount(call.arguments, "limit", kLimitDefault, 1, kLimitMax);
  if (!limit.ok()) return UsageError(limit.status());
  v1::ListResolutionsRequest request;
  request.set_space(call.arguments.Get("space"));
  request.set_entity_type(call.arguments.Get("type"));
  std::vector<conflict::v1::Resolution> records;
  bool more = true;
  while (more && static_cast<int>(records.size()) < *limit) {
    request.set_limit(std::min(*limit - static_cast<int>(records.size()), kPageMax));
    ASSIGN_OR_RETURN(auto page, call.client.desk().ListResolutions(request));
    for (auto& record : *page.mutable_resolutions()) records.push_back(std::move(record));
    request.set_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
  }
  if (call.arguments.Has("json")) {
    PrintLines(call, records);
  } else {
    call.environment.out << TableOf(records);
  }
  if (more) call.environment.err << "bdc-sync: there are more; --limit shows them\n";
  return 0;
}

absl::StatusOr<int> Undo(const Call& call) {
  v1::UndoResolutionRequest request;
  const std::string name = call.arguments.operand(1);
  const bool conflict =
      name.size() == kConflictIdSize && std::all_of(name.begin(), name.end(), absl::ascii_isxdigit);
  request.set_space(call.arguments.Get("space"));
  request.set_op_id(conflict ? absl::StrCat("close-", name) : name);
  for (const std::string& path : call.arguments.GetAll("path")) request.add_paths(path);
  absl::StatusOr<v1::UndoResolutionResponse> undone = call.client.desk().UndoResolution(request);
  if (conflict && !undone.ok() && ReasonOf(undone.status()) == Reason::kNotFound) {
    request.set_op_id(name);  // An operation may be named like a conflict.
    undone = call.client.desk().UndoResolution(request);
  }
  ASSIGN_OR_RETURN(const auto answer, std::move(undone));
  if (call.arguments.Has("json")) {
    json::Value value;
    value.Set("entity_type", answer.entity().entity_type());
    value.Set("entity_id", answer.entity().entity_id());
    value.Set("version_id", answer.version_id());
    value.Set("revision", answer.revision());
    value.Set("cursor", answer.cursor());
    if (!answer.data().empty()) value.Set("data", Embedded(answer.data()));
    call.environment.out << json::Serialize(value) << "\n";
    return 0;
  }
  call.environment.out << "undone  " << NameOf(answer.entity()) << "  version "
                       << answer.version_id() << "\n"
                       << (answer.data().empty()
                               ? std::string("deleted")
                               : EscapeControls(json::SerializePretty(Embedded(answer.data()))))
                       << "\n";
  return 0;
}

absl::StatusOr<int> Stats(const Call& call) {
  v1::AnalyzeRequest request;
  conflict::v1::AnalyzeRequest& query = *request.mutable_query();
  ASSIGN_OR_RETURN(
      const AnalyzeDimension by,
      ReadNamed(call.arguments, "by", kDimensions, conflict::v1::ANALYZE_DIMENSION_ENTITY_TYPE));
  query.set_by(by);
  query.set_entity_type(call.arguments.Get("type"));
  auto space = ReadCountedSpace(call.arguments, call.environment);
  if (!space.ok()) return UsageError(space.status());
  query.set_space(*std::move(space));
  if (call.arguments.Has("since")) {
    const auto since = ReadTime(call.arguments.Get("since"), call.environment.clock.Now());
    if (!since.ok()) return UsageError(since.status());
    query.set_from_ms(absl::ToUnixMillis(*since));
  }
  const auto bucket = ReadDuration(call.arguments, "bucket", absl::Hours(1));
  if (!bucket.ok()) return UsageError(bucket.status());
  query.set_bucket_ms(absl::ToInt64Milliseconds(*bucket));
  ASSIGN_OR_RETURN(auto answer, call.client.desk().Analyze(request));
  if (call.arguments.Has("json")) {
    PrintLines(call, answer.report().groups());
  } else {
    // Its only group is the total.
    if (by == conflict::v1::ANALYZE_DIMENSION_UNSPECIFIED) answer.mutable_report()->clear_groups();
    call.environment.out << TextOf(answer.report());
  }
  return 0;
}

absl::StatusOr<conflict::v1::Choice> ReadChoice(const Call& call) {
  conflict::v1::Choice choice;
  choice.set_choice(call.arguments.Get("choice"));
  if (call.arguments.Has("value")) {
    if (choice.choice().empty()) choice.set_choice("value");
    const auto value = ReadJson(call.arguments.Get("value"), call.environment);
    if (!value.ok()) return UsageError(value.status());
    choice.set_value(*value);
  }
  for (const char* known : {"base", "ours", "theirs", "proposed", "value"}) {
    if (choice.choice() != known) continue;
    if ((choice.choice() == "value") != call.arguments.Has("value")) {
      return Usage("--value goes with --choice value, and the other way round");
    }
    for (const std::string& path : call.arguments.GetAll("path")) choice.add_paths(path);
    return choice;
  }
  return Usage("--choice must be base, ours, theirs, proposed or value");
}

// Those of the command line, or every open one of a type.
absl::StatusOr<std::vector<std::string>> ReadIds(const Call& call) {
  std::vector<std::string> ids = call.arguments.operands();
  if (call.arguments.Has("all-of") == !ids.empty()) {
    return Usage("give conflicts (`bdc-sync conflicts` shows them), or --all-of TYPE");
  }
  if (!ids.empty()) return ids;
  v1::ListConflictsRequest request;
  request.set_space(call.arguments.Get("space"));
  request.set_entity_type(call.arguments.Get("all-of"));
  bool more = false;
  ASSIGN_OR_RETURN(const auto conflicts, ReadConflicts(call, request, kLimitMax, more));
  for (const Conflict& conflict : conflicts) ids.push_back(conflict.conflict_id());
  return ids;
}

absl::StatusOr<int> Preview(const Call& call, const std::vector<std::string>& ids,
                            const conflict::v1::Choice& choice) {
  for (const std::string& id : ids) {
    v1::GetConflictRequest request;
    request.set_conflict_id(id);
    *request.add_choices() = choice;
    ASSIGN_OR_RETURN(const auto answer, call.client.desk().GetConflict(request));
    if (call.arguments.Has("json")) {
      call.environment.out << json::Serialize(JsonOf(answer.view())) << "\n";
    } else {
      call.environment.out << NameOf(answer.view().conflict().entity()) << " would be:\n"
                           << PreviewOf(answer.view());
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<int> RunConflicts(const Call& call) {
  constexpr Subcommand kAll[] = {
      {"list", 0, 0, "", List},
      {"show", 1, 1, "CONFLICT", Show},
      {"assign", 1, 2, "CONFLICT [USER]", Assign},
      {"cancel", 1, 1, "CONFLICT", Cancel},
      {"records", 0, 0, "", Records},
      {"undo", 1, 1, "OPERATION", Undo},
      {"stats", 0, 0, "", Stats},
  };
  return RunSubcommand(call, "conflicts", kAll);
}

absl::StatusOr<int> RunResolve(const Call& call) {
  ASSIGN_OR_RETURN(const conflict::v1::Choice choice, ReadChoice(call));
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, ReadIds(call));
  if (call.arguments.Has("preview")) return Preview(call, ids, choice);
  int refused = 0;
  for (size_t at = 0; at < ids.size(); at += kDecisionsPerCall) {
    v1::DecideConflictsRequest request;
    for (size_t i = at; i < std::min(ids.size(), at + kDecisionsPerCall); ++i) {
      v1::ConflictDecision& decision = *request.add_decisions();
      decision.set_conflict_id(ids[i]);
      *decision.add_choices() = choice;
    }
    ASSIGN_OR_RETURN(const auto answer, call.client.desk().DecideConflicts(request));
    if (answer.results_size() != request.decisions_size()) {
      return absl::InternalError("the server left results out");
    }
    for (int i = 0; i < answer.results_size(); ++i) {
      const v1::DecideResult& result = answer.results(i);
      const std::string& id = request.decisions(i).conflict_id();
      refused += result.has_error() ? 1 : 0;
      if (call.arguments.Has("json")) {
        call.environment.out << json::Serialize(JsonOf(id, result)) << "\n";
      } else {
        (result.has_error() ? call.environment.err : call.environment.out) << TextOf(id, result);
      }
    }
  }
  if (ids.empty() && !call.arguments.Has("json")) call.environment.out << "no conflicts\n";
  return refused == 0 ? 0 : 1;
}

}  // namespace bdcsync::cli
