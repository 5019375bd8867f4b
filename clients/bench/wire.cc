#include "clients/bench/wire.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/ids.h"

namespace bdcsync::bench {
namespace {

std::optional<uint64_t> NumberAt(absl::string_view text, std::size_t at) {
  std::optional<uint64_t> number;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number.value_or(0) * 10 + static_cast<uint64_t>(text[at] - '0');
  }
  return number;
}

// A UUID of version 4 in form, unique by its two halves.
std::string OperationId(uint64_t run, uint64_t number) {
  const std::string high = Hex64(run);
  const std::string low = Hex64(number);
  return absl::StrCat(high.substr(0, 8), "-", high.substr(8, 4), "-4", high.substr(13, 3), "-8",
                      low.substr(1, 3), "-", low.substr(4, 12));
}

std::string SyncRequest(uint64_t run, uint64_t number, const Written& entity,
                        absl::string_view operation) {
  return absl::StrCat(R"({"type":"sync_request","id":)", number, R"(,"op_id":")",
                      OperationId(run, number), R"(","space":")", entity.space,
                      R"(","entity_type":"doc","entity_id":")", entity.id, R"(","operation":)",
                      operation, "}");
}

std::string ShareDbOp(uint64_t sequence, const Written& entity, absl::string_view version) {
  return absl::StrCat(R"({"a":"op","c":")", entity.space, R"(","d":")", entity.id, R"(","seq":)",
                      sequence, R"(,"x":{},"v":)", version, "}");
}

}  // namespace

std::string AuthenticateMessage(absl::string_view token, absl::string_view device_id) {
  return absl::StrCat(R"({"type":"authenticate","id":0,"token":")", token, R"(","device_id":")",
                      device_id, R"("})");
}

std::string SubscribeMessage(absl::string_view space, absl::string_view cursor) {
  const std::string from = cursor.empty() ? "" : absl::StrCat(R"("cursor":")", cursor, R"(",)");
  return absl::StrCat(R"({"type":"subscribe","id":1,"mode":"changes","payload":"data",)", from,
                      R"("space":")", space, R"("})");
}

std::string CreateMessage(uint64_t run, uint64_t number, const Written& entity,
                          absl::string_view data) {
  return SyncRequest(run, number, entity, absl::StrCat(R"("create","data":)", data));
}

std::string PatchMessage(uint64_t run, uint64_t number, const Written& entity, uint64_t stamp) {
  return SyncRequest(run, number, entity,
                     absl::StrCat(R"("patch","base_version":")", entity.version_id,
                                  R"(","patch":{"stamp":)", stamp, "}"));
}

std::string ShareDbCreateMessage(uint64_t sequence, const Written& entity, absl::string_view data) {
  return ShareDbOp(
      sequence, entity,
      absl::StrCat(R"(null,"create":{"type":"http://sharejs.org/types/JSONv0","data":)", data,
                   "}"));
}

std::string ShareDbPatchMessage(uint64_t sequence, const Written& entity, uint64_t stamp) {
  return ShareDbOp(sequence, entity,
                   absl::StrCat(entity.versions, R"(,"op":[{"p":["stamp"],"od":)", entity.stamp,
                                R"(,"oi":)", stamp, "}]"));
}

std::string Payload(int bytes, uint64_t stamp) {
  std::string text = absl::StrCat(R"({"stamp":)", stamp, R"(,"text":")");
  const std::size_t padding = text.size() + 2 < static_cast<std::size_t>(bytes)
                                  ? static_cast<std::size_t>(bytes) - text.size() - 2
                                  : 0;
  text.append(padding, 'x');
  text.append("\"}");
  return text;
}

absl::string_view TextAfterLast(absl::string_view text, absl::string_view key) {
  const std::size_t at = text.rfind(key);
  if (at == absl::string_view::npos) return "";
  const absl::string_view rest = text.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

std::optional<uint64_t> NumberAfter(absl::string_view text, absl::string_view key) {
  const void* found = memmem(text.data(), text.size(), key.data(), key.size());
  if (found == nullptr) return std::nullopt;
  const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  return NumberAt(text, at + key.size());
}

std::optional<uint64_t> NumberAfterLast(absl::string_view text, absl::string_view key) {
  const std::size_t at = text.rfind(key);
  if (at == absl::string_view::npos) return std::nullopt;
  return NumberAt(text, at + key.size());
}

}  // namespace bdcsync::bench
