// Shortens a list of JSON pointers without making it say less than it did. Internal. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bdcsync::json {

// When there are more than `paths_max` paths, cuts all of them to the greatest number of tokens at
// which at most `paths_max` different ones are left; [""] covers everything. `paths` must be in
// the order of a walk over a document, so that those with a common ancestor are neighbours.
void CutToAncestors(std::vector<std::string>& paths, size_t paths_max);

}  // namespace bdcsync::json
