#include "services/gateway/websocket/server.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/app/tls_files.h"
#include "libs/base/status.h"
#include "libs/base/timed_cond_var.h"
#include "services/gateway/websocket/asio_loop.h"
#include "services/gateway/websocket/connection_host.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type>;

// Sockets beyond the WebSockets allowed: those in the handshake, and those being refused.
constexpr size_t kHandshakesMax = 4096;
// When no file descriptor is free, the next accept waits this long.
constexpr absl::Duration kAcceptRetry = absl::Milliseconds(100);
constexpr absl::Duration kAcceptWarningInterval = absl::Seconds(10);
constexpr int kListenBacklog = 4096;

class AsioWebSocketServer final : public WebSocketServer {
 public:
  AsioWebSocketServer(ServerOptions options, const Clock& clock, TransportMetrics& metrics,
                      const log::Logger& logger, std::unique_ptr<app::TlsFiles> tls)
      : options_(std::move(options)),
        tls_(std::move(tls)),
        clock_(clock),
        metrics_(metrics),
        logger_(logger),
        shared_{options_,
                clock,
                metrics,
                logger,
                tls_.get(),
                [this] { return Admit(); },
                [this](bool admitted) { Gone(admitted); }} {
    metrics_.connections_max.Set(static_cast<double>(options_.connections_max));
    for (int i = 0; i < options_.threads; ++i) {
      loops_.push_back(std::make_unique<AsioLoop>());
      hosts_.push_back(std::make_unique<ConnectionHost>(*loops_.back(), shared_));
      loop_pointers_.push_back(loops_.back().get());
    }
  }

  ~AsioWebSocketServer() override {
    Drain(clock_.Now());
    for (auto& loop : loops_) loop->Stop();
  }

  const std::vector<Loop*>& loops() const override { return loop_pointers_; }
  app::TlsFiles* tls() override { return tls_.get(); }
  void SetHeartbeatInterval(absl::Duration interval) override {
    for (size_t i = 0; i < loops_.size(); ++i) {
      loops_[i]->Post([&host = *hosts_[i], interval] { host.SetHeartbeatInterval(interval); });
    }
  }
  int port() const override { return port_; }
  size_t connections() const override { return open_.load(std::memory_order_relaxed); }

  absl::Status Start(std::vector<HandlerFactory> factories) override {
    RETURN_IF_ERROR(Listen());
    for (size_t i = 0; i < loops_.size(); ++i) {
      loops_[i]->Post([host = hosts_[i].get(), factory = std::move(factories[i])]() mutable {
        host->Start(std::move(factory));
      });
    }
    loops_.front()->Post([this] { AcceptNext(); });
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) override {
    if (drained_ || acceptor_ == nullptr) return;
    drained_ = true;
    OnLoop(0, [this] {
      error_code ignored;
      acceptor_->close(ignored);
    });
    for (size_t i = 0; i < hosts_.size(); ++i) {
      OnLoop(i, [host = hosts_[i].get()] { host->Shutdown(); });
    }
    WaitUntilEmpty(deadline - clock_.Now());
    for (size_t i = 0; i < hosts_.size(); ++i) {
      OnLoop(i, [host = hosts_[i].get()] { host->AbortAll(); });
    }
  }

 private:
  absl::Status Listen() {
    error_code error;
    const auto address = boost::asio::ip::make_address(options_.listen_address, error);
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("listen_address ", options_.listen_address, ": ", error.message()));
    }
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.port));
    acceptor_ = std::make_unique<Acceptor>(loops_.front()->context().get_executor());
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kListenBacklog, error);
    if (error) {
      acceptor_.reset();
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen for WebSocket clients on ", options_.listen_address, ":",
                       options_.port, " (", error.message(),
                       "): is another process using the port? Set websocket.port or "
                       "listen_address to another one"));
    }
    port_ = acceptor_->local_endpoint(error).port();
    return absl::OkStatus();
  }

  // On the first loop.
  void AcceptNext() {
    const size_t place = next_host_++ % hosts_.size();
    acceptor_->async_accept(loops_[place]->context().get_executor(),
                            [this, place](const error_code& error, TcpSocket socket) {
                              OnAccept(error, std::move(socket), place);
                            });
  }

  void OnAccept(const error_code& error, TcpSocket socket, size_t place) {
    if (!acceptor_->is_open()) return;
    if (error) {
      metrics_.accept_failures.Add();
      if (const auto held_back = accept_warnings_.Allow(); held_back.has_value()) {
        logger_.Warn("accept failed", {{"error", error.message()}, {"suppressed", *held_back}});
      }
      loops_.front()->RunAfter(kAcceptRetry, [this] {
        if (acceptor_->is_open()) AcceptNext();
      });
      return;
    }
    metrics_.accepted.Add();
    if (sockets_.load(std::memory_order_relaxed) < options_.connections_max + kHandshakesMax) {
      sockets_.fetch_add(1, std::memory_order_relaxed);
      loops_[place]->Post([host = hosts_[place].get(), socket = std::move(socket)]() mutable {
        host->Adopt(std::move(socket));
      });
    } else {
      metrics_.refused_full.Add();
    }
    AcceptNext();
  }

  bool Admit() {
    size_t open = open_.load(std::memory_order_relaxed);
    do {
      if (open >= options_.connections_max) return false;
    } while (!open_.compare_exchange_weak(open, open + 1, std::memory_order_relaxed));
    return true;
  }

  void Gone(bool admitted) {
    if (admitted) open_.fetch_sub(1, std::memory_order_relaxed);
    if (sockets_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      absl::MutexLock lock(&mutex_);
      emptied_.SignalAll();
    }
  }

  bool Empty() const { return sockets_.load(std::memory_order_acquire) == 0; }

  void WaitUntilEmpty(absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    emptied_.AwaitFor(mutex_, timeout, [this] { return Empty(); });
  }

  // Runs `task` on a loop and returns when it has run.
  void OnLoop(size_t place, Loop::Task task) {
    std::promise<void> done;
    loops_[place]->Post([&] {
      std::move(task)();
      done.set_value();
    });
    done.get_future().wait();
  }

  const ServerOptions options_;
  const std::unique_ptr<app::TlsFiles> tls_;  // Null: no TLS.
  const Clock& clock_;
  TransportMetrics& metrics_;
  const log::Logger& logger_;
  log::Throttle accept_warnings_{clock_, kAcceptWarningInterval};
  const ConnectionHost::Shared shared_;
  std::vector<std::unique_ptr<AsioLoop>> loops_;
  std::vector<std::unique_ptr<ConnectionHost>> hosts_;
  std::vector<Loop*> loop_pointers_;
  std::unique_ptr<Acceptor> acceptor_;
  int port_ = 0;
  size_t next_host_ = 0;
  bool drained_ = false;
  std::atomic<size_t> sockets_{0};  // All of them.
  std::atomic<size_t> open_{0};     // Those that became WebSockets.
  absl::Mutex mutex_;
  TimedCondVar emptied_;  // Not one socket is left.
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebSocketServer>> MakeWebSocketServer(ServerOptions options,
                                                                     const Clock& clock,
                                                                     TransportMetrics& metrics,
                                                                     const log::Logger& logger) {
  ASSIGN_OR_RETURN(auto tls, app::TlsFiles::Open({.section = "websocket.tls",
                                                  .cert_file = options.tls_cert_file,
                                                  .key_file = options.tls_key_file}));
  return std::make_unique<AsioWebSocketServer>(std::move(options), clock, metrics, logger,
                                               std::move(tls));
}

}  // namespace bdcsync::gateway
