#include "services/gateway/protocol/proto_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bdcsync/websocket/v1/client_message.pb.h"
#include "bdcsync/websocket/v1/server_message.pb.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "services/gateway/protocol/json_writer.h"

namespace bdcsync::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kMessageOneof[] = "message";
constexpr absl::string_view kType = "type";

// To JSON.

absl::Status CheckJson(const FieldDescriptor& field, const std::string& text) {
  json::ParseLimits limits;
  limits.depth_max = json::kDepthCeiling;  // The message's own limit is checked with the whole.
  const auto value = json::Parse(text, limits);
  // So deep that the parser of the message stops there too, whatever follows.
  if (value.ok() || ReasonOf(value.status()) == Reason::kTooDeep) return absl::OkStatus();
  return MakeErrorAt(Reason::kBadMessage, absl::StrCat("/", field.name()),
                     absl::StrCat(field.name(), " must be JSON text"));
}

absl::Status WriteFields(const Message& message, JsonWriter& writer);

absl::Status WriteRepeated(const Message& message, const FieldDescriptor& field,
                           JsonWriter& writer) {
  const Reflection& reflection = *message.GetReflection();
  absl::Status status;
  std::vector<int> places(static_cast<size_t>(reflection.FieldSize(message, &field)));
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int>(i);
  writer.Array(field.name(), places, [&](int place, std::string& out) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      json::AppendQuoted(reflection.GetRepeatedString(message, &field, place), out);
      return;
    }
    JsonWriter element(out);
    status.Update(WriteFields(reflection.GetRepeatedMessage(message, &field, place), element));
    element.End();
  });
  return status;
}

absl::Status WriteField(const Message& message, const FieldDescriptor& field, JsonWriter& writer) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return WriteRepeated(message, field, writer);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(message, &field);
      if (field.type() == FieldDescriptor::TYPE_STRING) {
        writer.Text(field.name(), text);
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(CheckJson(field, text));
      writer.Raw(field.name(), text);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64:
      writer.Int(field.name(), reflection.GetInt64(message, &field));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      writer.Bool(field.name(), reflection.GetBool(message, &field));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      absl::Status status;
      writer.Value(field.name(), [&](std::string& out) {
        JsonWriter inner(out);
        status = WriteFields(reflection.GetMessage(message, &field), inner);
        inner.End();
      });
      return status;
    }
    default:
      return absl::InternalError(absl::StrCat("no JSON for the field ", field.full_name()));
  }
}

absl::Status WriteFields(const Message& message, JsonWriter& writer) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) RETURN_IF_ERROR(WriteField(message, *field, writer));
  return absl::OkStatus();
}

// From JSON.

absl::Status Misfit(const FieldDescriptor& field) {
  return absl::InternalError(absl::StrCat("the field ", field.full_name(), " does not fit"));
}

absl::Status ReadFields(const json::Object& object, Message& message);

absl::Status ReadRepeated(const json::Value& value, const FieldDescriptor& field,
                          Message& message) {
  if (!value.is_array()) return Misfit(field);
  const Reflection& reflection = *message.GetReflection();
  for (const json::Value& element : value.array()) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && element.is_object()) {
      RETURN_IF_ERROR(ReadFields(element.object(), *reflection.AddMessage(&message, &field)));
    } else if (field.type() == FieldDescriptor::TYPE_STRING && element.is_string()) {
      reflection.AddString(&message, &field, std::string(element.string()));
    } else {
      return Misfit(field);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadField(const json::Value& value, const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return ReadRepeated(value, field, message);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        reflection.SetString(&message, &field, json::Serialize(value));
      } else if (value.is_string()) {
        reflection.SetString(&message, &field, std::string(value.string()));
      } else {
        return Misfit(field);
      }
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT64: {
      ASSIGN_OR_RETURN(const int64_t number, value.AsInt64());
      reflection.SetInt64(&message, &field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      ASSIGN_OR_RETURN(const double number, value.AsDouble());
      reflection.SetDouble(&message, &field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ASSIGN_OR_RETURN(const bool boolean, value.AsBool());
      reflection.SetBool(&message, &field, boolean);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!value.is_object()) return Misfit(field);
      return ReadFields(value.object(), *reflection.MutableMessage(&message, &field));
    default:
      return Misfit(field);
  }
}

absl::Status ReadFields(const json::Object& object, Message& message) {
  const Descriptor& descriptor = *message.GetDescriptor();
  for (const auto& [name, value] : object) {
    const FieldDescriptor* field = descriptor.FindFieldByName(std::string(name));
    // What the contract does not know yet is left out, as clients would.
    if (field != nullptr) RETURN_IF_ERROR(ReadField(value, *field, message));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> JsonOfClientMessage(absl::string_view bytes) {
  websocket::v1::ClientMessage message;
  // It would write a line of its own to the log for text that is not UTF-8.
  const google::protobuf::LogSilencer quiet;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(Reason::kBadMessage, "this is not a ClientMessage");
  }
  if (message.has_json()) return std::move(*message.mutable_json());
  const FieldDescriptor* chosen = message.GetReflection()->GetOneofFieldDescriptor(
      message, message.GetDescriptor()->FindOneofByName(kMessageOneof));
  std::string out;
  JsonWriter writer(out);
  writer.Text(kType, chosen == nullptr ? "" : absl::string_view(chosen->name()));
  if (message.has_id()) writer.Text("id", message.id());
  const bool whole = chosen == nullptr ||
                     WriteFields(message.GetReflection()->GetMessage(message, chosen), writer).ok();
  // Without its end it is no JSON and is refused as such, by its id.
  if (whole) writer.End();
  return out;
}

absl::StatusOr<std::string> ServerMessageOfJson(absl::string_view json) {
  json::ParseLimits limits;
  limits.depth_max = json::kDepthCeiling;
  ASSIGN_OR_RETURN(json::Value value, json::Parse(json, limits));
  const json::Value* type = value.Find(kType);
  if (type == nullptr || !type->is_string()) return absl::InternalError("a message has a type");
  websocket::v1::ServerMessage message;
  const FieldDescriptor* chosen =
      message.GetDescriptor()->FindFieldByName(std::string(type->string()));
  if (chosen == nullptr || chosen->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    message.set_json(std::string(json));
    return message.SerializeAsString();
  }
  json::Object& object = value.object();
  object.Erase(kType);
  if (const json::Value* id = value.Find("id")) {
    // A number came in a message that was sent as JSON text.
    message.set_id(id->is_string() ? std::string(id->string()) : json::Serialize(*id));
    object.Erase("id");
  }
  if (const json::Value* success = value.Find("success")) {
    ASSIGN_OR_RETURN(const bool succeeded, success->AsBool());
    message.set_success(succeeded);
    object.Erase("success");
  }
  RETURN_IF_ERROR(ReadFields(object, *message.GetReflection()->MutableMessage(&message, chosen)));
  return message.SerializeAsString();
}

}  // namespace bdcsync::gateway
