#include "services/gateway/protocol/message_parts.h"

#include "absl/strings/str_cat.h"
#include "libs/entity/key.h"

namespace bdcsync::gateway {
namespace {

void AppendError(const common::v1::Error& error, std::string& out) {
  JsonWriter writer(out);
  writer.Text("code", error.code());
  writer.Text("message", error.message());
  writer.Bool("retryable", error.retryable());
  if (error.retry_after_ms() > 0) writer.Int("retry_after_ms", error.retry_after_ms());
  // A pointer into the message; checks behind the parser name the field alone.
  if (!error.path().empty()) {
    writer.Text("path", absl::StrCat(error.path().front() == '/' ? "" : "/", error.path()));
  }
  writer.End();
}

}  // namespace

void WriteError(JsonWriter& writer, const common::v1::Error& error) {
  writer.Value("error", [&](std::string& out) { AppendError(error, out); });
}

void WriteKey(JsonWriter& writer, const common::v1::EntityKey& key) {
  writer.Text("space", key.space());
  writer.Text("entity_type", key.entity_type());
  writer.Text("entity_id", key.entity_id());
  writer.Text("branch",
              key.branch().empty() ? entity::kMainBranch : absl::string_view(key.branch()));
}

}  // namespace bdcsync::gateway
