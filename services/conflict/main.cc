#include "libs/app/run.h"
#include "services/conflict/module.h"

int main(int argc, char** argv) {
  return bdcsync::app::Run(argc, argv, bdcsync::conflict::MakeModule());
}
