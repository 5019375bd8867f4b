// Records that must survive a crash until they are safe elsewhere: one flush each, written over and
// over in place, so that a flush has no new size of the file to record, past the page cache where
// the file system allows it. What a crash tore, and all after it, counts as never written. The file
// belongs to one process at a time, which a lock ensures. Not thread-safe.
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
  absl::Status ReserveMemory(int64_t bytes);
  absl::Status WriteBlocks(const char* data, int64_t bytes, int64_t offset);
  absl::Status ReplayFromHere(absl::FunctionRef<absl::Status(absl::string_view record)> apply);
  // Reads the record at offset_ into buffer_, behind its header. False: there is no whole one.
  absl::StatusOr<bool> ReadRecord(Header& header);
  absl::Status ReadBlocks(int64_t bytes, int64_t offset, int64_t into);

  const std::string path_;
  const int descriptor_;
  uint64_t generation_;
  bool found_ = false;  // Whether generation_ is that of the file: what an earlier process left.
  int64_t records_ = 0;
  int64_t offset_ = 0;                  // Where the next record begins.
  int64_t reserved_ = 0;                // The file's size.
  std::unique_ptr<char, Free> buffer_;  // Aligned as direct writes ask for.
  int64_t buffer_bytes_ = 0;
};

}  // namespace bdcsync::event_store
