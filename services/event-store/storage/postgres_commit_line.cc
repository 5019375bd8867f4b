#include "services/event-store/storage/postgres_commit_line.h"

#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/postgres_commit.h"

namespace bdcsync::event_store {

class PostgresCommitLine::LineCommit final : public Commit {
 public:
  LineCommit(PostgresCommitLine& line, absl::Span<const LogWrite> writes, uint64_t id)
      : line_(line), writes_(writes), id_(id), commit_(Make(writes, id)) {}

  uint64_t id() const override { return commit_.named ? id_ : 0; }

  void Send(uint64_t behind) override {
    if (behind != 0) SetBehind(commit_, Hex64(behind));
    number_ = SendNow();
  }

  absl::StatusOr<std::vector<bool>> Await() override {
    RETURN_IF_ERROR(number_.status());
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, line_.pipeline_.Await(*number_));
    return CommitResult(writes_, rows);
  }

 private:
  static PostgresCommit Make(absl::Span<const LogWrite> writes, uint64_t id) {
    DataCodec codec;
    return MakeCommit(writes, codec, Hex64(id));
  }

  absl::StatusOr<int64_t> SendNow() {
    RETURN_IF_ERROR(CheckComplete(commit_));
    RETURN_IF_ERROR(line_.make_room_(commit_.next_position));
    return line_.pipeline_.Send(commit_.statement, commit_.params);
  }

  PostgresCommitLine& line_;
  const absl::Span<const LogWrite> writes_;
  const uint64_t id_;
  PostgresCommit commit_;
  absl::StatusOr<int64_t> number_ = absl::InternalError("the commit was not sent");
};

std::unique_ptr<CommitLine::Commit> PostgresCommitLine::Prepare(absl::Span<const LogWrite> writes) {
  return std::make_unique<LineCommit>(*this, writes, random_.Bits64());
}

}  // namespace bdcsync::event_store
