// One TCP connection between two services of the suite that carries frames: each end first says
// which kind of connection it is (kGreeting), then sends frames, each with its length and kind
// before it. Frames arrive whole and in order, on the thread of the socket's loop; they are sent
// from any thread, at once and without waking the loop while the peer keeps up. How many frames
// wait is up to whoever sends: calls on streams have two at most. Thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bdcsync::rpc {

inline constexpr absl::string_view kGreeting = "BDCSYNC1";

// What a frame is; stream_frame.h says what is in it.
enum class FrameKind : uint8_t {
  kOpen = 1,
  kCall = 2,
  kAnswer = 3,
  kError = 4,
  kGoodbye = 5,
  kAlive = 6,
};

// A frame to be sent, in one piece.
class Frame {
 public:
  Frame(FrameKind kind, std::size_t payload_bytes);

  // To be written before it is sent.
  uint8_t* payload() { return bytes_.get() + kHeadBytes; }
  absl::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.get()), bytes_count_};
  }

  // Length of what follows (4 bytes, the lowest first), kind.
  static constexpr std::size_t kLengthBytes = 4;
  static constexpr std::size_t kHeadBytes = kLengthBytes + 1;

 private:
  std::size_t bytes_count_;
  std::unique_ptr<uint8_t[]> bytes_;
};

// What arrives, on the thread of the socket's loop, one at a time; must not block.
class FrameReceiver {
 public:
  virtual ~FrameReceiver() = default;
  // `payload` is there until it returns.
  virtual void OnFrame(FrameKind kind, absl::string_view payload) = 0;
  // A frame that is larger than it may be; it was not kept, and the next ones arrive.
  virtual void OnTooLarge(FrameKind kind) = 0;
  // Every SocketLimits::pulse on a connection that was made here, from before it is there:
  // `greeted`, whether the peer has greeted, `stirred`, whether it has sent or taken anything since
  // the last time. Pulses are not made up for: a process that did not run has missed none.
  virtual void OnPulse(bool greeted, bool stirred) {}
  // Once, the last. UNAVAILABLE: the peer cannot be reached or is gone; UNIMPLEMENTED: what listens
  // there does not know this kind of connection; CANCELLED: closed on this side.
  virtual void OnEnd(const absl::Status& status) = 0;
};

struct SocketLimits {
  std::size_t payload_bytes_max = 16 << 20;  // Of a frame that is taken.
  // As for channels: a peer that is silent on an idle connection for the first, and on a check of
  // it for the second, is gone.
  absl::Duration keepalive_interval = absl::Seconds(20);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  absl::Duration pulse = absl::InfiniteDuration();  // FrameReceiver::OnPulse; infinite: never.
};

class FramedSocket final : public std::enable_shared_from_this<FramedSocket> {
 public:
  // Connects to one of the addresses of `host` (a name or an IP address), a different one first in
  // each `turn`. What is sent meanwhile waits. It holds itself until it has ended.
  static std::shared_ptr<FramedSocket> Connect(boost::asio::io_context& loop, std::string host,
                                               std::string port, std::size_t turn,
                                               const SocketLimits& limits,
                                               std::shared_ptr<FrameReceiver> receiver);
  // Takes a connection over that nothing waits for.
  static std::shared_ptr<FramedSocket> Accept(boost::asio::ip::tcp::socket socket,
                                              const SocketLimits& limits,
                                              std::shared_ptr<FrameReceiver> receiver);

  // Dropped when the connection has ended, as OnEnd tells.
  void Send(Frame frame);
  // Dropped as well when others wait, so that a peer that asks and does not read keeps nothing
  // here.
  void SendUnlessOthersWait(Frame frame);
  // Sends nothing more after what waits, and goes on receiving until the peer closes.
  void FinishSending();
  // Ends it, dropping what waits.
  void Close();
  // What it keeps for frames that arrive. After its end, for tests.
  std::size_t buffer_bytes() const { return in_.size(); }

 private:
  FramedSocket(boost::asio::ip::tcp::socket socket, const SocketLimits& limits,
               std::shared_ptr<FrameReceiver> receiver);

  void Dial(const std::string& host, const std::string& port, std::size_t turn);
  void DialOneOf(std::vector<boost::asio::ip::tcp::endpoint> endpoints, std::size_t turn);
  void OnConnected();
  void Read();
  void OnRead(std::size_t bytes);
  // Hands on what has arrived whole. False: nothing more will be taken.
  bool Deliver();
  bool DeliverOne();
  bool Greet();
  void MakeRoom();
  void SendWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitWritable();
  void AwaitPulse();
  // On the loop's thread, as all above.
  void End(const absl::Status& status);
  bool IsOpen() const;

  const SocketLimits limits_;
  boost::asio::steady_timer connect_timer_;
  boost::asio::steady_timer pulse_timer_;
  std::shared_ptr<FrameReceiver> receiver_;
  std::vector<char> in_;
  std::size_t begin_ = 0;  // What has arrived and was not handed on.
  std::size_t end_ = 0;
  std::size_t needed_ = 0;   // Bytes of the frame that is arriving.
  std::size_t skipped_ = 0;  // Bytes still to come of one that is too large.
  bool greeted_ = false;
  bool stirred_ = false;  // Since the last pulse.
  bool ended_ = false;
  mutable absl::Mutex mutex_;
  // Used on the loop's thread; sent on and closed under the lock.
  boost::asio::ip::tcp::socket socket_;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Frame> waiting_ ABSL_GUARDED_BY(mutex_);
  std::size_t sent_ ABSL_GUARDED_BY(mutex_) = 0;  // Bytes of the first of them.
};

}  // namespace bdcsync::rpc
