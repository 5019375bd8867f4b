#include "libs/base/status.h"
#include "services/event-store/conformance/event_store_conformance.h"

namespace bdcsync::event_store {

std::string HostName(const ::testing::TestParamInfo<HostParam>& info) { return info.param.name; }

namespace {

constexpr uint32_t kLogs = 4;
constexpr int64_t kPartitionPositions = 1024;

std::vector<HostParam> AllHosts() {
  std::vector<HostParam> hosts;
  for (const BackendParam& backend : AllBackends(kPartitionPositions)) {
    if (backend.name == "TwoPostgres") continue;  // Its storage suite tells the difference.
    hosts.push_back({backend.name,
                     [backend]() -> absl::StatusOr<std::unique_ptr<StoreHost>> {
                       ASSIGN_OR_RETURN(auto made, backend.make());
                       return MakeLocalHost(std::move(made), kLogs);
                     },
                     backend.needs_postgres});
  }
  hosts.push_back({"Wire", [] { return MakeWireHost(kLogs); }});
  return hosts;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Hosts, EventStoreConformance, ::testing::ValuesIn(AllHosts()), HostName);

}  // namespace bdcsync::event_store
