#include "clients/bench/text_peer.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/bench/wire.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/transform.h"

namespace bdcsync::bench {
namespace {

constexpr absl::string_view kRichText = "http://sharejs.org/types/rich-text/v1";

absl::string_view TextAt(const json::Value& message, absl::string_view name) {
  const json::Value* value = message.Find(name);
  return value != nullptr && value->is_string() ? value->string() : absl::string_view();
}

// `theirs` and `ours` were made on one text, theirs first; each comes to be done after the other.
void Cross(ot::Delta& theirs, ot::Delta& ours) {
  ot::Delta moved = ot::Transform(theirs, ours, ot::Priority::kThis);
  theirs = ot::Transform(ours, theirs, ot::Priority::kOther);
  ours = std::move(moved);
}

std::string OpsJson(const ot::Delta& ops) { return json::Serialize(ot::ToJson(ops)); }

}  // namespace

TextPeer::TextPeer(boost::asio::io_context& io, ReadWatch& reads, Target target,
                   Callbacks callbacks)
    : io_(io), target_(std::move(target)), callbacks_(std::move(callbacks)), timer_(io) {
  peer_ = std::make_shared<WsPeer>(
      io, reads,
      WsPeer::Callbacks{[this] {
                          Send(target_.protocol == Protocol::kShareDb
                                   ? R"({"a":"hs","id":null,"protocol":1,"protocolMinor":1})"
                                   : AuthenticateMessage(target_.token, target_.device));
                        },
                        [this](absl::string_view text) {
                          if (target_.latency == absl::ZeroDuration()) return OnText(text);
                          Later([this, text = std::string(text)] { OnText(text); });
                        },
                        [this](absl::string_view why) { Fail(why); }});
}

void TextPeer::Open() {
  const WsUrl url = ParseWsUrl(target_.url);
  peer_->Open(url.endpoint, url.path);
}

void TextPeer::Later(std::function<void()> task) {
  late_.push_back({std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(target_.latency),
                   std::move(task)});
  if (late_.size() == 1) RunLate();
}

void TextPeer::RunLate() {
  timer_.expires_at(late_.front().at);
  timer_.async_wait([this](auto error) {
    if (error) return;
    const auto now = std::chrono::steady_clock::now();
    while (!late_.empty() && late_.front().at <= now) {
      const std::function<void()> task = std::move(late_.front().task);
      late_.pop_front();
      task();
    }
    if (!late_.empty()) RunLate();
  });
}

void TextPeer::Send(std::string text) {
  if (target_.latency == absl::ZeroDuration()) return peer_->Send(text);
  Later([this, text = std::move(text)] { peer_->Send(text); });
}

void TextPeer::Type(const ot::Delta& ours, bool closes) {
  if (waiting_.empty() || waiting_.back().closed) {
    waiting_.push_back({ours, closes, ""});
  } else {
    absl::StatusOr<ot::Delta> composed = ot::Compose(waiting_.back().ops, ours);
    if (!composed.ok()) return Fail(composed.status().message());
    waiting_.back().ops = *std::move(composed);
    waiting_.back().closed = closes;
  }
  SendSoon();
}

void TextPeer::SendSoon() {
  if (sends_soon_ || !flight_.empty()) return;
  sends_soon_ = true;
  boost::asio::post(io_, [this] {
    sends_soon_ = false;
    SendWaiting();
  });
}

void TextPeer::OnText(absl::string_view text) {
  const auto message = json::Parse(text);
  if (!message.ok()) return Fail(text);
  target_.protocol == Protocol::kShareDb ? OnShareDb(*message) : OnSuite(*message);
}

void TextPeer::OnSuite(const json::Value& message) {
  const absl::string_view type = TextAt(message, "type");
  if (type == "changes") return OnChanges(message);
  const json::Value* success = message.Find("success");
  if (success == nullptr || !success->boolean()) return Fail(json::Serialize(message));
  if (const json::Value* results = message.Find("results")) {
    for (const json::Value& result : results->array()) {
      if (!result.Find("success")->boolean()) return Fail(json::Serialize(result));
    }
  }
  if (type == "authenticated") {
    const std::string entity =
        absl::StrCat(R"("space":")", target_.space, R"(","entity_type":"text","entity_id":")",
                     target_.entity, "\"");
    if (target_.creates) {
      Send(absl::StrCat(R"({"type":"sync_request","id":2,"operation":"create",)", entity,
                        R"(,"data":{"text":""}})"));
    }
    Send(absl::StrCat(R"({"type":"subscribe","id":1,"payload":"patch","space":")", target_.space,
                      R"(","filter":{"entity_ids":[")", target_.entity, R"("]}})"));
  }
}

void TextPeer::OnChanges(const json::Value& message) {
  for (const json::Value& event : message.Find("events")->array()) {
    version_ = std::string(TextAt(event, "version_id"));
    const json::Value* const text = event.Find("text");
    if (!ready_) {
      ready_ = true;
      callbacks_.on_ready(*event.Find("data")->Find("text"));
    } else if (!flight_.empty() && TextAt(event, "op_id") == flight_.front().op_id) {
      OnOwn();
    } else if (text != nullptr) {
      OnTheirs(*text->Find("ops"));
    } else {
      return Fail("an event is not about the text");
    }
  }
  SendWaiting();
}

void TextPeer::OnShareDb(const json::Value& message) {
  const absl::string_view action = TextAt(message, "a");
  const std::string doc =
      absl::StrCat(R"("c":")", target_.space, R"(","d":")", target_.entity, "\"");
  if (const json::Value* error = message.Find("error")) return Fail(json::Serialize(*error));
  if (action == "hs") {
    session_ = std::string(TextAt(message, "id"));
    if (target_.creates) {
      Send(absl::StrCat(R"({"a":"op",)", doc, R"(,"v":0,"seq":)", ++sequence_,
                        R"(,"x":{},"create":{"type":")", kRichText, R"(","data":[]}})"));
    } else {
      Send(absl::StrCat(R"({"a":"s",)", doc, R"(,"v":null})"));
    }
  } else if (action == "op" && !ready_) {  // It was made.
    Send(absl::StrCat(R"({"a":"s",)", doc, R"(,"v":null})"));
  } else if (action == "s" && !ready_) {
    const json::Value* const data = message.Find("data");
    ready_ = true;
    revision_ = data->Find("v")->AsInt64().value_or(0);
    const json::Value* const content = data->Find("data");
    const json::Value* const ops = content->is_object() ? content->Find("ops") : content;
    callbacks_.on_ready(ops == nullptr ? json::Value(json::Array()) : *ops);
  } else if (action == "op") {
    OnShareDbOperation(message);
  }
}

void TextPeer::OnShareDbOperation(const json::Value& message) {
  const int64_t revision = message.Find("v")->AsInt64().value_or(-1);
  if (revision < revision_) return;  // It comes with an answer and to subscribers.
  if (revision > revision_) return Fail("an operation is missing");
  ++revision_;
  const json::Value* const op = message.Find("op");
  if (op == nullptr || TextAt(message, "src") == session_) {
    OnOwn();
  } else {
    OnTheirs(op->is_object() ? *op->Find("ops") : *op);
  }
  SendWaiting();
}

void TextPeer::OnTheirs(const json::Value& ops) {
  absl::StatusOr<ot::Delta> theirs = ot::ParseDelta(ops);
  if (!theirs.ok()) return Fail(theirs.status().message());
  for (Pending& ours : flight_) Cross(*theirs, ours.ops);
  for (Pending& ours : waiting_) Cross(*theirs, ours.ops);
  callbacks_.on_theirs(*theirs);
}

void TextPeer::OnOwn() {
  if (flight_.empty()) return Fail("acknowledged what was not sent");
  flight_.pop_front();
  callbacks_.on_acknowledged();
}

void TextPeer::SendWaiting() {
  if (!ready_ || !flight_.empty() || waiting_.empty()) return;
  Send(target_.protocol == Protocol::kShareDb ? ShareDbRequest() : SuiteRequest());
}

// All that waits: operations of one batch on one base build on each other.
std::string TextPeer::SuiteRequest() {
  constexpr size_t kBatchOperationsMax = 1000;
  std::string operations;
  for (size_t i = 0; i < kBatchOperationsMax && !waiting_.empty(); ++i) {
    Pending next = std::move(waiting_.front());
    waiting_.pop_front();
    next.op_id = absl::StrCat(target_.device, "-", ++sent_);
    absl::StrAppend(&operations, operations.empty() ? "" : ",", R"({"op_id":")", next.op_id,
                    R"(","space":")", target_.space, R"(","entity_type":"text","entity_id":")",
                    target_.entity, R"(","operation":"text","base_version":")", version_,
                    R"(","text":{"path":"/text","ops":)", OpsJson(next.ops), "}}");
    flight_.push_back(std::move(next));
  }
  if (flight_.size() > 1) {
    return absl::StrCat(R"({"type":"sync_batch","operations":[)", operations, "]}");
  }
  return absl::StrCat(R"({"type":"sync_request",)", operations.substr(1));
}

// Its clients have one operation in flight.
std::string TextPeer::ShareDbRequest() {
  flight_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  ++sent_;
  return absl::StrCat(R"({"a":"op","c":")", target_.space, R"(","d":")", target_.entity,
                      R"(","v":)", revision_, R"(,"seq":)", ++sequence_, R"(,"x":{},"op":{"ops":)",
                      OpsJson(flight_.back().ops), "}}");
}

}  // namespace bdcsync::bench
