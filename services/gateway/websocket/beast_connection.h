// One WebSocket connection on Boost.Beast: TLS and HTTP handshake, incoming messages, outgoing
// frames, heartbeat, close. Included by beast_*.cc only, because of what Beast costs to compile.
// Loop thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "services/gateway/websocket/connection_host.h"
#include "services/gateway/websocket/outbox.h"
#include "services/gateway/websocket/queued_stream.h"

namespace bdcsync::gateway {

class BeastConnection final : public HostedConnection,
                              public TurnEndListener,
                              public QueuedStream::Writer,
                              public std::enable_shared_from_this<BeastConnection> {
 public:
  BeastConnection(ConnectionHost& host, TcpSocket socket);

  // Connection.
  void Send(SharedFrame frame) override;
  void SendText(absl::string_view json) override;
  size_t queued_bytes() const override { return outbox_.bytes(); }
  bool congested() const override { return above_high_; }
  void Close(uint16_t code, absl::string_view reason) override;
  void PauseReading() override { paused_ = true; }
  void ResumeReading() override;
  Loop& loop() override { return host_.loop(); }
  WireFormat format() const override { return format_; }
  std::string remote() const override;

  // HostedConnection.
  void Start() override;
  void Tick(absl::Duration now) override;
  void Shutdown() override;
  void Abort() override;

  // TurnEndListener, Writer.
  void OnTurnEnd() override;
  void QueueBytes(std::string bytes) override;

 private:
  using Stream = boost::beast::websocket::stream<QueuedStream>;
  using ErrorCode = boost::beast::error_code;
  // What only the handshake needs, given back when it is done.
  struct Handshake {
    boost::beast::flat_buffer buffer;
    boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
  };
  // kClosing: our close frame is queued, the peer's is awaited. kLingering: nothing more is sent
  // once the queue is empty, what still comes is thrown away. kGone: cut.
  enum class State : uint8_t { kHandshake, kOpen, kClosing, kLingering, kGone };

  // beast_handshake.cc
  void ReadRequest();
  void OnRequest(ErrorCode error);
  void Refuse(int status, absl::string_view phrase, absl::string_view explanation);
  void Accept();
  void OnAccepted(ErrorCode error, bool subprotocol_supported);

  // beast_read.cc
  void ReadSome();
  void OnRead(ErrorCode error);
  void OnMessage();
  void OnReadEnded(ErrorCode error);
  void Linger();
  void DiscardInput();

  // beast_write.cc
  bool Deflates(const SharedFrame& frame) const;
  void QueueMessage(SharedFrame frame);
  void Queue(SharedFrame frame);
  void WantWrite();
  void Write();
  void WritePlain();
  void WriteTls();
  void OnTlsWritten(ErrorCode error, size_t bytes);
  void CloseOverflowed();
  void OnQueueShrunk();
  void OnQueueEmpty();

  // beast_connection.cc
  // What we agree to, given the extensions that the client offers.
  void OfferCompression(absl::string_view offer);
  void CloseForOwnReasons(uint16_t code, absl::string_view reason);
  void CheckLife(absl::Duration now);
  QueuedStream& stream() { return ws_.next_layer(); }
  const ServerOptions& options() const { return host_.shared().options; }
  TransportMetrics& metrics() const { return host_.shared().metrics; }

  ConnectionHost& host_;
  Stream ws_;
  std::shared_ptr<ConnectionHandler> handler_;
  std::unique_ptr<Handshake> handshake_;
  boost::beast::flat_buffer buffer_;
  Outbox outbox_;
  std::string tls_chunk_;  // What TLS is encrypting now; empty without TLS.
  absl::Duration deadline_;
  absl::Duration last_life_;
  absl::Duration last_ping_;
  absl::Duration last_progress_;  // When the peer last took bytes, or nothing waited.
  size_t bytes_since_life_ = 0;
  State state_ = State::kHandshake;
  WireFormat format_ = WireFormat::kJson;
  bool deflates_ = false;       // The peer takes compressed messages.
  bool paused_ = false;         // The session wants no more messages now.
  bool reading_ = false;        // A read is under way.
  bool in_message_ = false;     // The handler looks at buffer_: no read may begin.
  bool turn_end_due_ = false;   // The loop will call OnTurnEnd.
  bool write_waiting_ = false;  // Until the socket takes more.
  bool above_high_ = false;     // The handler is owed OnDrained.
  bool overflowed_ = false;     // Too much was queued: will be closed with 4430.
  bool send_shut_ = false;      // The peer was told that no more comes.
};

}  // namespace bdcsync::gateway
