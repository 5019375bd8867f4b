// A session as the feed sees it, for tests: keeps and parses what it was sent. One thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

class FakeSink final : public SubscriptionSink {
 public:
  struct Message {
    std::string cursor;  // Empty where more of the same place follow.
    bool caught_up = false;
    std::vector<json::Value> events;
    std::optional<json::Value> conflict;  // A conflict_opened or conflict_closed.
  };

  void SendFrame(absl::string_view, SharedFrame frame) override {
    frames.push_back(frame);
    if (!parses) return;
    const json::Value message = *json::Parse(PayloadOf(*frame));
    Message parsed;
    if (const json::Value* cursor = message.Find("cursor")) parsed.cursor = *cursor->AsString();
    queued += queued_per_frame;
    if (message.Find("type")->string() != "changes") {
      parsed.conflict = message;
      messages.push_back(std::move(parsed));
      return;
    }
    parsed.caught_up = *message.Find("caught_up")->AsBool();
    for (const json::Value& event : message.Find("events")->array()) {
      parsed.events.push_back(event);
    }
    messages.push_back(std::move(parsed));
  }
  size_t queued_bytes() const override { return queued; }
  void OnResync(absl::string_view id, absl::string_view, absl::Duration after) override {
    resyncs.emplace_back(id);
    resync_after = after;
  }
  void OnEnded(absl::string_view, const absl::Status& why) override { ended = why; }

  // All events as "<seq> <kind> <entity_id>".
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const json::Value& event : Events()) {
      told.push_back(absl::StrCat(event.Find("seq")->number_text(), " ",
                                  event.Find("kind")->string(), " ",
                                  event.Find("entity_id")->string()));
    }
    return told;
  }
  // All openings and closings as "<seq> <type> <conflict_id> of <open_conflicts>".
  std::vector<std::string> ToldOfConflicts() const {
    std::vector<std::string> told;
    for (const Message& message : messages) {
      if (!message.conflict.has_value()) continue;
      const json::Value& news = *message.conflict;
      told.push_back(absl::StrCat(news.Find("seq")->number_text(), " ", news.Find("type")->string(),
                                  " ", news.Find("conflict_id")->string(), " of ",
                                  news.Find("open_conflicts")->number_text()));
    }
    return told;
  }
  std::vector<json::Value> Events() const {
    std::vector<json::Value> events;
    for (const Message& message : messages) {
      events.insert(events.end(), message.events.begin(), message.events.end());
    }
    return events;
  }
  std::string Data(size_t index) const {
    const json::Value event = Events()[index];
    const json::Value* data = event.Find("data");
    return data == nullptr ? "" : json::Serialize(*data);
  }
  // Which of data, patch and text the event carries; empty for none.
  std::string Body(size_t index) const {
    const json::Value event = Events()[index];
    for (const char* body : {"data", "patch", "text"}) {
      if (event.Find(body) != nullptr) return body;
    }
    return "";
  }
  int caught_up_count() const {
    return static_cast<int>(
        std::count_if(messages.begin(), messages.end(), [](auto& m) { return m.caught_up; }));
  }

  std::optional<absl::StatusOr<Subscribed>> subscribed;
  std::vector<SharedFrame> frames;
  std::vector<Message> messages;
  std::vector<std::string> resyncs;
  absl::Duration resync_after;
  absl::Status ended;
  size_t queued = 0;
  size_t queued_per_frame = 0;
  bool parses = true;  // Otherwise frames are kept and nothing else.
};

}  // namespace bdcsync::gateway
