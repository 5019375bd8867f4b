#include "libs/rpc/client.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_cat.h"

namespace bdcsync::rpc {

std::string MethodName(const char* service, const google::protobuf::Descriptor* request) {
  const google::protobuf::ServiceDescriptor* const descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  for (int i = 0; descriptor != nullptr && i < descriptor->method_count(); ++i) {
    const google::protobuf::MethodDescriptor* const method = descriptor->method(i);
    if (method->input_type() == request) return absl::StrCat("/", service, "/", method->name());
  }
  return absl::StrCat("/", service, "/unknown");
}

}  // namespace bdcsync::rpc
