// The threads that wait for the sockets of streams (call_streams.h): what arrives on a socket is
// handled on its loop's thread, so a service that calls another while it handles a call needs no
// hand-over. Next is thread-safe; sockets have ended before this goes.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::rpc {

class SocketLoops {
 public:
  SocketLoops();
  // Joins the threads, so not on one of them.
  ~SocketLoops();
  SocketLoops(const SocketLoops&) = delete;
  SocketLoops& operator=(const SocketLoops&) = delete;

  // In turns; its thread starts when it is first asked for.
  boost::asio::io_context& Next();
  // How many there are.
  std::size_t size() const;

 private:
  struct Loop;
  mutable absl::Mutex mutex_;
  std::size_t turn_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Loop>> loops_ ABSL_GUARDED_BY(mutex_);  // Null: not asked for yet.
};

}  // namespace bdcsync::rpc
