#include "services/gateway/websocket/frame_deflater.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>

#include "libs/metrics/registry.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

// What a client makes of the payload of a compressed message, with a decompressor of its own.
std::string Inflate(absl::string_view payload) {
  std::string in(payload);
  in.append("\x00\x00\xff\xff", 4);
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, -15), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::string piece(64 << 10, '\0');
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int done = inflate(&stream, Z_SYNC_FLUSH);
    EXPECT_TRUE(done == Z_OK || done == Z_BUF_ERROR) << done;
    out.append(piece, 0, piece.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  inflateEnd(&stream);
  return out;
}

class FrameDeflaterTest : public ::testing::Test {
 protected:
  metrics::Registry registry_;
  TransportMetrics metrics_{registry_};
  FrameDeflater deflater_{metrics_};
};

TEST_F(FrameDeflaterTest, EachMessageIsCompleteByItself) {
  for (const size_t size : {100, 70'000, 1'000'000, 100}) {
    const std::string text(size, 'z');
    const SharedFrame deflated = deflater_.Deflate(MakeTextFrame(text));
    EXPECT_EQ(deflated->front(), static_cast<char>(kTextFrame | kCompressedBit));
    EXPECT_LT(deflated->size(), text.size());
    EXPECT_EQ(Inflate(PayloadOf(*deflated)), text);
  }
}

TEST_F(FrameDeflaterTest, BinaryMessagesStayBinary) {
  const SharedFrame deflated = deflater_.Deflate(MakeBinaryFrame(std::string(5000, '\0')));
  EXPECT_EQ(deflated->front(), static_cast<char>(kBinaryFrame | kCompressedBit));
}

TEST_F(FrameDeflaterTest, WhatDoesNotGetSmallerIsSentAsItIs) {
  std::mt19937 random(1);
  std::string noise(5000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  const SharedFrame frame = MakeBinaryFrame(noise);
  EXPECT_EQ(deflater_.Deflate(frame), frame);
}

TEST_F(FrameDeflaterTest, ASharedFrameIsCompressedOnce) {
  const SharedFrame frame = MakeTextFrame(std::string(5000, 'z'));
  const SharedFrame first = deflater_.DeflateShared(frame);
  EXPECT_EQ(deflater_.DeflateShared(frame), first);
  EXPECT_EQ(metrics_.uncompressed_bytes.value(), 5000);
}

TEST(AllowsDeflateTest, OnlyWithTheWholeWindow) {
  EXPECT_FALSE(AllowsDeflate(""));
  EXPECT_TRUE(AllowsDeflate("permessage-deflate; server_no_context_takeover"));
  EXPECT_TRUE(AllowsDeflate("permessage-deflate; server_max_window_bits=15"));
  EXPECT_FALSE(AllowsDeflate("permessage-deflate; server_max_window_bits=9"));
}

}  // namespace
}  // namespace bdcsync::gateway
