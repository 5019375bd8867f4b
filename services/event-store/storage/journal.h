// Records that must survive a crash until they are safe elsewhere: one flush each, written over and
// over in place, so that a flush has no new size of the file to record, past the page cache where
// the file system allows it. What a crash tore counts as never written; CheckEnd tells that from
// damage. The file belongs to one process at a time, which a lock ensures. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/base/ids.h"

namespace bdcsync::event_store {

class Journal {
 public:
  // What lies behind the last whole record.
  struct End {
    std::string path;
    int64_t offset = 0;
    int64_t torn_bytes = 0;  // Of a record that was begun there and is not whole; 0: of none.
  };

  // Opens or creates the file. `random` is borrowed for the call: no two generations of records
  // may be mistaken for each other. Replay before the first Append, or lose what is there.
  //   FAILED_PRECONDITION  another process has it open.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(absl::string_view path, Random& random);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Hands the records since the last Restart to `apply`, in order; stops at its first error. The
  // next Append goes behind them.
  //   DATA_LOSS    a record that this object appended is not whole any more.
  //   UNAVAILABLE  the disk fails.
  absl::Status Replay(absl::FunctionRef<absl::Status(absl::string_view record)> apply);
  // After a Replay, before an Append: makes sure that the records end where a crash may have ended
  // them. `is_missing` is asked about whole records behind that place, which may be older ones that
  // are safe elsewhere.
  //   DATA_LOSS  more than one write that a crash tore is missing or broken. The message names the
  //              file and says what to do.
  absl::StatusOr<End> CheckEnd(
      absl::FunctionRef<absl::StatusOr<bool>(absl::string_view record)> is_missing);
  // Adds a record that is on disk when this returns OK. UNAVAILABLE: the disk is full or fails; the
  // record may be found by a Replay, unless another is appended before.
  absl::Status Append(absl::string_view record);
  // Forgets all records: they are safe elsewhere. Until the next Append a crash brings them back.
  void Restart();
  // Deletes the file; nothing else may be called after it.
  absl::Status Remove();

  // Since the last Restart.
  int64_t bytes() const { return offset_; }
  int64_t records() const { return records_; }

 private:
  struct Header;
  struct Free {
    void operator()(char* memory) const;
  };

  Journal(std::string path, int descriptor, uint64_t generation)
      : path_(std::move(path)), descriptor_(descriptor), generation_(generation) {}
  static absl::StatusOr<std::unique_ptr<Journal>> OpenFile(const std::string& path, Random& random);
  // False: the file is no more in its folder, and a lock on it keeps nobody out.
  absl::StatusOr<bool> Lock();
  // Makes the file, with zeros in it, reach to `end`.
  absl::Status Reserve(int64_t end);
  // Lets a new file begin as a journal does before anything else is in it.
  absl::Status WriteMark();
  absl::Status ReserveMemory(int64_t bytes);
  absl::Status WriteBlocks(const char* data, int64_t bytes, int64_t offset);
  absl::Status ReplayFromHere(absl::FunctionRef<absl::Status(absl::string_view record)> apply);
  // Reads the record at `offset` into buffer_, behind its header. False: there is no whole one;
  // `header` is what is there, or zeros.
  absl::StatusOr<bool> ReadRecord(int64_t offset, Header& header);
  // What ReadRecord has read.
  absl::string_view RecordOf(const Header& header) const;
  bool Follows(const Header& header) const;
  absl::Status Damaged(int64_t offset, absl::string_view what) const;
  absl::Status ReadBlocks(int64_t bytes, int64_t offset, int64_t into);

  const std::string path_;
  const int descriptor_;
  uint64_t generation_;
  bool found_ = false;  // Whether generation_ is that of the file: what an earlier process left.
  int64_t records_ = 0;
  int64_t offset_ = 0;                  // Where the next record begins.
  int64_t file_bytes_ = 0;              // In whole blocks.
  int64_t reserved_ = 0;                // Of those, what is sure to be filled with zeros.
  std::unique_ptr<char, Free> buffer_;  // Aligned as direct writes ask for.
  int64_t buffer_bytes_ = 0;
};

}  // namespace bdcsync::event_store
