#include "libs/json/patch.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/journaled_editor.h"
#include "libs/json/pointer.h"

namespace bdcsync::json {
namespace {

// One operation of the patch: reads its members and names the one that is at fault.
class Operation {
 public:
  Operation(const Value& operation, size_t index) : operation_(operation), index_(index) {}

  absl::Status Fail(Reason reason, absl::string_view member, absl::string_view message) const {
    return MakeErrorAt(reason, absl::StrCat("/", index_, member.empty() ? "" : "/", member),
                       message);
  }
  // `status` as the fault of `member`.
  absl::Status Blame(absl::string_view member, const absl::Status& status) const {
    return status.ok() ? status : Fail(ReasonOf(status), member, status.message());
  }

  absl::StatusOr<absl::string_view> Text(absl::string_view member) const {
    if (!operation_.is_object()) {
      return Fail(Reason::kInvalidArgument, "", "an operation is an object");
    }
    const Value* value = operation_.Find(member);
    if (value != nullptr && value->is_string()) return value->string();
    return Fail(Reason::kInvalidArgument, member, "the operation needs this string");
  }
  absl::StatusOr<PointerTokens> Pointer(absl::string_view member) const {
    ASSIGN_OR_RETURN(const absl::string_view text, Text(member));
    absl::StatusOr<PointerTokens> tokens = ParsePointer(text);
    if (!tokens.ok()) return Blame(member, tokens.status());
    return tokens;
  }
  absl::StatusOr<const Value*> Argument() const {
    if (const Value* value = operation_.Find("value")) return value;
    return Fail(Reason::kInvalidArgument, "value", "the operation needs a value");
  }

 private:
  const Value& operation_;
  const size_t index_;
};

absl::Status Test(const Operation& operation, const PointerTokens& path, const Value& wanted,
                  const JournaledEditor& editor) {
  const absl::StatusOr<const Value*> found = editor.Read(path);
  if (!found.ok()) return operation.Blame("path", found.status());
  if (**found == wanted) return absl::OkStatus();
  return operation.Fail(Reason::kPreconditionFailed, "value",
                        "the document holds another value than the one tested for");
}

absl::Status TransferFrom(const Operation& operation, bool move, PointerTokens path,
                          JournaledEditor& editor) {
  ASSIGN_OR_RETURN(PointerTokens from, operation.Pointer("from"));
  RETURN_IF_ERROR(operation.Blame("from", editor.Read(from).status()));
  return operation.Blame("path", move ? editor.Move(std::move(from), std::move(path))
                                      : editor.Copy(from, std::move(path)));
}

absl::Status Apply(const Operation& operation, JournaledEditor& editor) {
  ASSIGN_OR_RETURN(const absl::string_view name, operation.Text("op"));
  const bool takes_value = name == "add" || name == "replace" || name == "test";
  if (!takes_value && name != "remove" && name != "move" && name != "copy") {
    return operation.Fail(Reason::kInvalidArgument, "op", "unknown operation");
  }
  ASSIGN_OR_RETURN(PointerTokens path, operation.Pointer("path"));
  if (name == "remove") return operation.Blame("path", editor.Remove(std::move(path)));
  if (!takes_value) return TransferFrom(operation, name == "move", std::move(path), editor);
  ASSIGN_OR_RETURN(const Value* value, operation.Argument());
  if (name == "test") return Test(operation, path, *value, editor);
  return operation.Blame("path", name == "add" ? editor.Add(std::move(path), *value)
                                               : editor.Replace(std::move(path), *value));
}

}  // namespace

absl::Status ApplyPatch(Value& target, const Value& patch, const PatchLimits& limits) {
  if (!patch.is_array()) {
    return MakeErrorAt(Reason::kInvalidArgument, "", "a JSON Patch is an array of operations");
  }
  const Array& operations = patch.array();
  if (operations.size() > limits.operations_max) {
    return MakeErrorAt(
        Reason::kTooLarge, "",
        absl::StrCat("more than ", limits.operations_max, " operations in one patch"));
  }
  JournaledEditor editor(target, limits);
  for (size_t i = 0; i < operations.size(); ++i) {
    absl::Status applied = Apply(Operation(operations[i], i), editor);
    if (applied.ok()) continue;
    editor.RollBack();
    return applied;
  }
  return absl::OkStatus();
}

}  // namespace bdcsync::json
