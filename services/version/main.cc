#include "libs/app/run.h"
#include "services/version/module.h"

int main(int argc, char** argv) {
  return bdcsync::app::Run(argc, argv, bdcsync::version::MakeModule());
}
