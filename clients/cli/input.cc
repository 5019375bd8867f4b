#include "clients/cli/input.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/token_source.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"

namespace bdcsync::cli {
namespace {

constexpr std::size_t kReadBytes = 65536;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

absl::StatusOr<std::string> ReadText(const std::string& operand, const Environment& environment) {
  if (operand == "-") return ReadAll(environment.in, "standard input");
  if (!absl::StartsWith(operand, "@")) return operand;
  return ReadFile(operand.substr(1));
}

}  // namespace

absl::Status CheckTypes(const Arguments& arguments) {
  for (const std::string& type : arguments.operands()) {
    if (entity::ValidateType(type).ok()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", type, "' is no TYPE of entities, as note is of note/n1"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(std::istream& in, absl::string_view name,
                                    std::size_t bytes_max) {
  std::string text;
  std::array<char, kReadBytes> part;
  // Iterators over the stream would throw where reading fails, as of a folder.
  while (in.read(part.data(), part.size()), in.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() <= bytes_max) continue;
    return absl::InvalidArgumentError(absl::StrCat(name, " has more than ", bytes_max, " bytes"));
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", name));
  return text;
}

bool ReadLine(std::istream& in, std::string& line, bool& whole, std::size_t bytes_max) {
  line.clear();
  whole = true;
  std::array<char, kReadBytes> part;
  bool began = false;
  while (true) {
    in.getline(part.data(), part.size());
    const bool newline = in.good();
    const auto count = static_cast<std::size_t>(in.gcount()) - (newline ? 1 : 0);
    const std::size_t kept = std::min(count, bytes_max - line.size());
    line.append(part.data(), kept);
    whole = whole && kept == count;
    began = began || count > 0;
    if (newline) return true;
    if (in.eof() || in.bad()) return began;
    in.clear();  // Only that the part is full.
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", name));
  return ReadAll(file, name);
}

absl::StatusOr<common::v1::EntityKey> ReadEntityKey(const Arguments& arguments) {
  const std::string name = arguments.operand(0);
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is not TYPE/ID; write for example note/n1"));
  }
  common::v1::EntityKey key;
  key.set_space(arguments.Get("space"));
  key.set_entity_type(name.substr(0, slash));
  key.set_entity_id(name.substr(slash + 1));
  key.set_branch(arguments.Get("branch"));
  RETURN_IF_ERROR(entity::ValidateType(key.entity_type()));
  RETURN_IF_ERROR(entity::ValidateId(key.entity_id()));
  if (!key.space().empty()) RETURN_IF_ERROR(entity::ValidateSpace(key.space()));
  if (!key.branch().empty()) RETURN_IF_ERROR(entity::ValidateBranch(key.branch()));
  return key;
}

absl::StatusOr<std::string> ReadJsonOperand(const Arguments& arguments, std::size_t position,
                                            const Environment& environment) {
  const bool given = position < arguments.operands().size();
  return ReadJson(given ? arguments.operand(position) : "-", environment);
}

absl::StatusOr<std::string> ReadJson(const std::string& operand, const Environment& environment) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(operand, environment));
  RETURN_IF_ERROR(RefuseByteOrderMark(text));
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  const absl::StatusOr<json::Value> value =
      json::Parse(trimmed, {.depth_max = json::kDepthCeiling});
  if (!value.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the data is not JSON: ", value.status().message(),
                     "; quote it for the shell, as in '{\"title\": \"x\"}'"));
  }
  return std::string(trimmed);
}

absl::Status RefuseByteOrderMark(absl::string_view text) {
  if (!absl::StartsWith(text, kByteOrderMark)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the text begins with a UTF-8 byte order mark (EF BB BF), which JSON does not allow: save it "
      "without one");
}

absl::StatusOr<absl::Time> ReadTime(absl::string_view text, absl::Time now) {
  absl::Time time;
  std::string problem;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &problem)) return time;
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago) && ago >= absl::ZeroDuration()) return now - ago;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text, "' is no time; write 2026-01-31T12:00:00Z, or 10m for ten minutes ago"));
}

absl::StatusOr<int> ReadCount(const Arguments& arguments, absl::string_view option, int missing,
                              int min, int max) {
  if (!arguments.Has(option)) return missing;
  int count = 0;
  if (absl::SimpleAtoi(arguments.Get(option), &count) && count >= min && count <= max) return count;
  return absl::InvalidArgumentError(
      absl::StrCat("--", option, " must be a number from ", min, " to ", max));
}

absl::StatusOr<absl::Duration> ReadDuration(const Arguments& arguments, absl::string_view option,
                                            absl::Duration missing) {
  if (!arguments.Has(option)) return missing;
  absl::Duration duration;
  if (absl::ParseDuration(arguments.Get(option), &duration) && duration > absl::ZeroDuration()) {
    return duration;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", option, " must be a duration, for example 500ms, 10s or 24h"));
}

absl::StatusOr<std::string> ReadCountedSpace(const Arguments& arguments,
                                             const Environment& environment) {
  if (arguments.Has("everywhere")) return std::string();
  if (arguments.Has("space")) return arguments.Get("space");
  std::string own = OwnSpace(MakeTokenSource(arguments, environment)());
  if (!own.empty()) return own;
  return absl::InvalidArgumentError(
      "no token says whose space it is: name a --space, or all with --everywhere");
}

}  // namespace bdcsync::cli
