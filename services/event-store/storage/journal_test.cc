#include "services/event-store/storage/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
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
  // Replays what is there and asks about the end; records whose names begin so are missing.
  absl::StatusOr<Journal::End> End(absl::string_view missing = "") {
    (void)Records();
    return journal_->CheckEnd([missing](absl::string_view record) -> absl::StatusOr<bool> {
      return absl::StartsWith(record, missing);
    });
  }
  void Overwrite(int64_t offset, const std::string& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string Bytes(int64_t offset, int64_t count) const {
    std::ifstream file(path_, std::ios::binary);
    file.seekg(offset);
    std::string bytes(static_cast<std::size_t>(count), 0);
    file.read(bytes.data(), count);
    return bytes;
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

TEST_F(JournalTest, OfAnEndWithoutDamageNothingIsDropped) {
  EXPECT_EQ(End()->torn_bytes, 0);  // Of an empty file.
  for (const char* record : {"one", "two"}) ASSERT_OK(journal_->Append(record));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const Journal::End end, End());
  EXPECT_EQ(end.path, path_);
  EXPECT_EQ(end.offset, 2 * kBlockBytes);
  EXPECT_EQ(end.torn_bytes, 0);
  journal_->Restart();
  ASSERT_OK(journal_->Append("new"));
  Reopen();
  EXPECT_EQ(End("new")->torn_bytes, 0);  // The second lies behind, and is of no use any more.
}

TEST_F(JournalTest, OfALastRecordThatACrashToreItIsToldHowMuchWasDropped) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append(std::string(2 * kBlockBytes, 'x')));
  Damage(3 * kBlockBytes);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const Journal::End end, End());
  EXPECT_EQ(end.offset, kBlockBytes);
  EXPECT_EQ(end.torn_bytes, 2 * kBlockBytes + kHeaderBytes);
}

TEST_F(JournalTest, AFileThatBeginsLikeNoJournalIsDamaged) {
  ASSERT_OK(journal_->Append("one"));
  for (const std::string& bytes : {std::string(8, '\xaa'), std::string(kGrowthBytes, '\0')}) {
    Overwrite(0, bytes);
    Reopen();
    const absl::Status damaged = End().status();
    EXPECT_THAT(damaged, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(std::string(damaged.message()), ::testing::HasSubstr(path_));
  }
}

// The system may have made room for the first record of all, and no more.
TEST_F(JournalTest, AFileThatGrewAndHoldsNothingYetIsNone) {
  for (const int64_t bytes : {kBlockBytes, kGrowthBytes - kBlockBytes}) {
    std::filesystem::resize_file(path_, static_cast<uintmax_t>(bytes));
    Reopen();
    EXPECT_OK(End()) << bytes;
  }
  ASSERT_OK(journal_->Append("one"));
  EXPECT_THAT(Records(), ElementsAre("one"));
}

TEST_F(JournalTest, AFirstRecordThatWasTornLeavesWhatANewFileBeginsWith) {
  Reopen();
  ASSERT_OK(journal_->Append(std::string(2 * kBlockBytes, 'x')));
  const std::string record = Bytes(0, 3 * kBlockBytes);
  ASSERT_OK(journal_->Remove());
  Reopen();
  ASSERT_OK(journal_->Append(""));  // Makes room, and lets the file begin.
  std::string mark = Bytes(0, kBlockBytes);
  mark[16] = mark[17] = mark[18] = mark[19] = mark[20] = mark[21] = mark[22] = mark[23] = '\xff';
  Overwrite(0, mark + record.substr(kBlockBytes));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const Journal::End end, End());
  EXPECT_EQ(end.torn_bytes, 0);
}

TEST_F(JournalTest, AWholeRecordBehindABrokenOneIsDamageUnlessItIsSafeElsewhere) {
  for (const char* record : {"zero", "one", "two"}) ASSERT_OK(journal_->Append(record));
  for (const int64_t broken : {0, 1}) {
    for (const int64_t byte : {8, 16, 24, 32, 40}) {
      Damage(broken * kBlockBytes + byte);
      Reopen();
      EXPECT_THAT(End("two"), StatusIs(absl::StatusCode::kDataLoss)) << broken << " " << byte;
      EXPECT_OK(End("none of them")) << broken << " " << byte;
      Damage(broken * kBlockBytes + byte);
    }
  }
  Damage(2 * kBlockBytes);
  Reopen();
  EXPECT_OK(End());  // It was the last.
}

// A crash tears one write: two broken records are damage, and who reads them cannot ask whether
// they are safe elsewhere.
TEST_F(JournalTest, TwoBrokenRecordsAtTheEndAreDamage) {
  for (const char* record : {"zero", "one", "two"}) ASSERT_OK(journal_->Append(record));
  for (const int64_t broken : {1, 2}) Damage(broken * kBlockBytes + kHeaderBytes);
  Reopen();
  EXPECT_THAT(End("none of them"), StatusIs(absl::StatusCode::kDataLoss));
  Damage(kBlockBytes + kHeaderBytes);
  Reopen();
  EXPECT_OK(End());  // One, the last.
}

// The disk wrote the later blocks of the first record after a Restart and not its first one.
TEST_F(JournalTest, OldRecordsBehindATornNewOneAreNoDamage) {
  for (const char* record : {"old zero", "old one", "old two"}) {
    ASSERT_OK(journal_->Append(record));
  }
  const std::string old = Bytes(0, kBlockBytes);
  journal_->Restart();
  ASSERT_OK(journal_->Append(std::string(kBlockBytes, 'x')));
  Damage(kHeaderBytes);
  Reopen();
  EXPECT_OK(End("new"));
  Overwrite(0, old);
  Damage(kHeaderBytes);
  Reopen();
  EXPECT_OK(End("new"));
}

TEST_F(JournalTest, AFileThatWasCutShortIsDamaged) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Append(std::string(2 * kBlockBytes, 'x')));
  for (const int64_t bytes : {kGrowthBytes - 1, 2 * kBlockBytes, kBlockBytes}) {
    std::filesystem::resize_file(path_, static_cast<uintmax_t>(bytes));
    Reopen();
    EXPECT_THAT(End(), StatusIs(absl::StatusCode::kDataLoss)) << bytes;
  }
}

// As a full disk leaves it.
TEST_F(JournalTest, AFileThatGrewByTooLittleIsNotDamagedAndGrowsOnceMore) {
  const std::string first(kGrowthBytes - kHeaderBytes, 'x');
  ASSERT_OK(journal_->Append(first));
  std::filesystem::resize_file(path_, kGrowthBytes + kBlockBytes);
  Reopen();
  EXPECT_OK(End());
  ASSERT_OK(journal_->Append("two"));
  EXPECT_EQ(std::filesystem::file_size(path_), 2 * kGrowthBytes);
  Reopen();
  EXPECT_OK(End());
  EXPECT_THAT(Records(), ElementsAre(first, "two"));
}

TEST_F(JournalTest, ARemovedJournalLeavesNoFile) {
  ASSERT_OK(journal_->Append("one"));
  ASSERT_OK(journal_->Remove());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace bdcsync::event_store
