#include "services/gateway/spool/stored_operations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/entity/key.h"

namespace bdcsync::gateway {

using version::v1::CommitItem;

queue::NewItem ItemOf(StoreAndForward::Group group) {
  queue::NewItem item{.lane = group.items.front().operation().entity().space()};
  v1::StoredOperations stored;
  for (CommitItem& operation : group.items) *stored.add_items() = std::move(operation);
  if (group.caller->token_expires != absl::InfiniteFuture()) {
    stored.set_token_expires_ms(absl::ToUnixMillis(group.caller->token_expires));
  }
  item.keys = KeysOf(stored);
  item.payload = stored.SerializeAsString();
  return item;
}

v1::StoredOperations StoredIn(const queue::Item& item) {
  v1::StoredOperations stored;
  stored.ParseFromString(item.payload);
  return stored;
}

std::vector<std::string> KeysOf(const v1::StoredOperations& stored) {
  std::vector<std::string> keys;
  for (const CommitItem& item : stored.items()) {
    const common::v1::EntityKey& key = item.operation().entity();
    keys.push_back(absl::StrCat(key.space(), "\n", entity::StreamName(entity::ViewOf(key))));
  }
  return keys;
}

absl::Time TokenExpires(const v1::StoredOperations& stored) {
  return stored.token_expires_ms() == 0 ? absl::InfiniteFuture()
                                        : absl::FromUnixMillis(stored.token_expires_ms());
}

void Renumber(v1::StoredOperations& stored, uint32_t number) {
  for (CommitItem& item : *stored.mutable_items()) {
    if (item.atomic_group() != 0) item.set_atomic_group(number);
    if (item.batch() != 0) item.set_batch(number);
  }
}

}  // namespace bdcsync::gateway
