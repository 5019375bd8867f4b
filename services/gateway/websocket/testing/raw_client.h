// A WebSocket client for tests that shares no code with the server: blocking sockets, frames built
// by hand, so that it can also send what no proper client would. Waits are bounded. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

class RawClient {
 public:
  struct Frame {
    uint8_t opcode = 0;       // 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    bool compressed = false;  // RSV1 is set.
    std::string payload;
    uint16_t close_code() const;
  };

  // Connects; ends the test program's patience by an empty answer everywhere when it cannot.
  explicit RawClient(int port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Sends an upgrade request with `extra_headers` ("Name: value\r\n"…) and returns the response's
  // head, up to and without the empty line.
  std::string Handshake(absl::string_view extra_headers = "");
  // Everything the peer sends until it ends the connection.
  std::string ReadAll();

  void SendBytes(absl::string_view bytes);
  void SendFrame(uint8_t opcode, absl::string_view payload, bool final = true);
  void SendText(absl::string_view text) { SendFrame(1, text); }
  // A frame header alone, claiming `payload_bytes`.
  void SendHeader(uint8_t opcode, uint64_t payload_bytes);

  // The next frame; nothing when the connection ended or nothing came in time.
  std::optional<Frame> Read();
  // The next text; pings in between are answered. Nothing for anything else.
  std::optional<std::string> ReadText();
  // Reads up to and with the close frame; 0 when the connection ended without one.
  uint16_t ReadCloseCode();
  // Whether the peer has ended the connection (after reading what was left).
  bool AtEnd();
  // Makes the system take little: for tests of slow readers.
  void SetReceiveBuffer(int bytes);
  void Shutdown();

 private:
  bool Fill();  // Reads more into input_.

  int socket_ = -1;
  bool ended_ = false;
  std::string input_;
};

}  // namespace bdcsync::gateway
