// Leaves a prepared statement ready for its next use, however the call ends. Not thread-safe.
#pragma once

#include "libs/sql/sqlite.h"

namespace bdcsync::sql {

class SqliteUse {
 public:
  explicit SqliteUse(SqliteStatement& statement) : statement_(statement) {}
  ~SqliteUse() { statement_.Reset(); }
  SqliteUse(const SqliteUse&) = delete;
  SqliteUse& operator=(const SqliteUse&) = delete;

 private:
  SqliteStatement& statement_;
};

}  // namespace bdcsync::sql
