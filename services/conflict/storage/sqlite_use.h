// Leaves a prepared statement ready for its next use, however the call ends. Not thread-safe.
#pragma once

#include "libs/sql/sqlite.h"

namespace bdcsync::conflict {

class Use {
 public:
  explicit Use(sql::SqliteStatement& statement) : statement_(statement) {}
  ~Use() { statement_.Reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  sql::SqliteStatement& statement_;
};

}  // namespace bdcsync::conflict
