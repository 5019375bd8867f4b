// What a peer may send on a connection between services, in pieces of any size: the frames that
// arrive are those that a reader of the whole would find, however it was cut. The input: a byte for
// how it is cut, then what the peer sends.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/rpc/framed_socket.h"

namespace {

using namespace bdcsync::rpc;  // NOLINT: one program.

constexpr size_t kPayloadBytesMax = 1000;
constexpr size_t kBytesMax = 4096;  // What is cut up further in more pieces is read no otherwise.

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string Whole(uint8_t kind, absl::string_view payload) {
  return absl::StrCat(static_cast<int>(kind), ":", payload);
}
std::string TooLarge(uint8_t kind) { return absl::StrCat(static_cast<int>(kind), " too large"); }

class Inbox final : public FrameReceiver {
 public:
  void OnFrame(FrameKind kind, absl::string_view payload) override {
    Require(!ended);
    frames.push_back(Whole(static_cast<uint8_t>(kind), payload));
  }
  void OnTooLarge(FrameKind kind) override {
    Require(!ended);
    frames.push_back(TooLarge(static_cast<uint8_t>(kind)));
  }
  void OnEnd(const absl::Status& status) override {
    Require(!ended);
    ended = true;
    end = status;
  }

  std::vector<std::string> frames;
  bool ended = false;
  absl::Status end;
};

// The frames in `sent`, read at once.
std::vector<std::string> FramesIn(absl::string_view sent, absl::StatusCode& end) {
  std::vector<std::string> frames;
  end = absl::StatusCode::kUnavailable;
  const absl::string_view greeting = sent.substr(0, kGreeting.size());
  if (greeting != kGreeting.substr(0, greeting.size())) end = absl::StatusCode::kUnimplemented;
  if (greeting != kGreeting) return frames;
  sent.remove_prefix(greeting.size());
  while (sent.size() >= Frame::kHeadBytes) {
    uint32_t length = 0;
    for (size_t i = Frame::kLengthBytes; i-- > 0;) length = length << 8 | uint8_t(sent[i]);
    if (length == 0) return frames;
    const auto kind = static_cast<uint8_t>(sent[Frame::kLengthBytes]);
    sent.remove_prefix(Frame::kHeadBytes);
    const size_t payload = length - 1;
    if (payload > kPayloadBytesMax) {
      frames.push_back(TooLarge(kind));
    } else if (payload > sent.size()) {
      return frames;
    } else {
      frames.push_back(Whole(kind, sent.substr(0, payload)));
    }
    sent.remove_prefix(std::min(payload, sent.size()));
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > kBytesMax) return 0;
  const absl::string_view sent(reinterpret_cast<const char*>(data) + 1, size - 1);
  int ends[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  boost::asio::io_context loop;
  boost::asio::ip::tcp::socket ours(loop);
  ours.assign(boost::asio::ip::tcp::v4(), ends[0]);
  SocketLimits limits;
  limits.payload_bytes_max = kPayloadBytesMax;
  const auto inbox = std::make_shared<Inbox>();
  const std::shared_ptr<FramedSocket> socket = FramedSocket::Accept(std::move(ours), limits, inbox);
  const auto run = [&loop] {
    loop.restart();
    while (loop.poll() > 0) {
    }
  };
  run();
  const size_t piece = data[0] < 128 ? data[0] + 1u : data[0] * 64u;
  for (size_t at = 0; at < sent.size(); at += piece) {
    const absl::string_view next = sent.substr(at, piece);
    // Nobody reads any more once it has ended.
    (void)::send(ends[1], next.data(), next.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    run();
  }
  ::close(ends[1]);
  run();
  absl::StatusCode end;
  Require(inbox->frames == FramesIn(sent, end));
  Require(inbox->ended && inbox->end.code() == end);
  return 0;
}
