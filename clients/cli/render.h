// Answers as text for people and as JSON for scripts. JSON has the field names of docs/protocol.md,
// one value a line. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/admin/v1/admin.pb.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/json/value.h"

namespace bdcsync::cli {

namespace v1 = sync::v1;

// For scripts.
json::Value JsonOf(const v1::OperationResult& result);
json::Value JsonOf(const version::v1::EntityState& entity);
json::Value JsonOf(const version::v1::VersionInfo& version);
json::Value JsonOf(const v1::Change& change);
json::Value JsonOf(const device_sync::v1::Device& device);
json::Value JsonOf(const v1::GetStatusResponse& status);
json::Value JsonOf(const admin::v1::ParkedGroup& group);
json::Value JsonOf(const absl::Status& error);
json::Value ArrayOf(const std::vector<int64_t>& numbers);

// For people; each ends with a newline.
std::string TextOf(const v1::OperationResult& result);
std::string TextOf(const version::v1::EntityState& entity);
std::string TextOf(const v1::Change& change);
std::string TextOf(const v1::GetStatusResponse& status);
std::string TableOf(const std::vector<version::v1::EntityState>& entities);
std::string TableOf(const std::vector<version::v1::VersionInfo>& versions);
std::string TableOf(const std::vector<device_sync::v1::Device>& devices);
std::string TableOf(const std::vector<admin::v1::ParkedGroup>& groups);

// RFC 3339 UTC with milliseconds, as the protocol has it.
std::string TimeText(int64_t unix_ms);
// JSON text from the server as a value; what is no JSON becomes a string.
json::Value Embedded(absl::string_view text);
// "note/n1", with "@branch" unless it is main.
std::string NameOf(const common::v1::EntityKey& key);

}  // namespace bdcsync::cli
