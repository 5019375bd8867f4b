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
  return "exitcode=66:halt_on_error=1:second_deadlock_stack=1:history_size=4:print_suppressions=0";
}

// Only what packaged libraries do by themselves: they are not built for ThreadSanitizer, so that it
// sees neither their atomics nor what these order, beyond what libs/testing/tsan_*.cc tell it. No
// line names a function under which handlers of ours run, such as the threads of gRPC: what our
// code does there is judged.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return
      // The libraries' own reading, writing and freeing of their buffers.
      "called_from_lib:libgrpc.so\n"
      "called_from_lib:libgrpc++.so\n"
      "called_from_lib:libabsl_status.so\n"
      "called_from_lib:libcrypto.so\n"
      "called_from_lib:libssl.so\n"
      "called_from_lib:libupb.so\n"
      "race_top:libgrpc.so\n"
      "race_top:libssl.so\n"
      "race_top:^grpc_\n"
      "race_top:^grpc::\n"
      // Memory of a call: allocated on one thread of gRPC, first used on another, and released by
      // the last of several that count their references inside the library.
      "race:gpr_malloc\n"
      "race:gpr_realloc\n"
      "race:gpr_free\n"
      "race:grpc::ServerContextBase::CompletionOp::Unref\n"
      "race_top:CatchingCallback\n"
      "race:CallbackWithSuccessTag::~CallbackWithSuccessTag\n"
      "race:CallbackWithSuccessTag::Clear\n"
      "race:absl::debian3::Mutex::~Mutex\n"
      "race:absl::debian3::Status::UnrefNonInlined\n"
      // gRPC calls OnDone, where a reactor and its call are deleted, when all other reactions have
      // returned, and counts and posts that inside the library. AddressSanitizer watches this
      // place.
      "race:ServerCallback*Impl::CallOnDone\n"
      // The context of a call, which lets go of its channel: the library counts its owners, and
      // frees it, seen or not. Nothing of ours runs there.
      "race:^~Remote$\n"
      // Bytes on their way to a callee in the same process, and the message that they become there.
      "race:grpc::SerializationTraits*Deserialize\n"
      "race:grpc::internal::DefaultMessageHolder\n"
      // The state of a batch of operations, which passes between threads through gRPC's queues, and
      // its first reader on the callee's side: the interceptor that counts calls.
      "race:grpc::CompletionQueue::AsyncNextInternal\n"
      "race:InterceptorBatchMethodsImpl::InterceptorBatchMethodsImpl\n"
      "race:InterceptorBatchMethodsImpl::~InterceptorBatchMethodsImpl\n"
      "race:InterceptorBatchMethodsImpl::Set\n"
      "race:grpc::internal::MetadataMap\n"
      "race_top:Intercept\n"
      // A channel's watch of a connection, and the pool of threads.
      "race:grpc_core::ClientChannel::SubchannelWrapper::WatcherWrapper\n"
      "race:ConnectivityStateWatcherInterface::PopConnectivityStateChange\n"
      "race:grpc_event_engine::experimental::ThreadPool::ThreadCount\n"
      // Abseil's table of time zones and its pool of random bytes, each made once.
      "race:LoadTimeZone\n"
      "race:libabsl_random_internal_pool_urbg.so\n";
}

#endif
