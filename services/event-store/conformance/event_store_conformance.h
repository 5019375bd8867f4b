// What the event store must do, wherever it runs: in this process on every storage, and over the
// wire. A parametrised suite; its tests are in append_conformance.cc and read_conformance.cc.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/event-store/conformance/event_store_client.h"
#include "services/event-store/conformance/test_store.h"

namespace bdcsync::event_store {

class EventStoreConformance : public ::testing::TestWithParam<HostParam> {
 protected:
  static constexpr uint32_t kLogCount = 4;

  void SetUp() override;
  EventStoreClient& client() { return host_->client(); }
  // Restarts the store if it keeps anything.
  void Restart();

  // Appends items in one call; one result for each, or a failed test.
  std::vector<v1::AppendResult> Append(const std::vector<v1::AppendItem>& items);
  v1::AppendResult Append(const v1::AppendItem& item) { return Append(std::vector{item}).at(0); }
  std::vector<v1::Event> ReadSpace(const std::string& space);
  // "<stream>@<revision>" of each.
  static std::vector<std::string> Names(const std::vector<v1::Event>& events);

  std::unique_ptr<StoreHost> host_;
};

MATCHER_P(IsAppendedAt, seq, "is appended at a seq") {
  *result_listener << arg.ShortDebugString();
  return arg.has_appended() && !arg.has_error() && arg.appended().seq() == seq;
}
MATCHER_P(IsRefusedFor, code, "is refused for a reason") {
  *result_listener << arg.ShortDebugString();
  return !arg.has_appended() && arg.error().code() == code;
}
MATCHER_P(IsDuplicateOf, position, "is a duplicate of the event at a position") {
  *result_listener << arg.ShortDebugString();
  return !arg.has_appended() && !arg.has_error() && arg.duplicate().position() == position;
}

}  // namespace bdcsync::event_store
