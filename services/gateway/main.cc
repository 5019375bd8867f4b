#include "libs/app/run.h"
#include "services/gateway/module.h"

int main(int argc, char** argv) {
  return bdcsync::app::Run(argc, argv, bdcsync::gateway::MakeModule());
}
