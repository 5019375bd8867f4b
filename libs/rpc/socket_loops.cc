#include "libs/rpc/socket_loops.h"

#include <algorithm>

namespace bdcsync::rpc {
namespace {

// Fewer loops than processors: a loop hands nothing over, and what it does is short.
constexpr unsigned kProcessorsOfLoop = 4;
// Tells asio that one thread runs a context: it then skips needless wake-ups, not locks.
constexpr int kOneThread = 1;

}  // namespace

struct SocketLoops::Loop {
  boost::asio::io_context context{kOneThread};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
  std::thread thread{[this] { context.run(); }};
};

SocketLoops::SocketLoops()
    : loops_(std::max(1U, std::thread::hardware_concurrency() / kProcessorsOfLoop)) {}

SocketLoops::~SocketLoops() {
  absl::MutexLock lock(&mutex_);
  for (const std::unique_ptr<Loop>& loop : loops_) {
    if (loop == nullptr) continue;
    loop->context.stop();
    loop->thread.join();
  }
}

boost::asio::io_context& SocketLoops::Next() {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<Loop>& loop = loops_[turn_++ % loops_.size()];
  if (loop == nullptr) loop = std::make_unique<Loop>();
  return loop->context;
}

std::size_t SocketLoops::size() const {
  absl::MutexLock lock(&mutex_);
  return loops_.size();
}

}  // namespace bdcsync::rpc
