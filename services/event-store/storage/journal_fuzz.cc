// What the files of the SQLite store may hold when it is opened. The input: a byte for what the
// rest is: damage to a journal, a commit in it, or an event's data. Of a damaged journal only what
// was appended comes back, from the first on, and a loss that no crash makes is told.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"
#include "services/event-store/storage/commit_record.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/journal.h"

namespace {

using namespace bdcsync;               // NOLINT: one program.
using namespace bdcsync::event_store;  // NOLINT

constexpr size_t kBlockBytes = 4096;
constexpr size_t kHeaderBytes = 40;
constexpr size_t kRecordsMax = 6;
constexpr size_t kFilledBytesMax = kRecordsMax * 4 * kBlockBytes;  // A record has 4 blocks at most.
constexpr size_t kDamageBytes = 4;  // Where, in three bytes, and which bits.

void Require(bool holds) {
  if (!holds) std::abort();
}

// In memory where the system has such a folder: an input costs several flushes.
std::string JournalPath() {
  const std::filesystem::path memory = "/dev/shm";
  const std::filesystem::path folder =
      std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  return folder / absl::StrCat("bdc-sync-journal-fuzz-", ::getpid());
}

std::vector<std::string> Replay(Journal& journal) {
  std::vector<std::string> records;
  const absl::Status status = journal.Replay([&records](absl::string_view record) {
    records.emplace_back(record);
    return absl::OkStatus();
  });
  Require(status.ok());
  return records;
}

std::unique_ptr<Journal> Open(const std::string& path, Random& random) {
  absl::StatusOr<std::unique_ptr<Journal>> journal = Journal::Open(path, random);
  Require(journal.ok());
  return *std::move(journal);
}

// The part of the file that records can fill.
std::string Filled(std::fstream& file) {
  std::string bytes(kFilledBytesMax, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// Whether records behind the first lost one are there that a crash would not have left.
bool IsLoss(const std::string& was, const std::string& is, const std::vector<std::string>& appended,
            size_t replayed) {
  size_t offset = 0;
  for (size_t i = 0; i < appended.size(); ++i) {
    const size_t bytes = kHeaderBytes + appended[i].size();
    const auto stands = [&](size_t count) {
      return was.compare(offset, count, is, offset, count) == 0;
    };
    if (i > replayed && (stands(bytes) || (replayed > 0 && stands(kHeaderBytes)))) return true;
    offset += (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  }
  return false;
}

// How many records, the size of each, then damage.
void TryJournal(absl::string_view input) {
  if (input.empty()) return;
  static const std::string path = JournalPath();
  SeededRandom random(1);
  std::vector<std::string> appended(static_cast<uint8_t>(input[0]) % kRecordsMax + 1);
  input.remove_prefix(1);
  std::unique_ptr<Journal> journal = Open(path, random);
  for (std::string& record : appended) {
    const size_t size = input.empty() ? 0 : static_cast<uint8_t>(input[0]) * size_t{50};
    input.remove_prefix(std::min(input.size(), size_t{1}));
    record = std::string(size, static_cast<char>('a' + (&record - appended.data())));
    Require(journal->Append(record).ok());
  }
  journal.reset();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string was = Filled(file);
  std::string is = was;
  for (; input.size() >= kDamageBytes; input.remove_prefix(kDamageBytes)) {
    size_t place = 0;
    for (size_t i = 0; i + 1 < kDamageBytes; ++i) place = place << 8 | uint8_t(input[i]);
    is[place % kFilledBytesMax] ^= input[kDamageBytes - 1];
  }
  file.seekp(0);
  file << is << std::flush;

  journal = Open(path, random);
  std::vector<std::string> found = Replay(*journal);
  Require(found.size() <= appended.size());
  Require(std::equal(found.begin(), found.end(), appended.begin()));
  const absl::StatusOr<Journal::End> end =
      journal->CheckEnd([](absl::string_view) -> absl::StatusOr<bool> { return true; });
  Require(end.ok() ? !IsLoss(was, is, appended, found.size()) : absl::IsDataLoss(end.status()));
  if (end.ok()) {
    found.emplace_back("next");
    Require(journal->Append(found.back()).ok());
    journal = nullptr;
    journal = Open(path, random);
    Require(Replay(*journal) == found);
  }
  Require(journal->Remove().ok());
}

void TryCommit(absl::string_view record) {
  const absl::StatusOr<std::vector<LogWrite>> writes = DecodeCommit(record);
  if (!writes.ok()) return Require(absl::IsDataLoss(writes.status()));
  Require(EncodeCommit(*writes, std::vector<bool>(writes->size(), true)) == record);
}

void TryData(absl::string_view input) {
  DataCodec codec;
  const DataCodec::Encoded encoded = codec.Encode(input);
  Require(*DecodeData(encoded.codec, std::string(encoded.bytes)) == input);
  const absl::StatusOr<std::string> decoded = DecodeData(Codec::kZstd, std::string(input));
  Require(decoded.ok() || absl::IsDataLoss(decoded.status()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      TryJournal(input);
      break;
    case 1:
      TryCommit(input);
      break;
    default:
      TryData(input);
  }
  return 0;
}
