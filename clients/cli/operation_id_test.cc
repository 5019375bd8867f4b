#include "clients/cli/operation_id.h"

#include <gtest/gtest.h>

#include "libs/base/ids.h"

namespace bdcsync::cli {
namespace {

TEST(OperationIdTest, OneOfVersionSevenTellsWhenItWasMade) {
  SeededRandom random{7};
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'123);
  EXPECT_EQ(TimeOfOperationId(MakeTimeOrderedUuid(now, random)), now);
  // The example of RFC 9562, appendix A.6.
  EXPECT_EQ(TimeOfOperationId("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"),
            absl::FromUnixMillis(1'645'557'742'000));
}

TEST(OperationIdTest, AnyOtherTellsNothing) {
  for (const char* id :
       {"", "mine", "919108f7-52d1-4320-9bac-f847db4148a8", "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e2x79b0-7cc3-98c4-dc0c0c07398f",
        "017f22g2-79b0-7cc3-98c4-dc0c0c07398f"}) {
    EXPECT_EQ(TimeOfOperationId(id), std::nullopt) << id;
  }
}

}  // namespace
}  // namespace bdcsync::cli
