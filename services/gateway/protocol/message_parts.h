// What messages of the server are built of. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"
#include "services/gateway/protocol/json_writer.h"

namespace bdcsync::gateway {

// Room for most messages, so that they are built without growing.
inline constexpr size_t kUsualMessageBytes = 512;

// {"type": …, "id": …, "success": …, and what `fields(writer)` adds.
template <typename Fields>
std::string Answer(absl::string_view type, absl::string_view id, bool success, Fields fields) {
  std::string out;
  out.reserve(kUsualMessageBytes);
  JsonWriter writer(out);
  writer.Text("type", type);
  if (!id.empty()) writer.Raw("id", id);
  writer.Bool("success", success);
  fields(writer);
  writer.End();
  return out;
}

// {"type": …, and what `fields(writer)` adds.
template <typename Fields>
std::string Push(absl::string_view type, Fields fields) {
  std::string out;
  out.reserve(kUsualMessageBytes);
  JsonWriter writer(out);
  writer.Text("type", type);
  fields(writer);
  writer.End();
  return out;
}

// The member `error`.
void WriteError(JsonWriter& writer, const common::v1::Error& error);
// The members space, entity_type, entity_id and branch.
void WriteKey(JsonWriter& writer, const common::v1::EntityKey& key);

}  // namespace bdcsync::gateway
