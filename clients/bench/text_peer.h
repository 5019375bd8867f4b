// A client of one text that is edited together: one exchange in flight, the rest composed, as
// docs/protocol.md says. Speaks to the suite, or to ShareDB with the type rich-text. Keeps no text,
// only operations: whoever owns it knows what its user sees. On one io_context; not thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/bench/options.h"
#include "clients/bench/read_watch.h"
#include "clients/bench/ws_peer.h"
#include "libs/json/value.h"
#include "libs/ot/delta.h"

namespace bdcsync::bench {

class TextPeer {
 public:
  struct Target {
    Protocol protocol = Protocol::kBdcSync;
    std::string url, token, device, space, entity;
    absl::Duration latency;  // Added to every message, in each direction.
    bool creates = false;    // Makes the text first, which must not be there.
  };
  struct Callbacks {
    // The text is there as the server has it: `content` of it, an array of inserts or a string.
    std::function<void(const json::Value& content)> on_ready;
    // What another did, as it is to be done to all that is here.
    std::function<void(const ot::Delta& theirs)> on_theirs;
    // The oldest operation that was not acknowledged is.
    std::function<void()> on_acknowledged;
    std::function<void(absl::string_view why)> on_failed;
  };

  // `io` and `reads` are borrowed.
  TextPeer(boost::asio::io_context& io, ReadWatch& reads, Target target, Callbacks callbacks);

  void Open();
  // `ours` was done to all that is here. It is composed with what waits; unless `closes`, so is
  // what is typed next: operations that are closed stay apart on their way through the server. Each
  // is acknowledged once. What is typed before the io_context goes on is sent together.
  void Type(const ot::Delta& ours, bool closes = false);
  bool settled() const { return flight_.empty() && waiting_.empty(); }
  // Operations that were sent.
  uint64_t sent() const { return sent_; }

 private:
  struct Pending {
    ot::Delta ops;
    bool closed = false;
    std::string op_id;
  };

  // Runs `task` after the latency; in order.
  void Later(std::function<void()> task);
  void RunLate();
  void Send(std::string text);
  void OnText(absl::string_view text);
  void OnSuite(const json::Value& message);
  void OnShareDb(const json::Value& message);
  void OnChanges(const json::Value& message);
  void OnShareDbOperation(const json::Value& message);
  void OnTheirs(const json::Value& ops);
  void OnOwn();
  void SendSoon();
  void SendWaiting();
  std::string SuiteRequest();
  std::string ShareDbRequest();
  void Fail(absl::string_view why) { callbacks_.on_failed(why.substr(0, 500)); }

  struct Late {
    std::chrono::steady_clock::time_point at;
    std::function<void()> task;
  };

  boost::asio::io_context& io_;
  const Target target_;
  const Callbacks callbacks_;
  std::shared_ptr<WsPeer> peer_;
  std::deque<Pending> flight_;
  std::deque<Pending> waiting_;
  bool ready_ = false;
  bool sends_soon_ = false;
  std::string version_;    // Of the suite: of the last event.
  int64_t revision_ = 0;   // Of ShareDB.
  std::string session_;    // At ShareDB.
  uint64_t sequence_ = 0;  // At ShareDB.
  uint64_t sent_ = 0;
  std::deque<Late> late_;
  boost::asio::steady_timer timer_;
};

}  // namespace bdcsync::bench
