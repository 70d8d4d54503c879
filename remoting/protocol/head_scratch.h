#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "remoting/protocol/command.h"

namespace comet::remoting {

/// The most pairs that one header may carry; real ones have some twenty.
inline constexpr size_t kMaxExtFields = 1024;

/// Space that header decoders fill anew for every frame and keep between frames, so that decoding doesn't allocate.
/// What a decoded head points to lives here or in the frame, until the next begin().
class HeadScratch {
 public:
  void begin() {
    fields_.clear();
    seen_ = 0;
    used_ = 0;
  }

  /// Adds a pair; a name that was there before takes the new value, as in a Java map. False if there are too many.
  bool add(std::string_view name, std::string_view value) {
    const uint64_t bit = uint64_t{1} << slot(name);
    if ((seen_ & bit) != 0 && replace(name, value)) return true;
    if (fields_.size() == kMaxExtFields) return false;
    seen_ |= bit;
    fields_.push_back({name, value});
    return true;
  }
  ExtFields fields() const { return fields_; }

  /// Room for `bytes` more of unescaped text. All of a header's unescaped text must fit `whole_bytes`, which the first
  /// call of a header reserves, so that earlier views stay where they are.
  char* text_room(size_t whole_bytes) {
    constexpr size_t kSlack = 16;  // copy_string_part stores whole blocks
    if (used_ == 0 && text_.size() < whole_bytes + kSlack) text_.resize(whole_bytes + kSlack);
    return text_.data() + used_;
  }
  void text_taken(size_t bytes) { used_ += bytes; }

 private:
  static unsigned slot(std::string_view name) {
    if (name.empty()) return 0;
    return (static_cast<unsigned char>(name.front()) + 5u * static_cast<unsigned char>(name.back()) +
            11u * static_cast<unsigned>(name.size())) &
           63u;
  }
  bool replace(std::string_view name, std::string_view value) {
    for (ExtField& field : fields_) {
      if (field.name == name) return field.value = value, true;
    }
    return false;
  }

  std::vector<ExtField> fields_;
  uint64_t seen_ = 0;  // one bit per slot(name) that was added
  std::vector<char> text_;
  size_t used_ = 0;
};

}  // namespace comet::remoting
