#include "libs/app/run.h"
#include "services/device-sync/module.h"

int main(int argc, char** argv) {
  return bdcsync::app::Run(argc, argv, bdcsync::device_sync::MakeModule());
}
