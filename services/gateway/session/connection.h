// One client connection as the session sees it, and the session as the connection sees it. All
// methods run on the connection's loop. The connection owns its handler and outlives OnClosed,
// after which the handler must not use it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

class Loop;

// How the messages of a connection are written, as its subprotocol says.
enum class WireFormat : uint8_t { kJson, kProto };

class Connection {
 public:
  virtual ~Connection() = default;
  // Queues a frame; it leaves with all others of this turn of the loop in one write. Frames leave
  // in order. Does nothing after Close. More than the hard limit queued closes the connection by
  // itself.
  virtual void Send(SharedFrame frame) = 0;
  // Queues `json` as a text frame.
  virtual void SendText(absl::string_view json) = 0;
  // Bytes queued and not yet taken by the operating system.
  virtual size_t queued_bytes() const = 0;
  // Queued bytes are above the high-water mark, or were and OnDrained has not been called yet.
  virtual bool congested() const = 0;
  // Sends what is queued, then a close frame. OnClosed follows, at the latest after a bounded wait.
  virtual void Close(uint16_t code, absl::string_view reason) = 0;
  // Stops taking messages off the socket until ResumeReading. At most one message still arrives.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;
  virtual Loop& loop() = 0;
  virtual WireFormat format() const = 0;
  // Address and port of the peer, for logs.
  virtual std::string remote() const = 0;
};

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // One message within the size limit: UTF-8 text, or the bytes of one of the format kProto. `text`
  // is valid during the call only.
  virtual void OnText(absl::string_view text) = 0;
  // Queued bytes had risen above the high-water mark and are below the low-water mark again.
  virtual void OnDrained() = 0;
  // The server is about to stop: say goodbye, finish what is in flight, then Close(1012).
  virtual void OnShutdown() = 0;
  // The connection closes for reasons of its own (no life, slow consumer, bad frame): the last
  // chance to send something, e.g. `goodbye` or `error`. The close frame follows by itself.
  virtual void OnClosing(uint16_t code, absl::string_view reason) = 0;
  // The connection is gone. Called exactly once, last.
  virtual void OnClosed() = 0;
};

// Makes the handler of a new connection. shared_ptr: answers that are still under way when the
// connection closes hold weak pointers to it.
using HandlerFactory = std::function<std::shared_ptr<ConnectionHandler>(Connection&)>;

}  // namespace bdcsync::gateway
