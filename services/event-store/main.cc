#include "libs/app/run.h"
#include "services/event-store/module.h"

int main(int argc, char** argv) {
  return bdcsync::app::Run(argc, argv, bdcsync::event_store::MakeModule());
}
