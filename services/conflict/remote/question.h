// What is asked of a resolver in one call, and what its answer is worth. Pure. Thread-safe:
// functions only.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bdcsync/resolver/v1/resolver.pb.h"
#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

// Nested containers in the value of an answer.
inline constexpr std::size_t kAnswerDepthMax = 64;

struct QuestionLimits {
  // Whole documents are sent when all three together have at most so many bytes; 0: never.
  std::size_t documents_bytes_max = 0;
  std::size_t answer_bytes_max = std::size_t{256} << 10;  // Of one value.
};

// The bytes of a place's values, its names, and its documents where they are sent.
std::size_t BytesOf(const RemotePlace& place, const QuestionLimits& limits);

// The call; places that follow each other and share a meeting are asked about as one. Numbers are
// those of `places`, from 1.
resolver::v1::ResolveRequest MakeQuestion(absl::string_view resolver,
                                          absl::Span<const RemotePlace* const> places,
                                          const QuestionLimits& limits);

// One answer for each place. What is wrong with one answer is said in its place; a response that
// answers what was not asked, or one place twice, answers nothing.
std::vector<RemoteAnswer> ReadAnswers(const resolver::v1::ResolveResponse& response,
                                      absl::Span<const RemotePlace* const> places,
                                      const QuestionLimits& limits);

// Whether the answers show that the resolver works: not all of them break its contract.
bool AnyIsValid(absl::Span<const RemoteAnswer> answers);

}  // namespace bdcsync::conflict
