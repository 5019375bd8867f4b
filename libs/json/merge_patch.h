// JSON Merge Patch (RFC 7396). Never fails: every JSON value is a patch. The result is no deeper
// than the deeper of target and patch and no larger than both together. Linear in the patch and in
// the objects that it touches, not in the document. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/json/value.h"

namespace bdcsync::json {

void ApplyMergePatch(Value& target, const Value& patch);

// The same, and returns the pointers of the members that really changed: removed ones that were
// there, added ones, and those whose value is another than before; [""] when the whole value was
// replaced. Above `paths_max` paths they are cut to their ancestors, so that the list stays
// complete.
std::vector<std::string> ApplyMergePatchAndList(Value& target, const Value& patch,
                                                size_t paths_max);

}  // namespace bdcsync::json
