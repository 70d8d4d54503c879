#include "remoting/protocol/compact_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "remoting/protocol/json_keys.h"
#include "remoting/protocol/json_text.h"
#include "remoting/protocol/scan.h"

namespace comet::remoting {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr size_t kMostBytes = 16 * 1024;
constexpr size_t kMostQuotes = 512;

/// Where the quotes of a text stand that delimit strings, and which 64-byte blocks have which backslashes.
class StringMap {
 public:
  /// False if the text is too long, or its quotes are too many or come unpaired.
  bool scan(std::string_view text) {
    if (text.size() > kMostBytes) return false;
    size_t at = 0;
    for (; at + kBlockBytes <= text.size(); at += kBlockBytes) {
      if (!take_block(text.data() + at, at)) return false;
    }
    if (at < text.size()) {
      std::array<char, kBlockBytes> rest{};
      std::memcpy(rest.data(), text.data() + at, text.size() - at);
      if (!take_block(rest.data(), at)) return false;
    }
    quotes_[count_] = quotes_[count_ + 1] = kNone;
    return count_ % 2 == 0;
  }
  const uint32_t* quotes() const { return quotes_.data(); }

  /// Whether a backslash stands in [from, to).
  bool has_backslash(uint32_t from, uint32_t to) const {
    if (to <= first_backslash_ || from > last_backslash_) return false;  // as nearly all strings
    const uint64_t first = ~uint64_t{0} << (from % kBlockBytes);
    const uint64_t last = ~uint64_t{0} >> (kBlockBytes - 1 - (to - 1) % kBlockBytes);
    uint32_t block = from / uint32_t{kBlockBytes};
    const uint32_t end = (to - 1) / uint32_t{kBlockBytes};
    if (block == end) return (backslashes_[block] & first & last) != 0;
    if ((backslashes_[block] & first) != 0) return true;
    while (++block < end) {
      if (backslashes_[block] != 0) return true;
    }
    return (backslashes_[end] & last) != 0;
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  bool take_block(const char* block, size_t at) {
    uint64_t quotes = bytes_equal(block, '"');
    const uint64_t backslashes = bytes_equal(block, '\\');
    backslashes_[at / kBlockBytes] = backslashes;
    if (backslashes != 0 || escaped_ != 0) quotes &= ~note_escapes(backslashes, static_cast<uint32_t>(at));
    if (count_ + kBlockBytes > kMostQuotes) return false;
    uint32_t* out = quotes_.data() + count_;
    for (; quotes != 0; quotes &= quotes - 1)
      *out++ = static_cast<uint32_t>(at) + static_cast<uint32_t>(std::countr_zero(quotes));
    count_ = static_cast<size_t>(out - quotes_.data());
    return true;
  }

  uint64_t note_escapes(uint64_t backslashes, uint32_t at) {
    if (backslashes != 0) {
      first_backslash_ = std::min(first_backslash_, at + static_cast<uint32_t>(std::countr_zero(backslashes)));
      last_backslash_ = at + 63 - static_cast<uint32_t>(std::countl_zero(backslashes));
    }
    return escaped(backslashes);
  }

  /// One bit for each byte that the backslash before it escapes. A run of backslashes escapes what follows it if its
  /// length is odd: adding 1 at the start of a run carries to behind its end, and the parity of where it started tells.
  uint64_t escaped(uint64_t backslashes) {
    constexpr uint64_t kEven = 0x5555'5555'5555'5555u;
    backslashes &= ~escaped_;  // one that is escaped itself starts nothing
    const uint64_t behind = backslashes << 1 | escaped_;
    const uint64_t odd_starts = backslashes & ~kEven & ~behind;
    uint64_t carried = 0;
    const bool goes_on = __builtin_add_overflow(odd_starts, backslashes, &carried);
    const uint64_t found = (kEven ^ (carried << 1)) & behind;
    escaped_ = goes_on ? 1 : 0;
    return found;
  }

  /// One bit for each of 64 bytes that is `c`.
  static uint64_t bytes_equal(const char* block, char c) {
    uint64_t bits = 0;
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi8(c);
    for (int part = 0; part < 4; ++part) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * part));
      const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)));
      bits |= uint64_t{mask} << (16 * part);
    }
#else
    for (size_t n = 0; n < kBlockBytes; ++n) bits |= uint64_t{block[n] == c} << n;
#endif
    return bits;
  }

  std::array<uint32_t, kMostQuotes + 2> quotes_;  // filled as far as count_
  std::array<uint64_t, kMostBytes / kBlockBytes> backslashes_;
  uint32_t first_backslash_ = kNone, last_backslash_ = 0;
  size_t count_ = 0;
  uint64_t escaped_ = 0;  ///< 1 if the next block's first byte is escaped
};

/// Walks over the text, which ends in a brace: so a byte that is no brace always has one behind it.
class CompactReader {
 public:
  CompactReader(std::string_view text, const StringMap& map, HeadScratch& scratch, CommandHead& head)
      : text_(text), map_(map), quote_(map.quotes()), scratch_(scratch), head_(head) {}

  bool read() {
    return object([this](std::string_view name) { return member(name); }) && at_ == text_.size();
  }

 private:
  bool take(char c) {
    if (text_[at_] != c) return false;
    ++at_;
    return true;
  }

  template <class OnMember>
  bool object(OnMember on_member) {
    if (!take('{')) return false;
    if (at_ == text_.size()) return false;
    if (take('}')) return true;
    for (;;) {
      std::string_view name;
      if (!plain_string(name) || !take(':') || !on_member(name)) return false;
      if (at_ == text_.size()) return false;
      if (take(',')) continue;
      return take('}');
    }
  }

  /// The string that begins here, as it stands in the text.
  bool raw_string(std::string_view& out) {
    if (at_ != quote_[0]) return false;
    const size_t from = at_ + 1;
    out = std::string_view(text_.data() + from, quote_[1] - from);
    at_ = quote_[1] + size_t{1};
    quote_ += 2;
    return true;
  }
  bool has_escapes(std::string_view raw) const {
    const auto from = static_cast<uint32_t>(raw.data() - text_.data());
    return map_.has_backslash(from, from + static_cast<uint32_t>(raw.size()));
  }
  bool plain_string(std::string_view& out) { return raw_string(out) && !has_escapes(out); }
  bool string(std::string_view& out) {
    if (!raw_string(out)) return false;
    return !has_escapes(out) || unescape(out);
  }

  bool unescape(std::string_view& text) {
    char* const start = scratch_.text_room(text_.size());
    char* to = start;
    const char* at = text.data();
    const char* const stop = at + text.size();
    const char* const end = text_.data() + text_.size();
    for (;;) {
      at = copy_string_part(at, end, '"', to);
      if (at == stop) break;
      if (!read_control(++at, end, to) && !read_escape(at, end, to)) return false;
    }
    text = {start, static_cast<size_t>(to - start)};
    scratch_.text_taken(text.size());
    return true;
  }
  /// `u0001` or `u0002`, which separate properties and are nearly all of the escapes that come.
  static bool read_control(const char*& at, const char* end, char*& to) {
    if (end - at < 5 || std::memcmp(at, "u000", 4) != 0 || (at[4] != '1' && at[4] != '2')) return false;
    *to++ = static_cast<char>(at[4] - '0');
    at += 5;
    return true;
  }

  /// A whole number of at most 18 digits, as it stands in the text.
  bool digits(std::string_view& raw, int64_t& value) {
    const size_t from = at_;
    const bool negative = text_[at_] == '-';
    if (negative) ++at_;
    const size_t first = at_;
    uint64_t size = 0;
    for (; text_[at_] >= '0' && text_[at_] <= '9'; ++at_) size = size * 10 + static_cast<uint64_t>(text_[at_] - '0');
    if (at_ == first || at_ - first > 18 || (text_[at_] != ',' && text_[at_] != '}')) return false;
    value = negative ? -static_cast<int64_t>(size) : static_cast<int64_t>(size);
    raw = text_.substr(from, at_ - from);
    return true;
  }
  bool number(int32_t& out) {
    std::string_view raw;
    int64_t value = 0;
    while (text_[at_] == ' ') ++at_;  // left by peers that write a number into a prepared frame
    if (!digits(raw, value) || value != static_cast<int32_t>(value)) return false;
    out = static_cast<int32_t>(value);
    return true;
  }

  bool member(std::string_view name) {
    std::string_view text;
    switch (json::exact_key(name)) {
      case json::Key::kCode:
        return number(head_.code);
      case json::Key::kFlag:
        return number(head_.flag);
      case json::Key::kOpaque:
        return number(head_.opaque);
      case json::Key::kVersion:
        return number(head_.version);
      case json::Key::kLanguage:
        if (!plain_string(text)) return false;
        head_.language = json::language_by_name(text);
        return true;
      case json::Key::kRemark:
        if (!string(text)) return false;
        head_.remark = text;
        return true;
      case json::Key::kExtFields:
        head_.has_ext = true;
        return object([this](std::string_view field) { return ext_field(field); });
      case json::Key::kCodec:
        return plain_string(text);
      case json::Key::kOther:
        break;
    }
    return false;
  }

  bool ext_field(std::string_view name) {
    std::string_view value;
    int64_t unused = 0;
    const bool read = text_[at_] == '"' ? string(value) : digits(value, unused);
    return read && scratch_.add(name, value);
  }

  const std::string_view text_;
  size_t at_ = 0;
  const StringMap& map_;
  const uint32_t* quote_;  ///< the next string's first quote
  HeadScratch& scratch_;
  CommandHead& head_;
};

}  // namespace

bool read_compact_header(std::string_view text, HeadScratch& scratch, CommandHead& head) {
  if (text.empty() || text.back() != '}') return false;
  StringMap map;
  if (!map.scan(text) || !CompactReader(text, map, scratch, head).read()) return false;
  head.ext = scratch.fields();
  return true;
}

}  // namespace comet::remoting
