#include "libs/json/boost_parse_testing.h"

#include <boost/json/basic_parser_impl.hpp>
#include <iterator>
#include <string>
#include <vector>

namespace bdcsync::json {
namespace {

namespace bj = boost::json;

absl::string_view View(bj::string_view text) { return absl::string_view(text.data(), text.size()); }

// What was read and not yet taken by the container around it.
struct Scratch {
  std::vector<Value> values;
  std::vector<std::string> keys;
  std::string text;  // The parts so far of a string, key or number.
};

// Builds the value from the parser's events.
class Builder {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  using error_code = bj::error_code;

  explicit Builder(Scratch& scratch) : scratch_(scratch) {}

  Value TakeResult() { return std::move(scratch_.values.back()); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }

  bool on_array_end(size_t count, error_code&) {
    std::vector<Value>& values = scratch_.values;
    const auto first = values.end() - static_cast<std::ptrdiff_t>(count);
    Array elements(std::make_move_iterator(first), std::make_move_iterator(values.end()));
    values.erase(first, values.end());
    values.emplace_back(std::move(elements));
    return true;
  }

  bool on_object_end(size_t count, error_code&) {
    std::vector<Value>& values = scratch_.values;
    std::vector<std::string>& keys = scratch_.keys;
    std::vector<Member> members(count);
    const size_t first_value = values.size() - count;
    const size_t first_key = keys.size() - count;
    for (size_t i = 0; i < count; ++i) {
      members[i].key = std::move(keys[first_key + i]);
      members[i].value = std::move(values[first_value + i]);
    }
    values.resize(first_value);
    keys.resize(first_key);
    values.emplace_back(Object(std::move(members)));
    return true;
  }

  bool on_key_part(bj::string_view part, size_t, error_code&) { return AddPart(part); }
  bool on_key(bj::string_view part, size_t, error_code&) {
    scratch_.keys.emplace_back(WithParts(View(part)));
    scratch_.text.clear();
    return true;
  }
  bool on_string_part(bj::string_view part, size_t, error_code&) { return AddPart(part); }
  bool on_string(bj::string_view part, size_t, error_code&) {
    scratch_.values.emplace_back(WithParts(View(part)));
    scratch_.text.clear();
    return true;
  }
  bool on_number_part(bj::string_view part, error_code&) { return AddPart(part); }
  bool on_int64(int64_t, bj::string_view part, error_code&) { return AddNumber(part); }
  bool on_uint64(uint64_t, bj::string_view part, error_code&) { return AddNumber(part); }
  bool on_double(double, bj::string_view part, error_code&) { return AddNumber(part); }
  bool on_bool(bool boolean, error_code&) {
    scratch_.values.emplace_back(boolean);
    return true;
  }
  bool on_null(error_code&) {
    scratch_.values.emplace_back();
    return true;
  }
  bool on_comment_part(bj::string_view, error_code&) { return true; }
  bool on_comment(bj::string_view, error_code&) { return true; }

 private:
  bool AddPart(bj::string_view part) {
    scratch_.text.append(part.data(), part.size());
    return true;
  }
  absl::string_view WithParts(absl::string_view last) {
    if (scratch_.text.empty()) return last;
    scratch_.text.append(last.data(), last.size());
    return scratch_.text;
  }
  bool AddNumber(bj::string_view part) {
    scratch_.values.emplace_back(NumberText{WithParts(View(part))});
    scratch_.text.clear();
    return true;
  }

  Scratch& scratch_;
};

}  // namespace

BoostOutcome ParseByBoost(absl::string_view text, size_t depth_max) {
  Scratch scratch;
  bj::parse_options options;
  options.max_depth = depth_max;
  bj::basic_parser<Builder> parser(options, scratch);
  bj::error_code error;
  const size_t consumed = parser.write_some(/*more=*/false, text.data(), text.size(), error);
  BoostOutcome outcome;
  outcome.too_deep = error == bj::error::too_deep;
  outcome.exponent_overflow = error == bj::error::exponent_overflow;
  if (!error && consumed == text.size()) outcome.value = parser.handler().TakeResult();
  return outcome;
}

}  // namespace bdcsync::json
