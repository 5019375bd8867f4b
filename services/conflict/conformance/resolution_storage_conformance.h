// What every ResolutionStorage promises, as one suite. A backend adds one line:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, ResolutionStorageConformance, testing::Values(...));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

// One place where records are kept, for one test. Open may be called again after the storage that
// it returned was destroyed, and then finds what was kept.
class ResolutionStorageHome {
 public:
  virtual ~ResolutionStorageHome() = default;
  virtual std::unique_ptr<ResolutionStorage> Open() = 0;
  // Whether what was kept survives the storage object.
  virtual bool durable() const { return true; }
};

// `make` gives nothing when its server is not there; the test is skipped, or fails where required.
struct ResolutionStorageKind {
  std::string name;
  std::function<std::unique_ptr<ResolutionStorageHome>()> make;
};

class ResolutionStorageConformance : public ::testing::TestWithParam<ResolutionStorageKind> {
 protected:
  void SetUp() override;
  ResolutionStorage& storage() { return *storage_; }
  // Closes the storage and opens it again; a storage in memory is left as it is.
  void Reopen();

 private:
  std::unique_ptr<ResolutionStorageHome> home_;
  std::unique_ptr<ResolutionStorage> storage_;
};

}  // namespace bdcsync::conflict
