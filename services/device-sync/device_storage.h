// The port between the registry and what keeps it: SQLite or PostgreSQL. Synchronous; call it from
// threads that may wait. Thread-safe. A device is known by its user and its id: users may choose
// the same ids. Values are valid by the registry's rules. Every method may also fail with
// UNAVAILABLE (no answer from the database: try again; every write here can be repeated) and
// INTERNAL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"

namespace bdcsync::device_sync {

// A device as stored. `device.online` is not: it follows from the rest and the time; nor are
// `device.purges`, which GetPurges reads.
struct DeviceRecord {
  v1::Device device;
  bool signed_off = false;    // Its last sign of life said that its session ended.
  int64_t registrations = 0;  // How often it was put.
};

// Registrations of one device that are stored together.
struct DevicePut {
  v1::Device device;         // As it described itself last.
  bool state_given = false;  // `device.state` replaces the stored one; else only a new one has it.
  int64_t times = 1;         // How many registrations these are.
};

// Signs of life that were noted, and those devices of them that are revoked.
struct Noted {
  int64_t count = 0;
  std::vector<v1::DeviceName> revoked;
};

// A receipt as stored.
struct StoredPurge {
  std::string device_id;
  v1::PurgeReceipt receipt;
};

// A sign of life of one device.
struct SignOfLife {
  std::string user_id;
  std::string device_id;
  std::optional<v1::DeviceState> state;  // Unset: unchanged.
  bool signed_off = false;
};

// Where a page of a user's devices begins: after the one that was seen then and has this id.
struct ListPosition {
  int64_t last_seen_ms = 0;
  std::string device_id;
};

class DeviceStorage {
 public:
  virtual ~DeviceStorage() = default;

  // OK when the database answers.
  virtual absl::Status Ping() = 0;

  // Makes the devices or replaces their descriptions, seen at `now_ms` and signed on, in one
  // transaction; at most one put per device, in order of user and device. Counts the
  // registrations. A revoked device is returned as it is, unchanged. Answers in the order of
  // `puts`; a refused one changes nothing and holds up no other:
  //   kQuotaExceeded  it would be one more than `devices_max` of this user.
  virtual absl::StatusOr<std::vector<absl::StatusOr<DeviceRecord>>> Put(
      absl::Span<const DevicePut> puts, int64_t now_ms, int64_t devices_max) = 0;
  // Nothing when the user has no device of this id.
  virtual absl::StatusOr<std::optional<DeviceRecord>> Get(absl::string_view user_id,
                                                          absl::string_view device_id) = 0;
  // Up to `limit` devices of the user, latest seen first, then by id.
  virtual absl::StatusOr<std::vector<DeviceRecord>> List(absl::string_view user_id,
                                                         const std::optional<ListPosition>& after,
                                                         int limit) = 0;
  // Forgets the device, its positions and its receipts; OK when there is none.
  virtual absl::Status Remove(absl::string_view user_id, absl::string_view device_id) = 0;

  // Revokes the device at `now_ms` and signs it off; one that is revoked keeps its time. Nothing
  // when the user has no device of this id.
  virtual absl::StatusOr<std::optional<DeviceRecord>> Revoke(absl::string_view user_id,
                                                             absl::string_view device_id,
                                                             int64_t now_ms) = 0;
  // Stores receipts at `now_ms`, at most one per device and space, in order of these, and forgets
  // the positions of what was purged (an empty space: all). Those of devices that the user does not
  // have are skipped, and so are new ones of a device that has `receipts_max`.
  virtual absl::Status PutPurges(absl::Span<const v1::PurgeItem> purges, int64_t now_ms,
                                 int64_t receipts_max) = 0;
  // The receipts of these devices of the user, in order of device and space.
  virtual absl::StatusOr<std::vector<StoredPurge>> GetPurges(
      absl::string_view user_id, absl::Span<const std::string> device_ids) = 0;

  // Notes signs of life at `now_ms`, at most one per device, in order of user and device; one that
  // the user does not have is skipped. Times never go back.
  virtual absl::StatusOr<Noted> Note(absl::Span<const SignOfLife> signs, int64_t now_ms) = 0;
  // Stores positions, at most one per device and space, in order of these; those of devices that
  // the user does not have are skipped. Within an epoch a position only moves forward.
  virtual absl::Status PutCursors(absl::Span<const v1::CursorAck> cursors) = 0;
  // The spaces in which each of these devices has a position, in the order of `devices`: the first
  // `spaces_max` of each, in order.
  virtual absl::StatusOr<std::vector<std::vector<std::string>>> GetSpaces(
      absl::Span<const v1::DeviceName> devices, int spaces_max) = 0;
  // In order of space. Empty for a device that the user does not have.
  virtual absl::StatusOr<std::vector<v1::CursorAck>> GetCursors(absl::string_view user_id,
                                                                absl::string_view device_id) = 0;
};

}  // namespace bdcsync::device_sync
