#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {

StreamId StreamIdOf(absl::string_view space, absl::string_view stream) {
  return DigestOf({space, absl::string_view("\0", 1), stream});
}

}  // namespace bdcsync::event_store
