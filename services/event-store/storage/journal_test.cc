#include "services/event-store/storage/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kBlockBytes = 4096;
constexpr int64_t kHeaderBytes = 40;
constexpr int64_t kGrowthBytes = 1 << 20;
constexpr int kTurns = 300;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    journal_.reset();
    ASSERT_OK_AND_ASSIGN(journal_, Journal::Open(path_, random_));
  }
  std::vector<std::string> Records() {
    std::vector<std::string> records;
    EXPECT_OK(journal_->Replay([&](absl::string_view record) {
      records.emplace_back(record);
      return absl::OkStatus();
    }));
    return records;
  }
  // Changes one byte of the file, as a crash in the midst of a write might.
  void Damage(int64_t offset) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }

  testing::TempDir dir_;
  const std::string path_ = dir_.File("journal");
  SeededRandom random_{1};
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, ANewJournalHoldsNothing) { EXPECT_THAT(Records(), IsEmpty()); }

TEST_F(JournalTest, RecordsComeBackInOrderAfterReopening) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append(""));
  ASSERT_OK(journal_->Append("three"));
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one", "", "three"));
}

TEST_F(JournalTest, ARecordFollowsWhatWasReplayed) {
  ASSERT_OK(journal_->Append("one"));
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one"));
  ASSERT_OK(journal_->Append("two"));
  EXPECT_THAT(Records(), ElementsAre("one", "two"));
}

TEST_F(JournalTest, RecordsAtTheEdgesOfBlocksComeBackWhole) {
  std::vector<std::string> records;
  for (const int64_t bytes :
       {kBlockBytes - kHeaderBytes - 1, kBlockBytes - kHeaderBytes, kBlockBytes - kHeaderBytes + 1,
        kGrowthBytes - kHeaderBytes, kGrowthBytes, 3 * kGrowthBytes + 1}) {
    records.emplace_back(static_cast<std::size_t>(bytes), static_cast<char>('a' + records.size()));
    ASSERT_OK(journal_->Append(records.back()));
  }
  Reopen();
  EXPECT_EQ(Records(), records);
}

TEST_F(JournalTest, AfterARestartOnlyNewRecordsCountThoughOldOnesLieBehindThem) {
  ASSERT_OK(journal_->Append("old one"));
  ASSERT_OK(journal_->Append("old two"));
  journal_->Restart();
  EXPECT_EQ(journal_->records(), 0);
  EXPECT_EQ(journal_->bytes(), 0);
  ASSERT_OK(journal_->Append("new"));
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("new"));
}

TEST_F(JournalTest, ADamagedRecordAndAllAfterItCountAsNeverWritten) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append(std::string(2 * kBlockBytes, 'x')));
  ASSERT_OK(journal_->Append("three"));
  Damage(3 * kBlockBytes);  // The end of the second.
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one"));
}

TEST_F(JournalTest, ADamagedHeaderEndsTheRecords) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append("two"));
  for (const int64_t byte : {0, 8, 16, 24, 31, 32}) {
    Damage(kBlockBytes + byte);
    Reopen();
    EXPECT_THAT(Records(), ElementsAre("one")) << byte;
    Damage(kBlockBytes + byte);
  }
}

TEST_F(JournalTest, AFileThatWasCutShortEndsWithItsLastWholeRecord) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append(std::string(2 * kBlockBytes, 'x')));
  std::filesystem::resize_file(path_, 2 * kBlockBytes + 1);
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one"));
}

TEST_F(JournalTest, AnErrorOfTheReaderIsTheAnswerOfReplay) {
  ASSERT_OK(journal_->Append("one"));
  EXPECT_THAT(journal_->Replay([](absl::string_view) { return absl::DataLossError("no"); }),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(JournalTest, ARecordThatWasAppendedAndIsDamagedIsAnErrorUntilTheFileIsOpenedAgain) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append("two"));
  Damage(kBlockBytes + kHeaderBytes);
  const auto ignore = [](absl::string_view) { return absl::OkStatus(); };
  EXPECT_THAT(journal_->Replay(ignore), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(journal_->Replay(ignore), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(journal_->records(), 2);
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one"));
}

TEST_F(JournalTest, ASecondOpenIsRefused) {
  EXPECT_THAT(Journal::Open(path_, random_), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A process starts while another ends: it may have the file open that the other then removes.
TEST_F(JournalTest, WhoHasTheLockHasTheFileThatOthersFind) {
  journal_.reset();
  const auto take_turns = [this](uint64_t seed) {
    SeededRandom random(seed);
    for (int turns = 0; turns < kTurns;) {
      const auto journal = Journal::Open(path_, random);
      if (journal.status().code() == absl::StatusCode::kFailedPrecondition) continue;
      ASSERT_OK(journal);
      ++turns;
      ASSERT_TRUE(std::filesystem::exists(path_)) << turns;
      ASSERT_OK((*journal)->Remove());
    }
  };
  std::thread other(take_turns, 2);
  take_turns(3);
  other.join();
}

TEST_F(JournalTest, AfterARestartAReplayFindsNothingUntilTheFileIsOpenedAgain) {
  ASSERT_OK(journal_->Append("one"));
  journal_->Restart();
  EXPECT_THAT(Records(), IsEmpty());
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("one"));
}

TEST_F(JournalTest, AReplayThatFailedLeavesOldRecordsBehindNewOnesDead) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append("two"));
  Reopen();
  int seen = 0;
  EXPECT_THAT(journal_->Replay([&](absl::string_view) {
    return ++seen == 2 ? absl::UnavailableError("no") : absl::OkStatus();
  }),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(journal_->Append("new"));
  Reopen();
  EXPECT_THAT(Records(), ElementsAre("new"));
}

TEST_F(JournalTest, TheFileIsWrittenInPlaceAndDoesNotGrow) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_OK(journal_->Append("record"));
    if (i % 100 == 99) journal_->Restart();
  }
  EXPECT_EQ(std::filesystem::file_size(path_), kGrowthBytes);
}

TEST_F(JournalTest, ARemovedJournalLeavesNoFile) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Remove());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace bdcsync::event_store
