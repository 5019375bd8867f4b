#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection_error.h"
#include "clients/cli/input.h"
#include "clients/cli/operation_id.h"
#include "clients/cli/render.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"
#include "libs/rpc/status.h"

namespace bdcsync::cli {
namespace {

using common::v1::Operation;

constexpr char kUsagePayload[] = "bdcsync.cli/usage";

// The fields that every write has.
absl::StatusOr<Operation> ReadOperation(const Call& call, common::v1::OperationKind kind) {
  const Arguments& arguments = call.arguments;
  Operation operation;
  auto key = ReadEntityKey(arguments);
  if (!key.ok()) return UsageError(key.status());
  *operation.mutable_entity() = *std::move(key);
  operation.set_kind(kind);
  operation.set_op_id(arguments.Has("op-id") ? arguments.Get("op-id")
                                             : MakeTimeOrderedUuid(call.environment.clock.Now(),
                                                                   call.environment.random));
  operation.set_base_version(arguments.Get("base"));
  operation.set_category(arguments.Get("category"));
  operation.set_message(arguments.Get("message"));
  // Part of what makes two requests the same: a repeated op_id has to come with the time of the
  // first, and its only memory is the id.
  if (const auto made = TimeOfOperationId(operation.op_id())) {
    operation.set_client_time_ms(absl::ToUnixMillis(*made));
  }
  return operation;
}

absl::StatusOr<int> Send(const Call& call, const Operation& operation) {
  v1::ProcessSyncRequest request;
  *request.mutable_operation() = operation;
  absl::StatusOr<v1::ProcessSyncResponse> response = call.client.ProcessSync(request);
  if (!response.ok()) {
    const Reason reason = ReasonOf(response.status());
    const bool no_answer = reason == Reason::kUnavailable || reason == Reason::kDeadlineExceeded;
    if (no_answer && !IsNotConnected(response.status())) {
      call.environment.err
          << "bdc-sync: nobody knows whether it was applied; the same command with "
             "--op-id "
          << operation.op_id() << " applies it once only\n";
    }
    return response.status();
  }
  const v1::OperationResult& result = response->result();
  if (result.has_error()) return rpc::FromProto(result.error());
  call.environment.out << (call.arguments.Has("json") ? json::Serialize(JsonOf(result)) + "\n"
                                                      : TextOf(result));
  return 0;
}

}  // namespace

absl::Status UsageError(const absl::Status& problem) {
  absl::Status status = absl::InvalidArgumentError(problem.message());
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

absl::Status Usage(absl::string_view problem) {
  return UsageError(absl::InvalidArgumentError(problem));
}

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kUsagePayload).has_value();
}

absl::StatusOr<int> RunPut(const Call& call) {
  const auto kind = call.arguments.Has("create") ? common::v1::OPERATION_KIND_CREATE
                                                 : common::v1::OPERATION_KIND_UPDATE;
  ASSIGN_OR_RETURN(Operation operation, ReadOperation(call, kind));
  auto data = ReadJsonOperand(call.arguments, 1, call.environment);
  if (!data.ok()) return UsageError(data.status());
  operation.set_data(*std::move(data));
  return Send(call, operation);
}

absl::StatusOr<int> RunPatch(const Call& call) {
  ASSIGN_OR_RETURN(Operation operation, ReadOperation(call, common::v1::OPERATION_KIND_PATCH));
  auto patch = ReadJsonOperand(call.arguments, 1, call.environment);
  if (!patch.ok()) return UsageError(patch.status());
  operation.set_patch(*std::move(patch));
  return Send(call, operation);
}

absl::StatusOr<int> RunText(const Call& call) {
  ASSIGN_OR_RETURN(Operation operation, ReadOperation(call, common::v1::OPERATION_KIND_TEXT));
  const auto ops = ReadJsonOperand(call.arguments, 2, call.environment);
  if (!ops.ok()) return UsageError(ops.status());
  std::string text = "{\"path\":";
  json::AppendQuoted(call.arguments.operand(1), text);
  absl::StrAppend(&text, ",\"ops\":", *ops, "}");
  operation.set_text(std::move(text));
  return Send(call, operation);
}

absl::StatusOr<int> RunDelete(const Call& call) {
  ASSIGN_OR_RETURN(const Operation operation,
                   ReadOperation(call, common::v1::OPERATION_KIND_DELETE));
  return Send(call, operation);
}

}  // namespace bdcsync::cli
