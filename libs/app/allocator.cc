// How jemalloc, which every program is linked with, keeps memory: what is free goes back to the
// system within half a second, by a thread of its own, so that a crowd that comes and leaves does
// not stay in the resident size. Read by jemalloc before main.
extern "C" {
extern const char* malloc_conf;  // NOLINT(readability-identifier-naming): jemalloc's name.
const char* malloc_conf = "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0";
}
