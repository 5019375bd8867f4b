#include "services/gateway/websocket/testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace bdcsync::gateway {
namespace {

constexpr int kPatienceSeconds = 20;
constexpr char kMask[4] = {0x11, 0x22, 0x33, 0x44};
constexpr absl::string_view kHeadEnd = "\r\n\r\n";

std::string FrameHeader(uint8_t opcode, uint64_t payload_bytes, bool final) {
  std::string header;
  header.push_back(static_cast<char>((final ? 0x80 : 0) | opcode));
  int length_bytes = 0;
  if (payload_bytes < 126) {
    header.push_back(static_cast<char>(0x80 | payload_bytes));
  } else if (payload_bytes < 65536) {
    header.push_back(static_cast<char>(0x80 | 126));
    length_bytes = 2;
  } else {
    header.push_back(static_cast<char>(0x80 | 127));
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) {
    header.push_back(static_cast<char>(payload_bytes >> (8 * i) & 0xff));
  }
  header.append(kMask, sizeof(kMask));
  return header;
}

}  // namespace

uint16_t RawClient::Frame::close_code() const {
  if (opcode != 8 || payload.size() < 2) return 0;
  return static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                               static_cast<uint8_t>(payload[1]));
}

RawClient::RawClient(int port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience = {kPatienceSeconds, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ended_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0;
}

RawClient::~RawClient() { close(socket_); }

void RawClient::SetReceiveBuffer(int bytes) {
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

void RawClient::Shutdown() { shutdown(socket_, SHUT_WR); }

void RawClient::SendBytes(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool RawClient::Fill() {
  if (ended_) return false;
  char buffer[65536];
  const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  input_.append(buffer, static_cast<size_t>(got));
  return true;
}

std::string RawClient::Handshake(absl::string_view extra_headers) {
  SendBytes(
      absl::StrCat("GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                   extra_headers, "\r\n"));
  size_t end;
  while ((end = input_.find(kHeadEnd.data(), 0, kHeadEnd.size())) == std::string::npos) {
    if (!Fill()) return input_;
  }
  const std::string head = input_.substr(0, end);
  input_.erase(0, end + kHeadEnd.size());
  return head;
}

std::string RawClient::ReadAll() {
  while (Fill()) {
  }
  return input_;
}

void RawClient::SendFrame(uint8_t opcode, absl::string_view payload, bool final) {
  std::string frame = FrameHeader(opcode, payload.size(), final);
  for (size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ kMask[i % sizeof(kMask)]));
  }
  SendBytes(frame);
}

void RawClient::SendHeader(uint8_t opcode, uint64_t payload_bytes) {
  SendBytes(FrameHeader(opcode, payload_bytes, true));
}

std::optional<RawClient::Frame> RawClient::Read() {
  const auto need = [this](size_t bytes) {
    while (input_.size() < bytes) {
      if (!Fill()) return false;
    }
    return true;
  };
  if (!need(2)) return std::nullopt;
  uint64_t length = static_cast<uint8_t>(input_[1]);
  const size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
  if (!need(2 + extra)) return std::nullopt;
  if (extra > 0) length = 0;
  for (size_t i = 0; i < extra; ++i) length = length << 8 | static_cast<uint8_t>(input_[2 + i]);
  if (!need(2 + extra + length)) return std::nullopt;
  Frame frame;
  frame.opcode = static_cast<uint8_t>(input_[0]) & 0x0f;
  frame.compressed = (static_cast<uint8_t>(input_[0]) & 0x40) != 0;
  frame.payload = input_.substr(2 + extra, length);
  input_.erase(0, 2 + extra + length);
  return frame;
}

std::optional<std::string> RawClient::ReadText() {
  while (auto frame = Read()) {
    if (frame->opcode == 1) return frame->payload;
    if (frame->opcode != 9) return std::nullopt;
    SendFrame(10, frame->payload);
  }
  return std::nullopt;
}

uint16_t RawClient::ReadCloseCode() {
  while (auto frame = Read()) {
    if (frame->opcode == 8) return frame->close_code();
  }
  return 0;
}

bool RawClient::AtEnd() {
  ReadAll();
  return ended_;
}

}  // namespace bdcsync::gateway
