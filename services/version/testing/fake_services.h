// event-store and conflict as modules on fakes, for tests of this service's own module: the same
// wire, other insides. They stand beside it in one process, under the names that it looks for.
#pragma once

#include <memory>

#include "libs/app/module.h"
#include "services/version/testing/fake_desk.h"
#include "services/version/testing/fake_event_log.h"
#include "services/version/testing/merging_resolver.h"

namespace bdcsync::version::testing {

// Both borrow the fakes, which must outlive the process.
std::unique_ptr<app::Module> MakeFakeEventStore(FakeEventLog& log);
std::unique_ptr<app::Module> MakeFakeConflict(MergingResolver& resolver, FakeDesk& desk);

}  // namespace bdcsync::version::testing
