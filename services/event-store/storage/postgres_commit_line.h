// Commits of one writer on one connection, where each may be sent while the one before it is being
// applied. Thread-safe; commits as commit_line.h says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/sql/postgres.h"
#include "libs/sql/postgres_pipeline.h"
#include "services/event-store/commit_line.h"

namespace bdcsync::event_store {

class PostgresCommitLine final : public CommitLine {
 public:
  // Makes room for events up to a position, before a commit with such is sent.
  using MakeRoom = std::function<absl::Status(int64_t last)>;

  // `clock` and `random`, of the commits' names, are borrowed.
  PostgresCommitLine(sql::PostgresOptions options, const Clock& clock, Random& random,
                     MakeRoom make_room)
      : pipeline_(std::move(options), clock), random_(random), make_room_(std::move(make_room)) {}

  std::unique_ptr<Commit> Prepare(absl::Span<const LogWrite> writes) override;

 private:
  class LineCommit;

  sql::PostgresPipeline pipeline_;
  Random& random_;
  const MakeRoom make_room_;
};

}  // namespace bdcsync::event_store
