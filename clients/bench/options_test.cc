#include "clients/bench/options.h"

#include "libs/testing/status_matchers.h"

namespace bdcsync::bench {
namespace {

TEST(Options, NamesTheLoadAndTakesValues) {
  ASSERT_OK_AND_ASSIGN(const Options options,
                       ParseOptions({"write", "--connections=8", "--duration=2s"}));
  EXPECT_EQ(options.load, "write");
  EXPECT_EQ(options.connections, 8);
  EXPECT_EQ(options.duration, absl::Seconds(2));
  EXPECT_EQ(options.in_flight, 16);
  EXPECT_EQ(options.entities, 0);
}

TEST(Options, ClientsMayReturnAtOnce) {
  ASSERT_OK_AND_ASSIGN(const Options options, ParseOptions({"reconnect", "--return-within=0s"}));
  EXPECT_EQ(options.return_within, absl::ZeroDuration());
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(ParseOptions({}).ok());
  EXPECT_FALSE(ParseOptions({"sleep"}).ok());
  EXPECT_FALSE(ParseOptions({"write", "--no-such=1"}).ok());
  EXPECT_FALSE(ParseOptions({"write", "--connections"}).ok());
  EXPECT_FALSE(ParseOptions({"write", "--connections=0"}).ok());
}

}  // namespace
}  // namespace bdcsync::bench
