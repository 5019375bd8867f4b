// Builds the messages that the loads send and picks out what they need of the answers, without
// parsing them: the generator shares the machine with what it measures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::bench {

std::string AuthenticateMessage(absl::string_view token, absl::string_view device_id);
// From `cursor` on; empty: with the state first.
std::string SubscribeMessage(absl::string_view space, absl::string_view cursor = "");

// An entity that a load writes, and what its next operation says of the version that it changes.
struct Written {
  std::string space;
  std::string id;
  uint64_t stamp = 0;      // What its document carries; 0: it is not created yet.
  std::string version_id;  // Its last version as we name it,
  uint64_t versions = 0;   // and as ShareDB does.
};

// `number` is the request id and makes the op_id unique within `run`.
std::string CreateMessage(uint64_t run, uint64_t number, const Written& entity,
                          absl::string_view data);
std::string PatchMessage(uint64_t run, uint64_t number, const Written& entity, uint64_t stamp);
// The same to a ShareDB server, as json0; `sequence` is the connection's.
std::string ShareDbCreateMessage(uint64_t sequence, const Written& entity, absl::string_view data);
std::string ShareDbPatchMessage(uint64_t sequence, const Written& entity, uint64_t stamp);

// A JSON object of about `bytes` bytes that carries `stamp`.
std::string Payload(int bytes, uint64_t stamp);

// What stands between the last `key`, which ends with a quote, and the next quote; empty without.
absl::string_view TextAfterLast(absl::string_view text, absl::string_view key);
// The unsigned number right after the first `key` in `text`; `key` includes quotes and colon.
std::optional<uint64_t> NumberAfter(absl::string_view text, absl::string_view key);
// The same after the last `key`.
std::optional<uint64_t> NumberAfterLast(absl::string_view text, absl::string_view key);

}  // namespace bdcsync::bench
