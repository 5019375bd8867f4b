#include "libs/ot/random_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/json/serialize.h"
#include "libs/ot/delta_json.h"

namespace bdcsync::ot {
namespace {

using json::Value;
using Formats = std::map<std::string, Value>;

// By code points: letters, a combining mark, a joined emoji, CRLF, NUL, two and three byte
// characters, the edges of the planes.
const std::vector<std::vector<std::string>>& Alphabet() {
  static const auto& alphabet = *new std::vector<std::vector<std::string>>{
      {"a"},
      {"b"},
      {"e", "\u0301"},
      {"\U0001F600"},
      {"\U0001F469", "\u200D", "\U0001F4BB"},
      {"\r", "\n"},
      {std::string(1, '\0')},
      {"\u00DF"},
      {"\u4E16"},
      {"\uFFFF"},
      {"\U00010000"},
      {"\U0010FFFF"},
      {"x", "y", "z", " ", "w", "o", "r", "d", "s", " ", "i", "n", " ", "r", "o", "w"},
  };
  return alphabet;
}

Formats RandomFormats(Choices& choices, bool with_null) {
  static const std::array<const char*, 3> kNames = {"bold", "color", "font"};
  Formats formats;
  if (choices.Below(2) == 0) return formats;
  for (size_t i = choices.Below(3) + 1; i > 0; --i) {
    Value value(true);
    switch (choices.Below(with_null ? 4 : 3)) {
      case 0:
        break;
      case 1:
        value = Value("red");
        break;
      case 2:
        value = Value();
        value.Set("size", 2);
        break;
      default:
        value = Value();
    }
    formats[kNames[choices.Below(kNames.size())]] = std::move(value);
  }
  return formats;
}

Value RandomEmbed(Choices& choices) {
  Value embed;
  embed.Set("image", choices.Below(2) == 0 ? "u" : "v");
  return embed;
}

Value WithFormats(Value operation, const Formats& formats) {
  for (const auto& [name, value] : formats) {
    if (operation.Find("attributes") == nullptr) operation.Set("attributes", json::Object());
    operation.Find("attributes")->Set(name, value);
  }
  return operation;
}

// What one insert operation of random text, or of an embed, puts in; and its JSON.
Cells RandomInsert(Choices& choices, json::Array& operations) {
  Cells cells;
  Value operation;
  if (choices.OneIn(6)) {
    operation.Set("insert", RandomEmbed(choices));
    cells.push_back({"", *operation.Find("insert"), {}});
  } else {
    std::string text;
    for (size_t i = choices.Below(3) + 1; i > 0; --i) {
      for (const std::string& point : Alphabet()[choices.Below(Alphabet().size())]) {
        text += point;
        cells.push_back({point, {}, {}});
      }
    }
    operation.Set("insert", text);
  }
  const Formats formats = RandomFormats(choices, /*with_null=*/false);
  for (Cell& cell : cells) cell.formats = formats;
  Formats sent = formats;
  if (choices.OneIn(8)) sent.try_emplace("under", nullptr);  // Says nothing in an insert.
  operations.push_back(WithFormats(std::move(operation), sent));
  return cells;
}

int64_t UnitsOf(const Cells& cells, size_t begin, size_t end) {
  int64_t units = 0;
  for (size_t i = begin; i < end; ++i) units += cells[i].units();
  return units;
}

class EditMaker {
 public:
  EditMaker(Choices& choices, const Cells& before) : choices_(choices), before_(before) {
    edit_.inserted.assign(before.size() + 1, 0);
  }

  Edit Make(size_t steps_max) {
    for (size_t i = choices_.Below(steps_max + 1); i > 0; --i) Step();
    while (at_ < before_.size()) Keep({});
    const absl::StatusOr<Delta> parsed = ParseDelta(operations_);
    if (!parsed.ok()) {
      std::fprintf(stderr, "the generator made what is refused: %s\n",
                   parsed.status().ToString().c_str());
      std::abort();
    }
    edit_.delta = *parsed;
    edit_.json = std::move(operations_);
    return std::move(edit_);
  }

 private:
  void Step() {
    const size_t what = choices_.Below(4);
    if (what == 0) {
      const Cells cells = RandomInsert(choices_, operations_);
      edit_.inserted[insert_gap_] += UnitsOf(cells, 0, cells.size());
      edit_.after.insert(edit_.after.end(), cells.begin(), cells.end());
      return;
    }
    const size_t end = std::min(before_.size(), at_ + 1 + choices_.Below(4));
    if (end == at_) return;
    Value operation;
    operation.Set(what == 1 ? "delete" : "retain", UnitsOf(before_, at_, end));
    const Formats change = what == 3 ? RandomFormats(choices_, /*with_null=*/true) : Formats();
    operations_.push_back(WithFormats(std::move(operation), change));
    while (at_ < end) what == 1 ? Drop() : Keep(change);
  }
  void Drop() {
    edit_.kept.push_back(0);
    ++at_;
  }
  void Keep(const Formats& change) {
    Cell cell = before_[at_++];
    for (const auto& [name, value] : change) {
      if (value.is_null()) {
        cell.formats.erase(name);
      } else {
        cell.formats[name] = value;
      }
    }
    edit_.kept.push_back(cell.units());
    edit_.after.push_back(std::move(cell));
    insert_gap_ = at_;
  }

  Choices& choices_;
  const Cells& before_;
  json::Array operations_;
  Edit edit_;
  size_t at_ = 0;
  size_t insert_gap_ = 0;  // Behind the last cell that stays.
};

}  // namespace

int64_t Edit::PlaceOf(size_t gap, bool behind_inserts) const {
  int64_t place = 0;
  for (size_t i = 0; i < gap; ++i) place += inserted[i] + kept[i];
  return place + (behind_inserts ? inserted[gap] : 0);
}

Cells RandomText(Choices& choices, size_t pieces_max) {
  Cells cells;
  json::Array ignored;
  for (size_t i = choices.Below(pieces_max + 1); i > 0; --i) {
    const Cells piece = RandomInsert(choices, ignored);
    cells.insert(cells.end(), piece.begin(), piece.end());
  }
  return cells;
}

Edit RandomEdit(Choices& choices, const Cells& before, size_t steps_max) {
  return EditMaker(choices, before).Make(steps_max);
}

Delta ContentOf(const Cells& cells) {
  Delta content;
  for (const Cell& cell : cells) {
    std::vector<json::Member> members;
    for (const auto& [name, value] : cell.formats) members.push_back({name, value});
    const Attributes attributes(members);
    if (cell.text.empty()) {
      content.InsertEmbed(Embed(cell.embed), attributes);
    } else {
      content.InsertText(cell.text, attributes);
    }
  }
  return content;
}

}  // namespace bdcsync::ot
