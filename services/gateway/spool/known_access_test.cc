#include "services/gateway/spool/known_access.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

constexpr absl::Duration kGrace = absl::Minutes(10);

class KnownAccessTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const Caller> CallerOf(const std::string& device, Access team,
                                                absl::Time expires) {
    Caller caller;
    caller.user_id = "ada";
    caller.device_id = device;
    caller.session_id = absl::StrCat("s-", device);
    if (team != Access::kNone) caller.spaces["team"] = team;
    caller.token_expires = expires;
    return std::make_shared<const Caller>(std::move(caller));
  }
  static version::v1::CommitItem OperationOf(const std::string& device) {
    version::v1::CommitItem item;
    item.mutable_operation()->mutable_entity()->set_space("team");
    item.mutable_actor()->set_user_id("ada");
    item.mutable_actor()->set_device_id(device);
    item.mutable_actor()->set_session_id(absl::StrCat("s-", device));
    return item;
  }
  absl::Status Check(const std::string& device, absl::Time expires, bool vouched = false) {
    return access_.Check(OperationOf(device), expires, vouched);
  }

  ManualClock clock_{absl::UnixEpoch() + absl::Hours(1000)};
  const absl::Time now_ = clock_.Now();
  std::map<std::string, std::shared_ptr<const Caller>, std::less<>> sessions_;
  std::set<std::string> revoked_;
  KnownAccess access_{clock_,
                      {[this](absl::string_view session) {
                         const auto open = sessions_.find(std::string(session));
                         return open == sessions_.end() ? nullptr : open->second;
                       },
                       [this](absl::string_view, absl::string_view device) {
                         return revoked_.contains(std::string(device));
                       }},
                      {.token_grace = kGrace, .devices_max = 2}};
};

TEST_F(KnownAccessTest, WithoutNewsATokenStandsUntilItsGraceIsOver) {
  EXPECT_OK(Check("phone", absl::InfiniteFuture()));
  EXPECT_OK(Check("phone", now_ - kGrace));
  EXPECT_THAT(Check("phone", now_ - kGrace - absl::Milliseconds(1)),
              HasReason(Reason::kTokenExpired));
  EXPECT_OK(Check("phone", now_ - kGrace - absl::Milliseconds(1), /*vouched=*/true));
}

TEST_F(KnownAccessTest, AnOpenSessionsLatestTokenDecides) {
  sessions_["s-phone"] = CallerOf("phone", Access::kWrite, now_ + absl::Hours(1));
  EXPECT_OK(Check("phone", now_ - absl::Hours(9)));
  sessions_["s-phone"] = CallerOf("phone", Access::kRead, now_ + absl::Hours(1));
  EXPECT_THAT(Check("phone", now_ + absl::Hours(1)), HasReason(Reason::kForbidden));
  // A later token may be a shorter one; what the first allowed, it allows to its end.
  sessions_["s-phone"] = CallerOf("phone", Access::kWrite, now_ - absl::Hours(9));
  EXPECT_OK(Check("phone", now_));
  sessions_["s-phone"] = CallerOf("phone", Access::kRead, now_ + absl::Hours(1));
  // Nobody stands for access that is known to be lost.
  EXPECT_THAT(Check("phone", now_ + absl::Hours(1), /*vouched=*/true),
              HasReason(Reason::kForbidden));
}

TEST_F(KnownAccessTest, ALaterTokenOfTheSameDeviceCountsAfterItsSessionToo) {
  access_.Remember(true);
  access_.OnAccess(CallerOf("phone", Access::kNone, now_ + absl::Hours(1)));
  EXPECT_THAT(Check("phone", now_ + absl::Hours(1)), HasReason(Reason::kForbidden));
  EXPECT_OK(Check("tablet", now_ + absl::Hours(1)));
  access_.OnAccess(CallerOf("phone", Access::kWrite, now_ + absl::Hours(1)));
  EXPECT_OK(Check("phone", now_ - absl::Hours(9)));
  access_.Remember(false);
  EXPECT_THAT(Check("phone", now_ - absl::Hours(9)), HasReason(Reason::kTokenExpired));
}

TEST_F(KnownAccessTest, WhatIsStoredBringsTheLatestTokenOfItsSession) {
  sessions_["s-phone"] = CallerOf("phone", Access::kNone, now_ + absl::Hours(1));
  access_.OnStored(*CallerOf("phone", Access::kWrite, now_ + absl::Hours(1)));
  sessions_.clear();
  EXPECT_THAT(Check("phone", now_ + absl::Hours(1)), HasReason(Reason::kForbidden));
}

TEST_F(KnownAccessTest, ATokenWithoutADeviceSaysNothingAboutAnother) {
  access_.Remember(true);
  access_.OnAccess(CallerOf("", Access::kNone, now_ + absl::Hours(1)));
  EXPECT_OK(Check("", now_ + absl::Hours(1)));
}

TEST_F(KnownAccessTest, ARevokedDeviceMayDoNothing) {
  revoked_.insert("phone");
  EXPECT_THAT(Check("phone", absl::InfiniteFuture()), HasReason(Reason::kForbidden));
  EXPECT_OK(Check("tablet", absl::InfiniteFuture()));
}

TEST_F(KnownAccessTest, OneMoreThanAreRememberedForgetsTheOneLongestUnheardOf) {
  access_.Remember(true);
  for (const char* device : {"a", "b", "a", "c"}) {
    access_.OnAccess(CallerOf(device, Access::kNone, now_ + absl::Hours(1)));
  }
  EXPECT_THAT(Check("a", now_ + absl::Hours(1)), HasReason(Reason::kForbidden));
  EXPECT_OK(Check("b", now_ + absl::Hours(1)));
  EXPECT_THAT(Check("c", now_ + absl::Hours(1)), HasReason(Reason::kForbidden));
}

}  // namespace
}  // namespace bdcsync::gateway
