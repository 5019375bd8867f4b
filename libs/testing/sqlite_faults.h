// Makes the files of SQLite databases fail as a disk does: those that are opened while one of these
// lives. One at a time in a process. Counters are thread-safe.
#pragma once

#include <string>

namespace bdcsync::testing {

class SqliteFaults {
 public:
  SqliteFaults();
  ~SqliteFaults();
  SqliteFaults(const SqliteFaults&) = delete;
  SqliteFaults& operator=(const SqliteFaults&) = delete;

  // The next `count` fail. Like a real one, a failed flush is followed by others that succeed.
  void FailReads(int count);
  void FailLogFlushes(int count);  // Of the write-ahead log.
  // Nothing more can be written to the write-ahead log until it is set back.
  void SetLogFull(bool full);
  // What was done since it was asked last, in order: "log" for a flush of the write-ahead log,
  // "file" for one of the database; "log,file".
  std::string TakeFlushes();
};

}  // namespace bdcsync::testing
