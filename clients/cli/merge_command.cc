// `bdc-sync merge`: three files, one document. Calls no server.
#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/run.h"
#include "clients/cli/table.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"
#include "libs/json/version_reader.h"
#include "libs/merge/three_way.h"
#include "libs/rules/script_rules.h"

namespace bdcsync::cli {
namespace {

using json::Value;

constexpr int kExitOpenConflicts = 1;
constexpr size_t kShownBytesMax = 60;  // Of one value in a line for people.
constexpr size_t kLineWidth = 500;     // Of a path or a note.
constexpr absl::string_view kGitFilePrefix = ".merge_file_";

constexpr json::ParseLimits kParseLimits{.depth_max = json::kDepthCeiling};

struct InputFile {
  std::string text;
  std::optional<Value> document;  // Nothing: an empty file, a document that does not exist.
};

absl::StatusOr<std::string> ReadText(const std::string& name, const Environment& environment) {
  return name == "-" ? ReadAll(environment.in, "standard input") : ReadFile(name);
}

// Standard input can be read once: it would be empty for the second, a document that does not
// exist.
absl::Status RefuseTwoInputs(const Arguments& arguments) {
  std::vector<std::string> names = arguments.operands();
  names.push_back(arguments.Get("rules"));
  if (std::count(names.begin(), names.end(), "-") <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError("only one of the files can be - (standard input)");
}

absl::StatusOr<Value> ReadDocument(const std::string& name, absl::string_view text,
                                   json::VersionReader& reader) {
  const absl::Status marked = RefuseByteOrderMark(text);
  absl::StatusOr<Value> value = marked.ok() ? reader.Read(text) : absl::StatusOr<Value>(marked);
  if (value.ok()) return value;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", value.status().message()));
}

// The reader borrows the text of `input`.
absl::Status ReadInput(const std::string& name, const Environment& environment,
                       json::VersionReader& reader, InputFile& input) {
  ASSIGN_OR_RETURN(input.text, ReadText(name, environment));
  // Git gives an empty file for a version that is not there.
  if (absl::StripAsciiWhitespace(input.text).empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(input.document, ReadDocument(name, input.text, reader));
  return absl::OkStatus();
}

// Files carry no time of writing: without rules what both sides changed to different values stays
// open instead of going to the later write. An edit still wins over a removal.
absl::StatusOr<merge::RuleSet> ReadRules(const Arguments& arguments,
                                         const Environment& environment) {
  if (!arguments.Has("rules")) {
    Value open;
    open.Set("rules", json::Array());
    open.Set("else", "ask");
    return merge::ParseRuleSet(open);
  }
  const std::string name = arguments.Get("rules");
  ASSIGN_OR_RETURN(const std::string text, ReadText(name, environment));
  json::VersionReader reader(kParseLimits);
  ASSIGN_OR_RETURN(const Value document, ReadDocument(name, text, reader));
  const rules::LuaCompiler scripts;
  absl::StatusOr<merge::RuleSet> rules = merge::ParseRuleSet(document, {.scripts = &scripts});
  if (rules.ok()) return rules;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", rules.status().message()));
}

// The document laid out as `like` is: on one line, or a member a line with its indentation, and
// with its line ends.
std::string Laid(const Value& document, const std::string& like) {
  const size_t newline = like.find('\n');
  const size_t first = like.find_first_not_of(" \t\n\r", newline);
  const bool carriage_return =
      newline != std::string::npos && newline > 0 && like[newline - 1] == '\r';
  const absl::string_view line_end = carriage_return ? "\r\n" : "\n";
  if (newline == std::string::npos || first == std::string::npos) {
    return absl::StrCat(json::Serialize(document), line_end);
  }
  const std::string indent = like.substr(newline + 1, first - newline - 1);
  std::string text;
  for (absl::string_view line : absl::StrSplit(json::SerializePretty(document), '\n')) {
    size_t depth = 0;
    for (; absl::ConsumePrefix(&line, "  "); ++depth) absl::StrAppend(&text, indent);
    absl::StrAppend(&text, line, line_end);
  }
  return text;
}

std::string Shown(const std::optional<Value>& value) {
  if (!value) return "(missing)";
  std::string text = EscapeControls(json::Serialize(*value));
  if (text.size() <= kShownBytesMax) return text;
  size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

Value JsonOf(const merge::Decision& decision) {
  Value line;
  line.Set("path", decision.path);
  line.Set("kind", merge::ConflictKindName(decision.kind));
  line.Set("rule", merge::RuleName(decision.rule));
  if (decision.base) line.Set("base", *decision.base);
  if (decision.theirs) line.Set("theirs", *decision.theirs);
  if (decision.ours) line.Set("ours", *decision.ours);
  if (decision.chosen) line.Set("chosen", merge::SideName(*decision.chosen));
  if (decision.result) line.Set("result", *decision.result);
  if (decision.region) {
    line.Set("base_begin", decision.region->base_begin);
    line.Set("theirs_begin", decision.region->theirs_begin);
    line.Set("ours_begin", decision.region->ours_begin);
    line.Set("result_begin", decision.region->result_begin);
  }
  return line;
}

Value JsonOf(const merge::MergeResult& result) {
  Value report;
  const auto list = [&report](const char* name, const std::vector<merge::Decision>& decisions) {
    Value& lines = report.Set(name, json::Array());
    for (const merge::Decision& decision : decisions) lines.Append(JsonOf(decision));
  };
  list("conflicts", result.conflicts);
  list("decisions", result.decisions);
  Value& notes = report.Set("notes", json::Array());
  for (const merge::Note& note : result.notes) {
    Value line;
    line.Set("path", note.path);
    line.Set("text", note.text);
    notes.Append(std::move(line));
  }
  return report;
}

// A path of the documents, or a text about one, that cannot steer the terminal: names in them may
// be somebody else's.
std::string Line(const std::string& text, const char* otherwise = "") {
  return text.empty() ? otherwise : OneLine(text, kLineWidth);
}

// A removal that the result undoes. Git commits a clean merge without asking, and then nobody
// looks.
void ReportUndoneRemoval(const merge::Decision& decision, std::ostream& err) {
  if (decision.rule != merge::RuleKind::kEditWins) return;
  const bool theirs_removed = !decision.theirs;
  err << "note at " << Line(decision.path, "/") << ": "
      << (theirs_removed ? "theirs removed this and ours changed it"
                         : "ours removed this and theirs changed it");
  if (decision.region) err << ", element " << decision.region->result_begin;
  err << "; the change stands (edit_wins)\n";
}

void Report(const merge::MergeResult& result, std::ostream& err) {
  for (const merge::Decision& decision : result.decisions) ReportUndoneRemoval(decision, err);
  for (const merge::Note& note : result.notes) {
    err << "note at " << Line(note.path, "/") << ": " << Line(note.text) << "\n";
  }
  for (const merge::Decision& conflict : result.conflicts) {
    err << "conflict (" << merge::ConflictKindName(conflict.kind) << ") at "
        << Line(conflict.path, "the whole document");
    if (conflict.region) err << ", element " << conflict.region->result_begin;
    err << "\n  base    " << Shown(conflict.base) << "\n  theirs  " << Shown(conflict.theirs)
        << "\n  ours    " << Shown(conflict.ours) << "\n";
  }
  if (result.conflicts.empty()) return;
  err << result.conflicts.size()
      << (result.conflicts.size() == 1 ? " open conflict" : " open conflicts")
      << "; the document holds theirs there\n";
}

absl::Status WriteFile(const std::string& name, const std::string& text) {
  std::ofstream file(name, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("cannot write ", name));
}

// Whether git made the file for its merge driver.
bool IsGitsOwn(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return absl::StartsWith(slash == name.npos ? name : name.substr(slash + 1), kGitFilePrefix);
}

absl::Status Write(const std::string& text, const Arguments& arguments,
                   const Environment& environment) {
  if (arguments.Has("output")) return WriteFile(arguments.Get("output"), text);
  environment.out << text;
  // Git reads the result from %A. A driver that forgot --output would leave ours there as if it
  // were the merge, and theirs would be lost without a word; which of the two is %A cannot be
  // seen, and git throws the other away.
  const std::string theirs = arguments.operand(1);
  const std::string ours = arguments.operand(2);
  if (!IsGitsOwn(theirs) || !IsGitsOwn(ours)) return absl::OkStatus();
  RETURN_IF_ERROR(WriteFile(theirs, text));
  return WriteFile(ours, text);
}

absl::StatusOr<int> MergeFiles(const Arguments& arguments, const Environment& environment) {
  RETURN_IF_ERROR(RefuseTwoInputs(arguments));
  merge::MergeOptions options;
  const std::string later = arguments.Has("later") ? arguments.Get("later") : "ours";
  if (later != "ours" && later != "theirs") {
    return absl::InvalidArgumentError("--later must be ours or theirs");
  }
  options.later = later == "ours" ? merge::Side::kOurs : merge::Side::kTheirs;
  ASSIGN_OR_RETURN(const merge::RuleSet rules, ReadRules(arguments, environment));
  options.rules = &rules;
  Value meta;
  meta.Set("later", later);
  rules::ScriptEvaluator evaluator(std::move(meta), nullptr, {});
  options.evaluator = &evaluator;
  InputFile base;
  InputFile theirs;
  InputFile ours;
  json::VersionReader reader(kParseLimits);
  RETURN_IF_ERROR(ReadInput(arguments.operand(0), environment, reader, base));
  RETURN_IF_ERROR(ReadInput(arguments.operand(1), environment, reader, theirs));
  RETURN_IF_ERROR(ReadInput(arguments.operand(2), environment, reader, ours));
  const std::string& like = ours.document ? ours.text : theirs.text;
  ASSIGN_OR_RETURN(
      const merge::MergeResult result,
      merge::Merge(base.document, std::move(theirs.document), std::move(ours.document), options));
  RETURN_IF_ERROR(Write(result.value ? Laid(*result.value, like) : "", arguments, environment));
  if (arguments.Has("json")) {
    environment.err << json::Serialize(JsonOf(result)) << "\n";
  } else {
    Report(result, environment.err);
  }
  return result.conflicts.empty() ? kExitDone : kExitOpenConflicts;
}

}  // namespace

absl::StatusOr<int> RunMerge(const Arguments& arguments, const Environment& environment) {
  absl::StatusOr<int> status = MergeFiles(arguments, environment);
  return status.ok() ? status : UsageError(status.status());
}

}  // namespace bdcsync::cli
