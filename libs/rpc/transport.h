// How the two ends of a connection between services share it. Thread-safe: constants only.
#pragma once

namespace bdcsync::rpc {

// What a sender may send before the receiver has said that it took it, and the longest frame. A
// batch fits, so that no call waits for leave to go on in the midst of its message. With windows of
// this size there is nothing to gain from probing the connection, so that is off.
inline constexpr int kWindowBytes = 4 << 20;
inline constexpr int kFrameBytesMax = 1 << 20;

}  // namespace bdcsync::rpc
