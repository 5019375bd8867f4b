// Linked into every program of the presets asan and tsan: how its sanitizer behaves, whoever starts
// it. A finding ends the program at once with a status that no program of ours has, so that a test
// of a failing start cannot take it for the failure that it expects.
#if defined(__SANITIZE_ADDRESS__)

extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "exitcode=66:detect_leaks=1:detect_stack_use_after_return=1:check_initialization_order=1:"
         "strict_string_checks=1";
}

extern "C" __attribute__((visibility("default"))) const char* __lsan_default_options() {
  return "exitcode=66:print_suppressions=0";
}

// Only what a packaged library does by itself, each with its reason.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions() {
  // libpqxx before 7.6.1 loses the result of a statement whose connection broke meanwhile, because
  // it then throws before it owns the result (github.com/jtv/libpqxx/pull/500).
  return "leak:PQmakeEmptyPGresult\n";
}

extern "C" __attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "exitcode=66:halt_on_error=1:print_stacktrace=1";
}

#elif defined(__SANITIZE_THREAD__)

extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "exitcode=66:halt_on_error=1:second_deadlock_stack=1:history_size=4";
}

#endif
