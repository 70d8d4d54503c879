#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

#include "tools/json_text.h"
#include "tools/table.h"

namespace comet::tools {

/// Where a command's result goes: text as it comes, or, with `--json`, one object when the command ends.
class Output {
 public:
  Output(std::ostream& stream, bool json) : stream_(stream), json_(json) {}

  bool json() const { return json_; }

  /// For people: a line. Not part of the JSON.
  void line(std::string_view text = {});
  /// For people: text as it is.
  void text(std::string_view text);
  /// For programs: a member of the object.
  template <class T>
  void set(std::string_view key, const T& value) {
    members_.add(key, value);
  }
  /// For both.
  void table(std::string_view key, const Table& table);

  /// Shows what there is and waits, for commands that repeat themselves. In JSON each round is an object of its own.
  void pause(int64_t seconds);

  /// Ends the JSON object; nothing otherwise.
  void finish();

 private:
  std::ostream& stream_;
  bool json_;
  JsonObject members_;
};

}  // namespace comet::tools
