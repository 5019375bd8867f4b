// Conflicts, records and rules as text for people and as JSON for scripts; JSON has the field names
// of docs/protocol.md. Pure.
#pragma once

#include <string>
#include <vector>

#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/sync/v1/desk.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/json/value.h"

namespace bdcsync::cli {

// For scripts.
json::Value JsonOf(const conflict::v1::Conflict& conflict);
json::Value JsonOf(const version::v1::ConflictView& view);
json::Value JsonOf(const std::string& conflict_id, const sync::v1::DecideResult& result);
json::Value JsonOf(const conflict::v1::Resolution& resolution);
json::Value JsonOf(const conflict::v1::AnalyzeGroup& group);
json::Value JsonOf(const conflict::v1::RuleSet& rules);
json::Value JsonOf(const conflict::v1::DryRunResponse& report);
json::Value JsonOf(const sync::v1::ConflictNews& news);

// For people; each ends with a newline.
std::string TableOf(const std::vector<conflict::v1::Conflict>& conflicts);
// Base, theirs and ours beside each other for each place, and what is proposed.
std::string TextOf(const version::v1::ConflictView& view);
// What the choices of `view` would make of the entity.
std::string PreviewOf(const version::v1::ConflictView& view);
std::string TextOf(const std::string& conflict_id, const sync::v1::DecideResult& result);
std::string TableOf(const std::vector<conflict::v1::Resolution>& resolutions);
std::string TextOf(const conflict::v1::AnalyzeResponse& report);
std::string TableOf(const std::vector<conflict::v1::RuleSet>& rules);
std::string TextOf(const conflict::v1::DryRunResponse& report);
std::string TextOf(const sync::v1::ConflictNews& news);

}  // namespace bdcsync::cli
