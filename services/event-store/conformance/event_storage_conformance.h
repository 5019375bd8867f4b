// What every event storage must do, as a parametrised suite. A backend adds one line:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, EventStorageConformance, testing::Values(SqliteFile()),
//   StorageName);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/event-store/event_storage.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

// One backend for one test: keeps what must outlive a storage (a folder, a database).
class StorageBackend {
 public:
  virtual ~StorageBackend() = default;
  // Opens the same store again and again; one at a time unless it is `shared`.
  virtual absl::StatusOr<std::unique_ptr<EventStorage>> Open(
      const EventStorageOptions& options) = 0;
  // The number of logs of a new store, if the options do not say one.
  virtual uint32_t new_logs() const { return kNewStoreLogCount; }
  virtual bool durable() const { return true; }  // Keeps what was committed when it is reopened.
  virtual bool shared() const { return false; }  // Several storages may be open at once.
};

struct BackendParam {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<StorageBackend>>()> make;
  bool needs_postgres = false;
};
std::string BackendName(const ::testing::TestParamInfo<BackendParam>& info);

// The backends that there are: SQLite in memory and in a file, one and two PostgreSQL databases
// with partitions of `partition_positions`.
std::vector<BackendParam> AllBackends(int64_t partition_positions);

class EventStorageConformance : public ::testing::TestWithParam<BackendParam> {
 protected:
  static constexpr uint32_t kLogCount = 4;
  static constexpr std::size_t kCompressibleBytes = 10000;

  void SetUp() override;
  EventStorage& storage() { return *storage_; }
  StorageBackend& backend() { return *backend_; }
  // Closes the storage and opens it again, if the backend is durable.
  void Reopen();

  // A write of `count` events in log `log_id`, one space "s<log>" and one stream "a", on top of
  // what the log holds.
  LogWrite Write(uint32_t log_id, int count) { return WriteOn(Log(log_id), count); }
  // The same on top of `log`, whatever it holds.
  static LogWrite WriteOn(const LogState& log, int count);

  LogState Log(uint32_t log_id);

  SystemRandom random_;
  std::unique_ptr<StorageBackend> backend_;
  std::unique_ptr<EventStorage> storage_;
};

}  // namespace bdcsync::event_store
