// The server's end of calls on streams (call_streams.h): what comes on a stream is handled as a
// direct call of the service, and counted, timed and logged as one. For .cc files of libs/rpc and
// streamed_method.h. Add before the first connection; the rest is thread-safe.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/timed_cond_var.h"
#include "libs/rpc/framed_socket.h"
#include "libs/rpc/stream_frame.h"

namespace bdcsync::rpc {

class ServedStream;

// How a method is called with a message in bytes.
class StreamedMethod {
 public:
  using Answered = absl::AnyInvocable<void(Frame)>;

  virtual ~StreamedMethod() = default;
  // "/package.Service/Method".
  virtual const std::string& name() const = 0;
  // On a loop's thread; `answered` runs exactly once, on any thread, with an answer or an error.
  virtual void Call(CallFrame call, Answered answered) = 0;
};

class StreamServer final {
 public:
  // The connection of a caller beyond `streams_max` is closed at once: its call is UNAVAILABLE.
  StreamServer(const SocketLimits& limits, std::size_t streams_max);
  // After Close.
  ~StreamServer();
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  void Add(std::unique_ptr<StreamedMethod> method);
  bool empty() const { return methods_.empty(); }
  // A connection on which a caller's greeting is to be read.
  void Accept(boost::asio::ip::tcp::socket socket);
  // Takes leave of callers: on streams without a call now, on the others with their answer.
  void Stop();
  // Ends all streams and waits until they have ended, at most for `timeout`. Not on a thread of a
  // loop. Answers that come later are dropped.
  void Close(absl::Duration timeout);
  // Streams that have not ended.
  std::size_t count() const;

 private:
  friend class ServedStream;
  // Null when there is none of this name.
  StreamedMethod* Find(absl::string_view name) const;
  void Forget(const ServedStream& stream);

  const SocketLimits limits_;
  const std::size_t streams_max_;
  std::map<std::string, std::unique_ptr<StreamedMethod>, std::less<>> methods_;  // By their names.
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const ServedStream*, std::shared_ptr<ServedStream>> streams_
      ABSL_GUARDED_BY(mutex_);
  TimedCondVar none_;  // No stream is left.
};

}  // namespace bdcsync::rpc
