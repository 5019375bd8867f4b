#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {

bool AreToldApart(const std::vector<merge::Decision>& places, size_t places_max) {
  if (places.size() > places_max) return false;
  size_t path_bytes = 0;
  for (const merge::Decision& place : places) path_bytes += place.path.size();
  return path_bytes <= places_max * kToldPathBytes;
}

}  // namespace bdcsync::conflict
