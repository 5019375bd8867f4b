#include "services/version/conflict_closing.h"

namespace bdcsync::version {

void AddClosing(const Closing& closing, const std::string& merge, uint32_t group,
                event_store::v1::AppendRequest& request) {
  conflict::v1::Conflict closed = closing.conflict;
  closed.set_closing_version_id(merge);
  event_store::v1::AppendItem& fact = *request.add_items();
  FillFact(closed, closing.facts, closing.fact_event_id, closing.decision_hash, fact);
  fact.set_atomic_group(group);
  event_store::v1::AppendItem& seal = *request.add_items();
  FillSeal(closed, *closing.branch, closing.seal_event_id, seal);
  seal.set_atomic_group(group);
}

}  // namespace bdcsync::version
