#include "services/conflict/rules_watch.h"

#include <algorithm>
#include <utility>

#include "libs/base/errors.h"

namespace bdcsync::conflict {
namespace {

// How long a change of the file has to stand; who writes a file in parts takes less.
constexpr absl::Duration kSettleTime = absl::Milliseconds(200);

}  // namespace

RulesWatch::RulesWatch(RuleSetRegistry& registry, bus::Bus& bus, std::string file,
                       absl::Duration interval, const log::Logger& logger)
    : registry_(registry), bus_(bus), interval_(interval), logger_(logger) {
  if (!file.empty()) file_ = std::make_unique<RulesFile>(std::move(file));
}

RulesWatch::~RulesWatch() {
  subscription_.reset();
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    called_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

absl::Status RulesWatch::Start() {
  LookAtFile();
  absl::Status looked = LookAtStore();
  if (!looked.ok() && ReasonOf(looked) == Reason::kUnavailable) return looked;
  subscription_ = bus_.Subscribe(
      kRulesChannel,
      [this](absl::string_view) {
        LookSoon();
        return true;
      },
      [this] { LookSoon(); });
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void RulesWatch::LookSoon() {
  absl::MutexLock lock(&mutex_);
  wanted_ = true;
  called_.Signal();
}

void RulesWatch::Run() {
  const auto called = [this]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || wanted_; };
  while (true) {
    const bool unsettled = file_ != nullptr && file_->unsettled();
    {
      absl::MutexLock lock(&mutex_);
      called_.AwaitFor(mutex_, unsettled ? std::min(interval_, kSettleTime) : interval_, called);
      if (stopping_) return;
      wanted_ = false;
    }
    LookAtFile();
    LookAtStore().IgnoreError();  // Logged; the next look may succeed.
  }
}

absl::Status RulesWatch::LookAtStore() {
  absl::Status looked = registry_.Refresh();
  Tell(looked, "rule sets cannot be used; those known before hold", told_of_store_);
  return looked;
}

bool RulesWatch::Tell(const absl::Status& status, absl::string_view what, std::string& told) const {
  const std::string failure = status.ok() ? "" : std::string(status.message());
  if (!failure.empty() && failure != told) logger_.Error(what, {{"error", failure}});
  told = failure;
  return failure.empty();
}

void RulesWatch::LookAtFile() {
  if (file_ == nullptr) return;
  const absl::StatusOr<bool> changed = file_->Look();
  absl::Status used = changed.status();
  if (changed.ok() && !*changed) return;
  if (changed.ok()) {
    const absl::StatusOr<RuleTexts> sets = ParseRulesFile(file_->text());
    used = sets.ok() ? registry_.PutFile(*sets) : sets.status();
    const Reason reason = ReasonOf(used);
    // What the store, or another replica, stood in the way of is tried again.
    const bool again = reason == Reason::kUnavailable || reason == Reason::kPreconditionFailed;
    if (used.ok() || !again) file_->Accept();
  }
  if (Tell(used, "the rules file cannot be used; what was known before holds", told_of_file_)) {
    logger_.Info("the rules file is in use", {});
  }
}

}  // namespace bdcsync::conflict
