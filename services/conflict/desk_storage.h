// The port to where conflicts are kept. What is written is durable when a call returns. Calls
// block. Thread-safe. Every failure is a status of the kind that the caller answers with:
//   UNAVAILABLE  the store gave no answer: ask again.
//   ABORTED      nothing was applied: run it again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

struct ConflictQuery {
  std::string space;
  std::vector<v1::ConflictState> states;  // Each once.
  std::string entity_type;                // Empty: all.
  std::string entity_id;                  // Empty: all; needs entity_type.
  std::string assigned_to;                // Empty: all.
  // Only what stands after this place in the list.
  int64_t before_ms = 0;
  std::string before_id;
  int limit = 0;
};

// A conflict's place in a list, without what makes it large.
struct ConflictPlace {
  std::string conflict_id;
  int64_t opened_ms = 0;
  size_t bytes = 0;  // Of the conflict, about.
};

struct StoredConflict {
  v1::Conflict conflict;
  std::string choices;  // As KeepChoices was given them.
};

// What a worker has to look at.
struct DueQuery {
  int64_t now_ms = 0;              // Deadlines up to here have passed.
  int64_t opening_before_ms = 0;   // Opening since then or before: uncertain.
  int64_t verified_before_ms = 0;  // Open, and compared with the log then or before: uncertain.
  int limit = 0;
};
struct DuePlace {
  std::string conflict_id;
  v1::DueReason reason = v1::DUE_REASON_UNSPECIFIED;
  int64_t overdue_ms = 0;
  size_t bytes = 0;
};
struct DuePlaces {
  std::vector<DuePlace> due;  // The most overdue first, each conflict once.
  int64_t next_deadline_ms = 0;
};

// What the log says, each conflict once.
struct FactBatch {
  std::vector<std::string> forgotten;       // Not in the log: dropped if they are opening.
  std::vector<v1::Conflict> held;           // OPEN, or one of the closed states.
  std::vector<v1::Resolution> resolutions;  // Of closings.
  int64_t now_ms = 0;
};

// Conflicts that are not closed, of one state.
struct OpenCount {
  int64_t conflicts = 0;
  int64_t oldest_opened_ms = 0;  // 0: there is none.
};
// OPENING, OPEN, ASSIGNED.
using OpenCounts = std::array<OpenCount, 3>;

class DeskStorage {
 public:
  virtual ~DeskStorage() = default;

  // Newest first: by time of opening, then by id.
  virtual absl::StatusOr<std::vector<ConflictPlace>> List(const ConflictQuery& query) = 0;
  // Those that exist, in no order.
  virtual absl::StatusOr<std::vector<StoredConflict>> Get(
      absl::Span<const std::string> conflict_ids) = 0;
  // All of a batch or nothing. What is closed stays as it was closed first; who a conflict is
  // assigned to stays, choices stay until it is closed.
  virtual absl::Status Record(const FactBatch& facts) = 0;
  virtual absl::StatusOr<DuePlaces> ListDue(const DueQuery& query) = 0;
  // False when it is closed, or there is none.
  virtual absl::StatusOr<bool> Assign(const std::string& conflict_id,
                                      const std::string& user_id) = 0;
  // Replaces the choices `were`; false when they were others, it is closed, or there is none.
  virtual absl::StatusOr<bool> KeepChoices(const std::string& conflict_id, const std::string& were,
                                           const std::string& choices) = 0;
  virtual absl::StatusOr<OpenCounts> CountOpen() = 0;
  // Deletes records, and conflicts that were closed, from before; of each at most `limit`, the
  // oldest. How many it deleted.
  virtual absl::StatusOr<int64_t> DeleteBefore(int64_t before_ms, int limit) = 0;
};

}  // namespace bdcsync::conflict
