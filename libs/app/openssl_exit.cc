#include "libs/app/openssl_exit.h"

#include <openssl/crypto.h>

namespace bdcsync::app {

void KeepOpenSslAtExit() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

}  // namespace bdcsync::app
