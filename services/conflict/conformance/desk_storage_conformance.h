// What every DeskStorage promises, together with the records that are kept beside it, as one suite.
// A backend adds one line:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, DeskStorageConformance, testing::Values(...));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/conflict/analysis_storage.h"
#include "services/conflict/desk_storage.h"
#include "services/conflict/resolution_storage.h"

namespace bdcsync::conflict {

// One place where conflicts and records are kept, for one test.
class DeskStorageHome {
 public:
  virtual ~DeskStorageHome() = default;
  virtual std::unique_ptr<DeskStorage> OpenDesk() = 0;
  virtual std::unique_ptr<ResolutionStorage> OpenRecords() = 0;
  virtual std::unique_ptr<AnalysisStorage> OpenAnalysis() = 0;
};

// `make` gives nothing when its server is not there; the test is skipped, or fails where required.
struct DeskStorageKind {
  std::string name;
  std::function<std::unique_ptr<DeskStorageHome>()> make;
};

class DeskStorageConformance : public ::testing::TestWithParam<DeskStorageKind> {
 protected:
  void SetUp() override;
  void Reopen();
  DeskStorage& desk() { return *desk_; }
  ResolutionStorage& records() { return *records_; }
  AnalysisStorage& analysis() { return *analysis_; }

  void Hold(const v1::Conflict& conflict, int64_t now_ms = 1000);
  void Forget(const std::string& id);
  // The conflict as it is kept; empty when there is none.
  StoredConflict Get(const std::string& id);
  // The ids of a list, by their first letters.
  std::string Ids(const ConflictQuery& query);

 private:
  std::unique_ptr<DeskStorageHome> home_;
  std::unique_ptr<DeskStorage> desk_;
  std::unique_ptr<ResolutionStorage> records_;
  std::unique_ptr<AnalysisStorage> analysis_;
};

// Counting; a backend instantiates it beside DeskStorageConformance.
class AnalysisConformance : public DeskStorageConformance {
 protected:
  // Records and conflicts of every kind.
  void Fill();
  // The groups, a line each.
  std::string By(v1::AnalyzeDimension by, AnalysisQuery query = Query());
  static AnalysisQuery Query();
};

}  // namespace bdcsync::conflict
