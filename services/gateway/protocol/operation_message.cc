#include "services/gateway/protocol/operation_message.h"

#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/entity/key.h"
#include "libs/json/serialize.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/protocol/field_reader.h"

namespace bdcsync::gateway {
namespace {

using common::v1::Operation;

common::v1::OperationKind ReadKind(FieldReader& in) {
  if (!in.Has("operation")) in.Fail("operation", "operation is required");
  return static_cast<common::v1::OperationKind>(
      in.Choice("operation",
                {{"create", common::v1::OPERATION_KIND_CREATE},
                 {"update", common::v1::OPERATION_KIND_UPDATE},
                 {"patch", common::v1::OPERATION_KIND_PATCH},
                 {"delete", common::v1::OPERATION_KIND_DELETE},
                 {"text", common::v1::OPERATION_KIND_TEXT}},
                common::v1::OPERATION_KIND_UNSPECIFIED));
}

common::v1::Priority ReadPriority(FieldReader& in) {
  return static_cast<common::v1::Priority>(in.Choice("priority",
                                                     {{"low", common::v1::PRIORITY_LOW},
                                                      {"normal", common::v1::PRIORITY_NORMAL},
                                                      {"high", common::v1::PRIORITY_HIGH},
                                                      {"critical", common::v1::PRIORITY_CRITICAL}},
                                                     common::v1::PRIORITY_NORMAL));
}

// Reads the one field that says what changes.
void ReadChange(FieldReader& in, Operation& operation) {
  switch (operation.kind()) {
    case common::v1::OPERATION_KIND_CREATE:
    case common::v1::OPERATION_KIND_UPDATE:
      if (const json::Value* data = in.RequiredValue("data")) {
        json::AppendTo(*data, *operation.mutable_data());
      }
      return;
    case common::v1::OPERATION_KIND_PATCH: {
      const json::Value* patch = in.RequiredValue("patch");
      if (patch == nullptr) return;
      if (!patch->is_object() && !patch->is_array()) {
        in.Fail("patch", "patch must be an object (RFC 7396) or an array (RFC 6902)");
        return;
      }
      json::AppendTo(*patch, *operation.mutable_patch());
      return;
    }
    case common::v1::OPERATION_KIND_TEXT:
      if (const json::Value* text = in.RequiredValue("text")) {
        if (!text->is_object()) in.Fail("text", "text must be an object {path, ops}");
        json::AppendTo(*text, *operation.mutable_text());
      }
      return;
    default:
      return;
  }
}

// 0 says that no time is given; a clock that was never set says it without meaning it.
int64_t ClientTimeMs(FieldReader& in) {
  const int64_t time_ms = in.TimeMs("client_time");
  return time_ms == 0 ? 1 : time_ms;
}

void ReadMetadata(FieldReader& in, Operation& operation) {
  const json::Value* metadata = in.Object("metadata");
  if (metadata == nullptr) return;
  json::AppendTo(*metadata, *operation.mutable_metadata());
  if (operation.metadata().size() > kMetadataBytesMax)
    in.FailTooLarge("metadata", kMetadataBytesMax);
}

}  // namespace

std::string ReadSpace(FieldReader& in) {
  std::string space = in.Text("space", entity::kSpaceBytesMax);
  if (in.ok() && in.Has("space")) in.Check(entity::ValidateSpace(space));
  return space;
}

void ReadEntityKey(FieldReader& in, common::v1::EntityKey& key) {
  key.set_space(ReadSpace(in));
  key.set_entity_type(in.Text("entity_type", entity::kTypeBytesMax));
  if (in.ok()) in.Check(entity::ValidateType(key.entity_type()));
  key.set_entity_id(in.Text("entity_id", entity::kIdBytesMax));
  if (in.ok()) in.Check(entity::ValidateId(key.entity_id()));
  key.set_branch(in.Text("branch", entity::kBranchBytesMax));
  if (in.ok() && in.Has("branch")) in.Check(entity::ValidateBranch(key.branch()));
}

absl::Status ReadOperation(const json::Value& object, const std::string& path,
                           Operation& operation) {
  // Read whatever else is wrong: an operation that is refused holds up later ones on its entity.
  FieldReader in(object, path);
  ReadEntityKey(in, *operation.mutable_entity());
  FieldReader own(object, path);
  operation.set_op_id(own.Text("op_id", kOpIdBytesMax));
  in.Take(own.status());
  operation.set_kind(ReadKind(in));
  if (in.ok()) ReadChange(in, operation);
  operation.set_base_version(in.Text("base_version", kVersionIdBytesMax));
  if (in.Has("client_time")) operation.set_client_time_ms(ClientTimeMs(in));
  operation.set_priority(ReadPriority(in));
  operation.set_category(in.Text("category", kCategoryBytesMax));
  operation.set_message(in.Text("message", kNoteBytesMax));
  ReadMetadata(in, operation);
  return in.status();
}

uint64_t RequestHash(const Operation& operation) {
  const common::v1::EntityKey& key = operation.entity();
  uint64_t hash = static_cast<uint64_t>(operation.kind());
  // Each part is hashed with its length in front, so that no two lists of parts run together.
  for (const std::string* part :
       {&key.space(), &key.entity_type(), &key.entity_id(), &key.branch(), &operation.data(),
        &operation.patch(), &operation.text(), &operation.base_version(), &operation.category(),
        &operation.message(), &operation.metadata()}) {
    hash = StableHash64OfText(*part, hash + part->size() + 1);
  }
  return StableHash64(absl::StrCat(operation.client_time_ms()), hash);
}

}  // namespace bdcsync::gateway
