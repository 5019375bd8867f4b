#include "services/gateway/session/proto_edge.h"

#include <utility>

#include "libs/log/logger.h"
#include "services/gateway/protocol/proto_message.h"

namespace bdcsync::gateway {
namespace {

// What the session is given in place of a message that cannot be translated: it is no message in
// JSON either, so it is answered and counted as such.
constexpr absl::string_view kNoMessage = "null";

class ProtoEdge final : public ConnectionHandler, public Connection {
 public:
  ProtoEdge(SessionServices& services, Connection& connection)
      : services_(services), connection_(connection) {}
  void Begin(SessionMaker make_session) { session_ = make_session(services_, *this); }

  // ConnectionHandler.
  void OnText(absl::string_view bytes) override {
    const auto json = JsonOfClientMessage(bytes);
    session_->OnText(json.ok() ? absl::string_view(*json) : kNoMessage);
  }
  void OnDrained() override { session_->OnDrained(); }
  void OnShutdown() override { session_->OnShutdown(); }
  void OnClosing(uint16_t code, absl::string_view reason) override {
    session_->OnClosing(code, reason);
  }
  void OnClosed() override { session_->OnClosed(); }

  // Connection.
  void Send(SharedFrame frame) override {
    SharedFrame translated = services_.proto_frames.Of(
        frame, [this](const SharedFrame& text) { return Translated(PayloadOf(*text)); });
    if (!translated->empty()) connection_.Send(std::move(translated));
  }
  void SendText(absl::string_view json) override {
    SharedFrame translated = Translated(json);
    if (!translated->empty()) connection_.Send(std::move(translated));
  }
  size_t queued_bytes() const override { return connection_.queued_bytes(); }
  bool congested() const override { return connection_.congested(); }
  void Close(uint16_t code, absl::string_view reason) override { connection_.Close(code, reason); }
  void PauseReading() override { connection_.PauseReading(); }
  void ResumeReading() override { connection_.ResumeReading(); }
  Loop& loop() override { return connection_.loop(); }
  WireFormat format() const override { return WireFormat::kJson; }
  std::string remote() const override { return connection_.remote(); }

 private:
  // Empty when the message has no such form, which only our own mistake could cause.
  SharedFrame Translated(absl::string_view json) {
    const auto bytes = ServerMessageOfJson(json);
    if (bytes.ok()) return MakeBinaryFrame(*bytes);
    services_.logger.Error("a message cannot be sent as protobuf",
                           {{"error", bytes.status().message()}});
    return std::make_shared<const std::string>();
  }

  SessionServices& services_;
  Connection& connection_;
  std::shared_ptr<ConnectionHandler> session_;
};

}  // namespace

std::shared_ptr<ConnectionHandler> MakeProtoEdge(SessionServices& services, Connection& connection,
                                                 SessionMaker make_session) {
  auto edge = std::make_shared<ProtoEdge>(services, connection);
  edge->Begin(make_session);
  return edge;
}

}  // namespace bdcsync::gateway
