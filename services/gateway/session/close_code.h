// WebSocket close codes that the gateway sends, as docs/protocol.md lists them. Values only.
#pragma once

#include <cstdint>

namespace bdcsync::gateway {

inline constexpr uint16_t kCloseNormal = 1000;
inline constexpr uint16_t kCloseServerStops = 1001;
inline constexpr uint16_t kCloseProtocolError = 1002;
inline constexpr uint16_t kCloseInvalidText = 1007;
inline constexpr uint16_t kCloseTooBig = 1009;
inline constexpr uint16_t kCloseRestart = 1012;
inline constexpr uint16_t kCloseBadMessage = 4400;
inline constexpr uint16_t kCloseUnauthenticated = 4401;
inline constexpr uint16_t kCloseForbidden = 4403;
inline constexpr uint16_t kCloseSubprotocol = 4406;
inline constexpr uint16_t kCloseNoLife = 4408;
inline constexpr uint16_t kCloseRateLimited = 4429;
inline constexpr uint16_t kCloseSlowConsumer = 4430;
inline constexpr uint16_t kCloseSuperseded = 4431;
inline constexpr uint16_t kCloseTokenExpired = 4432;

}  // namespace bdcsync::gateway
