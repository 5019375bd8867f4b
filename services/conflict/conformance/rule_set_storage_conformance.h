// What every RuleSetStorage promises, as one suite. A backend adds one line:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, RuleSetStorageConformance, testing::Values(...));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "services/conflict/rule_set_storage.h"

namespace bdcsync::conflict {

// One place where rule sets are kept, for one test. Open may be called several times.
class RuleSetStorageHome {
 public:
  virtual ~RuleSetStorageHome() = default;
  virtual std::unique_ptr<RuleSetStorage> Open() = 0;
  // Whether what was kept survives the storage object, and is seen by others.
  virtual bool durable() const { return true; }
};

// `make` gives nothing when its server is not there; the test is skipped, or fails where required.
struct RuleSetStorageKind {
  std::string name;
  std::function<std::unique_ptr<RuleSetStorageHome>()> make;
};

class RuleSetStorageConformance : public ::testing::TestWithParam<RuleSetStorageKind> {
 protected:
  void SetUp() override;
  RuleSetStorage& storage() { return *storage_; }
  RuleSetStorageHome& home() { return *home_; }
  // Closes the storage and opens it again; a storage in memory is left as it is.
  void Reopen();

 private:
  std::unique_ptr<RuleSetStorageHome> home_;
  std::unique_ptr<RuleSetStorage> storage_;
};

}  // namespace bdcsync::conflict
