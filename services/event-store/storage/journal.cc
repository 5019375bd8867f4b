#include "services/event-store/storage/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"

namespace bdcsync::event_store {
namespace {

constexpr int64_t kBlockBytes = 4096;             // Records begin at multiples of it.
constexpr int64_t kGrowthBytes = 1 << 20;         // The file grows by so much at a time.
constexpr uint64_t kMagic = 0x314c4e4a'43444221;  // "!BDCJNL1", as bytes in the file.
constexpr int64_t kMarkNumber = -1;               // Of what a new file begins with: no record.

int64_t RoundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

absl::Status DiskError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat(what, " ", path, ": ", std::generic_category().message(errno)));
}

// A new file must still be in its folder after a crash.
absl::Status FlushFolder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return DiskError("open", folder);
  const int result = ::fsync(descriptor);
  ::close(descriptor);
  return result == 0 ? absl::OkStatus() : DiskError("flush", folder);
}

}  // namespace

// In front of each record, in the byte order of the machine.
struct Journal::Header {
  uint64_t magic = kMagic;
  uint64_t generation = 0;
  int64_t number = 0;  // Within the generation, from 0.
  int64_t bytes = 0;   // Of the record.
  uint64_t hash = 0;   // Of the record, seeded with the generation.
};

void Journal::Free::operator()(char* memory) const { std::free(memory); }

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(absl::string_view path, Random& random) {
  const std::string name(path.data(), path.size());
  while (true) {
    ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal, OpenFile(name, random));
    ASSIGN_OR_RETURN(const bool locked, journal->Lock());
    if (!locked) continue;
    RETURN_IF_ERROR(FlushFolder(name));
    return journal;
  }
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::OpenFile(const std::string& path,
                                                           Random& random) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC;
  constexpr int kMode = 0600;
  int descriptor = ::open(path.c_str(), kFlags | O_DIRECT, kMode);
  // Some file systems know no direct writes.
  if (descriptor < 0 && errno == EINVAL) descriptor = ::open(path.c_str(), kFlags, kMode);
  if (descriptor < 0) return DiskError("open", path);
  return std::unique_ptr<Journal>(new Journal(path, descriptor, random.Bits64()));
}

absl::StatusOr<bool> Journal::Lock() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return DiskError("lock", path_);
    return absl::FailedPreconditionError(
        absl::StrCat("another process has the store open: ", path_, " is locked"));
  }
  struct stat file {};
  if (::fstat(descriptor_, &file) != 0) return DiskError("stat", path_);
  file_bytes_ = file.st_size / kBlockBytes * kBlockBytes;
  // A disk that was full may have let it grow by less: then it grows there once more.
  reserved_ = file.st_size / kGrowthBytes * kGrowthBytes;
  // Between open and lock the one before us may have removed it.
  return file.st_nlink > 0;
}

Journal::~Journal() { ::close(descriptor_); }

absl::Status Journal::Replay(absl::FunctionRef<absl::Status(absl::string_view)> apply) {
  const int64_t records = std::exchange(records_, 0);
  const int64_t offset = std::exchange(offset_, 0);
  const uint64_t generation = generation_;
  absl::Status status = ReplayFromHere(apply);
  if (status.ok() && records_ < records) {
    status = absl::DataLossError(absl::StrCat(path_, " has lost records that were on disk"));
  }
  if (status.ok()) {
    found_ = true;
  } else {
    records_ = records;
    offset_ = offset;
    generation_ = generation;
  }
  return status;
}

absl::Status Journal::ReplayFromHere(
    absl::FunctionRef<absl::Status(absl::string_view record)> apply) {
  while (true) {
    Header header;
    ASSIGN_OR_RETURN(const bool whole, ReadRecord(offset_, header));
    if (!whole || !Follows(header)) return absl::OkStatus();
    RETURN_IF_ERROR(apply(RecordOf(header)));
    generation_ = header.generation;
    ++records_;
    offset_ += RoundUp(header.bytes + static_cast<int64_t>(sizeof(Header)), kBlockBytes);
  }
}

bool Journal::Follows(const Header& header) const {
  const bool any_generation = !found_ && records_ == 0;
  return header.magic == kMagic && header.number == records_ &&
         (any_generation || header.generation == generation_);
}

absl::StatusOr<bool> Journal::ReadRecord(int64_t offset, Header& header) {
  header = {.magic = 0};
  if (offset + kBlockBytes > file_bytes_) return false;
  RETURN_IF_ERROR(ReadBlocks(kBlockBytes, offset, 0));
  std::memcpy(&header, buffer_.get(), sizeof(Header));
  const int64_t bytes_max = file_bytes_ - offset - static_cast<int64_t>(sizeof(Header));
  if (header.magic != kMagic || header.number < 0) return false;
  if (header.bytes < 0 || header.bytes > bytes_max) return false;
  const int64_t bytes =
      RoundUp(header.bytes + static_cast<int64_t>(sizeof(Header)), kBlockBytes) - kBlockBytes;
  if (bytes > 0) RETURN_IF_ERROR(ReadBlocks(bytes, offset + kBlockBytes, kBlockBytes));
  return StableHash64OfText(RecordOf(header), header.generation) == header.hash;
}

absl::string_view Journal::RecordOf(const Header& header) const {
  return {buffer_.get() + sizeof(Header), static_cast<std::size_t>(header.bytes)};
}

// A crash tears one write, the last, at sectors. So what begins the file is always a header, of the
// old record there or of the new one; the file is as long as it was before that write; and no
// record behind the torn one is of use. Records of before the last Restart may lie there: those are
// not missing.
absl::StatusOr<Journal::End> Journal::CheckEnd(
    absl::FunctionRef<absl::StatusOr<bool>(absl::string_view record)> is_missing) {
  Header header;
  RETURN_IF_ERROR(ReadRecord(offset_, header).status());
  const bool begun = records_ == 0 ? header.magic == kMagic && header.number >= 0 : Follows(header);
  if (records_ == 0 && header.magic != kMagic &&
      (header.magic != 0 || file_bytes_ >= kGrowthBytes)) {
    return Damaged(0, "what it begins with is not what a journal begins with");
  }
  if (file_bytes_ < RoundUp(offset_ + (begun ? 1 : 0), kGrowthBytes)) {
    return Damaged(file_bytes_, "it was cut off there");
  }
  for (int64_t offset = offset_ + kBlockBytes; offset < file_bytes_; offset += kBlockBytes) {
    Header other;
    ASSIGN_OR_RETURN(const bool whole, ReadRecord(offset, other));
    const bool follows = records_ > 0 && other.magic == kMagic && other.generation == generation_ &&
                         other.number > records_;
    if (!follows && (records_ > 0 || !whole)) continue;
    // One that is not whole cannot be asked about; it was begun once the one before it was on disk.
    bool missing = true;
    if (whole) {
      ASSIGN_OR_RETURN(missing, is_missing(RecordOf(other)));
    }
    if (missing) {
      return Damaged(offset_, absl::StrCat("record ", records_, " is broken and a later one, at ",
                                           "byte ", offset, ", is ", whole ? "whole" : "too"));
    }
  }
  End end{.path = path_, .offset = offset_};
  if (begun) {
    const int64_t bytes_max = file_bytes_ - offset_;
    end.torn_bytes =
        std::clamp(header.bytes, int64_t{0}, bytes_max - static_cast<int64_t>(sizeof(Header))) +
        static_cast<int64_t>(sizeof(Header));
  }
  return end;
}

absl::Status Journal::Damaged(int64_t offset, absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(
      path_, " is damaged at byte ", offset, ": ", what,
      ". It may hold commits that were acknowledged and are nowhere else. Put it and the files "
      "beside it back from a copy of the disk; or, to go on without the commits that only this "
      "file holds, move it away and start again"));
}

absl::Status Journal::ReadBlocks(int64_t bytes, int64_t offset, int64_t into) {
  RETURN_IF_ERROR(ReserveMemory(into + bytes));
  for (int64_t done = 0; done < bytes;) {
    const ssize_t read = ::pread(descriptor_, buffer_.get() + into + done,
                                 static_cast<std::size_t>(bytes - done), offset + done);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return DiskError("read", path_);
    if (read == 0) return absl::DataLossError(absl::StrCat(path_, " became shorter"));
    done += read;
  }
  return absl::OkStatus();
}

absl::Status Journal::Append(absl::string_view record) {
  const auto bytes = static_cast<int64_t>(record.size() + sizeof(Header));
  const int64_t padded = RoundUp(bytes, kBlockBytes);
  RETURN_IF_ERROR(Reserve(offset_ + padded));
  RETURN_IF_ERROR(ReserveMemory(padded));
  Header header;
  header.generation = generation_;
  header.number = records_;
  header.bytes = static_cast<int64_t>(record.size());
  header.hash = StableHash64OfText(record, generation_);
  std::memcpy(buffer_.get(), &header, sizeof(Header));
  std::memcpy(buffer_.get() + sizeof(Header), record.data(), record.size());
  std::memset(buffer_.get() + bytes, 0, static_cast<std::size_t>(padded - bytes));
  RETURN_IF_ERROR(WriteBlocks(buffer_.get(), padded, offset_));
  if (::fdatasync(descriptor_) != 0) return DiskError("flush", path_);
  offset_ += padded;
  ++records_;
  found_ = true;
  return absl::OkStatus();
}

absl::Status Journal::Reserve(int64_t end) {
  if (end <= reserved_) return absl::OkStatus();
  if (reserved_ == 0 && offset_ == 0) RETURN_IF_ERROR(WriteMark());
  const int64_t target = RoundUp(end, kGrowthBytes);
  RETURN_IF_ERROR(ReserveMemory(kGrowthBytes));
  std::memset(buffer_.get(), 0, kGrowthBytes);
  for (int64_t offset = std::max(reserved_, offset_); offset < target;) {
    const int64_t bytes = std::min(kGrowthBytes, target - offset);
    RETURN_IF_ERROR(WriteBlocks(buffer_.get(), bytes, offset));
    offset += bytes;
  }
  if (::fdatasync(descriptor_) != 0) return DiskError("flush", path_);
  reserved_ = target;
  file_bytes_ = std::max(file_bytes_, target);
  return absl::OkStatus();
}

absl::Status Journal::WriteMark() {
  RETURN_IF_ERROR(ReserveMemory(kBlockBytes));
  std::memset(buffer_.get(), 0, kBlockBytes);
  const Header header{.number = kMarkNumber};
  std::memcpy(buffer_.get(), &header, sizeof(Header));
  RETURN_IF_ERROR(WriteBlocks(buffer_.get(), kBlockBytes, 0));
  if (::fdatasync(descriptor_) != 0) return DiskError("flush", path_);
  reserved_ = kBlockBytes;
  file_bytes_ = std::max(file_bytes_, kBlockBytes);
  return absl::OkStatus();
}

absl::Status Journal::ReserveMemory(int64_t bytes) {
  if (bytes <= buffer_bytes_) return absl::OkStatus();
  const auto size = static_cast<std::size_t>(RoundUp(bytes, kGrowthBytes));
  auto* const memory = static_cast<char*>(std::aligned_alloc(kBlockBytes, size));
  if (memory == nullptr) return absl::UnavailableError("no memory for a record of the journal");
  if (buffer_bytes_ > 0)
    std::memcpy(memory, buffer_.get(), static_cast<std::size_t>(buffer_bytes_));
  buffer_.reset(memory);
  buffer_bytes_ = static_cast<int64_t>(size);
  return absl::OkStatus();
}

absl::Status Journal::WriteBlocks(const char* data, int64_t bytes, int64_t offset) {
  for (int64_t done = 0; done < bytes;) {
    const ssize_t written =
        ::pwrite(descriptor_, data + done, static_cast<std::size_t>(bytes - done), offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return DiskError("write", path_);
    done += written;
  }
  return absl::OkStatus();
}

void Journal::Restart() {
  if (records_ == 0) return;
  ++generation_;
  records_ = 0;
  offset_ = 0;
}

absl::Status Journal::Remove() {
  if (::unlink(path_.c_str()) != 0) return DiskError("remove", path_);
  return absl::OkStatus();
}

}  // namespace bdcsync::event_store
