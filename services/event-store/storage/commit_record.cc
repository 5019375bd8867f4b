#include "services/event-store/storage/commit_record.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace bdcsync::event_store {
namespace {

constexpr uint32_t kFormat = 1;

class Output {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Digest(const Digest128& digest) { bytes_.append(digest.data(), digest.size()); }
  void Text(absl::string_view text) {
    Number(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Reads zeros beyond the end, and remembers it.
class Input {
 public:
  explicit Input(absl::string_view bytes) : rest_(bytes) {}
  template <typename T>
  void Number(T& value) {
    const absl::string_view bytes = Take(sizeof(value));
    if (bytes.size() == sizeof(value)) std::memcpy(&value, bytes.data(), sizeof(value));
  }
  void Number(bool& value) {
    uint8_t byte = 0;
    Number(byte);
    whole_ = whole_ && byte <= 1;
    value = byte == 1;
  }
  void Digest(Digest128& digest) {
    const absl::string_view bytes = Take(digest.size());
    std::copy_n(bytes.data(), bytes.size(), digest.begin());
  }
  void Text(absl::string_view& text) { text = Take(Count(1)); }
  // How many elements follow, each of at least `bytes_min`.
  std::size_t Count(std::size_t bytes_min) {
    uint32_t count = 0;
    Number(count);
    if (count <= rest_.size() / bytes_min) return count;
    whole_ = false;
    return 0;
  }
  bool AtEnd() const { return whole_ && rest_.empty(); }

 private:
  absl::string_view Take(std::size_t size) {
    if (size > rest_.size()) {
      whole_ = false;
      return absl::string_view();
    }
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  absl::string_view rest_;
  bool whole_ = true;
};

// The order of fields, for both ways: `Pass` is an Output or an Input.
template <typename Pass, typename Space>
void PassSpace(Pass& pass, Space& space) {
  pass.Number(space.space_id);
  pass.Text(space.name);
}

template <typename Pass, typename State>
void PassState(Pass& pass, State& state) {
  pass.Number(state.first_position);
  pass.Number(state.revision);
  pass.Number(state.position);
  pass.Number(state.event_id);
  pass.Number(state.first_seq);
}

template <typename Pass, typename Stream>
void PassStream(Pass& pass, Stream& stream) {
  pass.Digest(stream.stream_id);
  pass.Number(stream.is_new);
  pass.Number(stream.space_id);
  pass.Text(stream.name);
  PassState(pass, stream.state);
  pass.Number(stream.seq);
  pass.Number(stream.tombstone);
}

template <typename Pass, typename Event>
void PassEvent(Pass& pass, Event& event) {
  pass.Number(event.position);
  pass.Number(event.space_id);
  pass.Number(event.seq);
  pass.Digest(event.stream_id);
  pass.Number(event.revision);
  pass.Number(event.event_id);
  pass.Number(event.tombstone);
  pass.Text(event.meta);
  pass.Text(event.data);
}

template <typename Pass, typename Operation>
void PassOperation(Pass& pass, Operation& operation) {
  pass.Number(operation.space_id);
  pass.Digest(operation.key);
  pass.Number(operation.request_hash);
  pass.Number(operation.position);
}

template <typename Pass, typename Write>
void PassHead(Pass& pass, Write& write) {
  pass.Number(write.log_id);
  pass.Number(write.epoch);
  pass.Number(write.position);
  pass.Number(write.next_position);
  pass.Number(write.next_space_id);
  pass.Number(write.time_ms);
}

void EncodeWrite(const LogWrite& write, Output& output) {
  PassHead(output, write);
  output.Number(static_cast<uint32_t>(write.spaces.size()));
  for (const LogWrite::Space& space : write.spaces) PassSpace(output, space);
  output.Number(static_cast<uint32_t>(write.streams.size()));
  for (const LogWrite::Stream& stream : write.streams) {
    PassStream(output, stream);
    output.Number(static_cast<int32_t>(stream.state.kind));
  }
  output.Number(static_cast<uint32_t>(write.events.size()));
  for (const LogWrite::Event& event : write.events) PassEvent(output, event);
  output.Number(static_cast<uint32_t>(write.operations.size()));
  for (const LogWrite::Operation& operation : write.operations) PassOperation(output, operation);
}

void DecodeWrite(Input& input, LogWrite& write) {
  PassHead(input, write);
  write.spaces.resize(input.Count(sizeof(uint32_t)));
  for (LogWrite::Space& space : write.spaces) PassSpace(input, space);
  write.streams.resize(input.Count(sizeof(StreamId)));
  for (LogWrite::Stream& stream : write.streams) {
    PassStream(input, stream);
    int32_t kind = 0;
    input.Number(kind);
    stream.state.kind = static_cast<v1::StreamKind>(kind);
  }
  write.events.resize(input.Count(sizeof(StreamId)));
  for (LogWrite::Event& event : write.events) PassEvent(input, event);
  write.operations.resize(input.Count(sizeof(OperationKey)));
  for (LogWrite::Operation& operation : write.operations) PassOperation(input, operation);
}

}  // namespace

std::string EncodeCommit(absl::Span<const LogWrite> writes, const std::vector<bool>& applied) {
  Output output;
  output.Number(kFormat);
  output.Number(static_cast<uint32_t>(std::count(applied.begin(), applied.end(), true)));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (applied[i]) EncodeWrite(writes[i], output);
  }
  return std::move(output.bytes());
}

absl::StatusOr<std::vector<LogWrite>> DecodeCommit(absl::string_view record) {
  Input input(record);
  uint32_t format = 0;
  input.Number(format);
  if (format != kFormat) return absl::DataLossError("the journal is of another version");
  std::vector<LogWrite> writes(input.Count(sizeof(LogWrite::log_id)));
  for (LogWrite& write : writes) DecodeWrite(input, write);
  if (!input.AtEnd()) return absl::DataLossError("a damaged record in the journal");
  return writes;
}

}  // namespace bdcsync::event_store
