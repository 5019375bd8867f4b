#include "libs/app/readiness.h"

#include <boost/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace bdcsync::app {
namespace {

const char* Name(Readiness::Phase phase) {
  switch (phase) {
    case Readiness::Phase::kStarting:
      return "starting";
    case Readiness::Phase::kServing:
      return "serving";
    case Readiness::Phase::kDraining:
      return "draining";
  }
  return "";
}

}  // namespace

void Readiness::AddCheck(absl::string_view name, bool required,
                         std::function<absl::Status()> check) {
  absl::MutexLock lock(&mutex_);
  checks_.push_back({std::string(name), required, std::move(check)});
}

void Readiness::SetPhase(Phase phase) {
  absl::MutexLock lock(&mutex_);
  phase_ = phase;
}

Readiness::Report Readiness::Run() const {
  Report report;
  std::vector<Check> checks;
  {
    absl::MutexLock lock(&mutex_);
    report.phase = phase_;
    checks = checks_;
  }
  for (const Check& check : checks) {
    report.results.push_back({check.name, check.required, check.run()});
  }
  return report;
}

bool Readiness::IsReady(const Report& report) {
  for (const Result& result : report.results) {
    if (result.required && !result.status.ok()) return false;
  }
  return report.phase == Phase::kServing;
}

absl::Status Readiness::Get() const {
  const Report report = Run();
  if (IsReady(report)) return absl::OkStatus();
  std::vector<std::string> reasons;
  if (report.phase != Phase::kServing) reasons.emplace_back(Name(report.phase));
  for (const Result& result : report.results) {
    if (result.required && !result.status.ok()) {
      reasons.push_back(absl::StrCat(result.name, ": ", result.status.message()));
    }
  }
  return absl::UnavailableError(absl::StrJoin(reasons, "\n"));
}

std::string Readiness::ToJson() const {
  const Report report = Run();
  boost::json::array checks;
  for (const Result& result : report.results) {
    boost::json::object check{
        {"name", result.name}, {"ok", result.status.ok()}, {"required", result.required}};
    if (!result.status.ok()) check["reason"] = std::string(result.status.message());
    checks.push_back(std::move(check));
  }
  const boost::json::object json{
      {"ready", IsReady(report)}, {"phase", Name(report.phase)}, {"checks", std::move(checks)}};
  return boost::json::serialize(json) + "\n";
}

}  // namespace bdcsync::app
