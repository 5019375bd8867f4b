#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/diff.h"
#include "libs/ot/invert.h"
#include "libs/ot/transform.h"

namespace bdcsync::cli {
namespace {

using json::Value;
using ot::Delta;

// The member `name` of a request, read by `parse`; what is wrong with it is named with the member.
absl::StatusOr<Delta> Read(const Value& request, absl::string_view name,
                           absl::StatusOr<Delta> (*parse)(const Value&, const ot::DeltaLimits&)) {
  const Value* const value = request.Find(name);
  if (value == nullptr) {
    return MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", name), "this is missing");
  }
  absl::StatusOr<Delta> delta = parse(*value, {});
  if (delta.ok()) return delta;
  return MakeErrorAt(ReasonOf(delta.status()), absl::StrCat("/", name, PathOf(delta.status())),
                     delta.status().message());
}

absl::StatusOr<ot::Priority> ReadPriority(const Value& request) {
  const Value* const value = request.Find("priority");
  if (value == nullptr) return ot::Priority::kOther;
  if (!value->is_bool()) {
    return MakeErrorAt(Reason::kInvalidArgument, "/priority", "want a boolean");
  }
  return value->boolean() ? ot::Priority::kThis : ot::Priority::kOther;
}

absl::StatusOr<Delta> Transformed(const Value& request) {
  ASSIGN_OR_RETURN(const Delta a, Read(request, "a", ot::ParseDelta));
  ASSIGN_OR_RETURN(const Delta b, Read(request, "b", ot::ParseDelta));
  ASSIGN_OR_RETURN(const ot::Priority priority, ReadPriority(request));
  return ot::Transform(a, b, priority);
}

absl::StatusOr<Delta> Applied(const Value& request, bool inverse) {
  ASSIGN_OR_RETURN(const Delta document, Read(request, "doc", ot::ParseDocument));
  ASSIGN_OR_RETURN(const Delta change, Read(request, "delta", ot::ParseDelta));
  return inverse ? ot::Invert(change, document) : ot::Apply(document, change);
}

absl::StatusOr<Delta> Answer(const Value& request) {
  const Value* const op = request.Find("op");
  const absl::string_view name =
      op != nullptr && op->is_string() ? op->string() : absl::string_view();
  if (name == "apply" || name == "invert") return Applied(request, name == "invert");
  if (name == "transform") return Transformed(request);
  if (name == "compose") {
    ASSIGN_OR_RETURN(const Delta a, Read(request, "a", ot::ParseDelta));
    ASSIGN_OR_RETURN(const Delta b, Read(request, "b", ot::ParseDelta));
    return ot::Compose(a, b);
  }
  if (name == "diff") {
    ASSIGN_OR_RETURN(const Delta a, Read(request, "a", ot::ParseDocument));
    ASSIGN_OR_RETURN(const Delta b, Read(request, "b", ot::ParseDocument));
    return ot::Diff(a, b);
  }
  return MakeErrorAt(Reason::kInvalidArgument, "/op",
                     "want apply, compose, transform, invert or diff");
}

absl::StatusOr<Delta> AnswerLine(const std::string& line) {
  RETURN_IF_ERROR(RefuseByteOrderMark(line));
  ASSIGN_OR_RETURN(const Value request, json::Parse(line));
  return Answer(request);
}

absl::Status TooLong() {
  return MakeError(Reason::kTooLarge, absl::StrCat("a line has at most ", kLineBytesMax, " bytes"));
}

std::string Rendered(const absl::StatusOr<Delta>& answer) {
  Value line;
  if (answer.ok()) {
    line.Set("ops", ot::ToJson(*answer));
    return json::Serialize(line);
  }
  const std::string path = PathOf(answer.status());
  Value error;
  error.Set("code", InfoOf(ReasonOf(answer.status())).name);
  error.Set("message", absl::StrCat(path, path.empty() ? "" : ": ", answer.status().message()));
  line.Set("error", std::move(error));
  return json::Serialize(line);
}

}  // namespace

// Standard input is tied to standard output, so whoever asks line by line is answered line by line.
absl::StatusOr<int> RunDelta(const Arguments& arguments, const Environment& environment) {
  std::string line;
  bool whole = true;
  while (environment.out && ReadLine(environment.in, line, whole)) {
    environment.out << Rendered(whole ? AnswerLine(line) : TooLong()) << '\n';
  }
  if (environment.in.bad()) {
    return UsageError(absl::InvalidArgumentError("cannot read standard input"));
  }
  return 0;
}

}  // namespace bdcsync::cli
