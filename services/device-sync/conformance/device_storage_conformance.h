// What every DeviceStorage promises, as one suite. A backend adds one line:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, DeviceStorageConformance, testing::Values(...));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/device-sync/device_storage.h"

namespace bdcsync::device_sync {

// One place where devices are kept, for one test. Open may be called again after the storage that
// it returned was destroyed, and then finds what was kept.
class DeviceStorageHome {
 public:
  virtual ~DeviceStorageHome() = default;
  virtual std::unique_ptr<DeviceStorage> Open() = 0;
  // Whether what was kept survives the storage object.
  virtual bool durable() const { return true; }
};

// `make` gives nothing when its server is not there; the test is skipped, or fails where required.
struct DeviceStorageKind {
  std::string name;
  std::function<std::unique_ptr<DeviceStorageHome>()> make;
};

class DeviceStorageConformance : public ::testing::TestWithParam<DeviceStorageKind> {
 protected:
  void SetUp() override;
  DeviceStorage& storage() { return *storage_; }
  // Closes the storage and opens it again; a storage in memory is left as it is.
  void Reopen();
  // Puts one device.
  absl::StatusOr<DeviceRecord> Put(const v1::Device& device, bool state_given, int64_t now_ms,
                                   int64_t devices_max);
  // "device:space:time" of each receipt.
  std::vector<std::string> Receipts(const std::string& user,
                                    const std::vector<std::string>& device_ids);

 private:
  std::unique_ptr<DeviceStorageHome> home_;
  std::unique_ptr<DeviceStorage> storage_;
};

}  // namespace bdcsync::device_sync
