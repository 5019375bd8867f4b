// Settings in environment variables: BDC_SYNC_<KEY>, a key's alias, and <either>_FILE for secrets.
// Thread-safe: functions only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libs/config/loader.h"
#include "libs/config/mistakes.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

// Adds what the environment sets, and to `passed_over` what it sets for other services. A variable
// that is set but empty counts as not set. Unknown names under BDC_SYNC_ are mistakes, except
// ignored ones and those that Kubernetes makes for every Service.
void ReadEnvironment(const Sources& sources, const Schema& schema, Settings& settings,
                     std::vector<PassedOver>& passed_over, Mistakes& mistakes);

}  // namespace bdcsync::config
