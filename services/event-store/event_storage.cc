#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {
namespace {

// Of a storage where nothing is gained by sending ahead: each commit is one when it is awaited.
class PlainLine final : public CommitLine {
 public:
  explicit PlainLine(EventStorage& storage) : storage_(storage) {}

  std::unique_ptr<Commit> Prepare(absl::Span<const LogWrite> writes) override {
    return std::make_unique<PlainCommit>(storage_, writes);
  }

 private:
  class PlainCommit final : public Commit {
   public:
    PlainCommit(EventStorage& storage, absl::Span<const LogWrite> writes)
        : storage_(storage), writes_(writes) {}
    uint64_t id() const override { return 0; }
    void Send(uint64_t /*behind*/) override {}
    absl::StatusOr<std::vector<bool>> Await() override { return storage_.Commit(writes_); }

   private:
    EventStorage& storage_;
    const absl::Span<const LogWrite> writes_;
  };

  EventStorage& storage_;
};

}  // namespace

std::unique_ptr<CommitLine> EventStorage::OpenLine(Random& /*random*/) {
  return std::make_unique<PlainLine>(*this);
}

}  // namespace bdcsync::event_store
