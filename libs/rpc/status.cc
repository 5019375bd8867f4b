#include "libs/rpc/status.h"

#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"
#include "libs/base/errors.h"

namespace bdcsync::rpc {
namespace {

// Messages and details travel in HTTP/2 trailers, which are limited to 8 KiB in all; gRPC writes a
// byte that is not ASCII as three.
constexpr std::size_t kMessageBytesMax = 1024;
constexpr std::size_t kPathBytesMax = 1024;

// `text` up to `bytes_max`, without half of a UTF-8 character at the end.
std::string Cut(absl::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

void CopyPayloads(const absl::Status& from, absl::Status& to) {
  from.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { to.SetPayload(url, payload); });
}

}  // namespace

void ToProto(const absl::Status& status, common::v1::Error& error) {
  const ReasonInfo& info = InfoOf(ReasonOf(status));
  error.set_code(std::string(info.name));
  error.set_message(std::string(status.message()));
  error.set_retryable(info.retryable);
  error.set_path(PathOf(status));
  const auto wait = RetryAfterOf(status);
  error.set_retry_after_ms(wait.has_value() ? absl::ToInt64Milliseconds(*wait) : 0);
}

absl::Status FromProto(const common::v1::Error& error) {
  const auto reason = ReasonFromName(error.code());
  const Reason fallback = error.retryable() ? Reason::kUnavailable : Reason::kInternal;
  absl::Status status = MakeErrorAt(reason.value_or(fallback), error.path(), error.message());
  if (error.retry_after_ms() > 0) {
    const absl::Duration wait = absl::Milliseconds(error.retry_after_ms());
    CopyPayloads(MakeRetryableError(reason.value_or(fallback), wait, error.message()), status);
  }
  return status;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  std::string message = Cut(status.message(), kMessageBytesMax);
  // A status that was made without a reason keeps its code and gets none.
  if (InfoOf(ReasonOf(status)).code != status.code()) return {code, std::move(message)};
  common::v1::Error details;
  ToProto(status, details);
  details.clear_message();  // It travels beside the details.
  details.set_path(Cut(details.path(), kPathBytesMax));
  return {code, std::move(message), details.SerializeAsString()};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status plain(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  common::v1::Error details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details())) {
    return plain;
  }
  details.set_message(status.error_message());
  absl::Status full = FromProto(details);
  return full.code() == plain.code() ? full : plain;
}

}  // namespace bdcsync::rpc
