// The limit of open files, which is one per connection. Called once, before threads are started.
#pragma once

namespace bdcsync::app {

// Raises the soft limit to the hard one: Debian starts programs with 1,024, which is 1,000
// connections. Without the right to do so everything stays as it is.
void RaiseOpenFilesLimit();

}  // namespace bdcsync::app
