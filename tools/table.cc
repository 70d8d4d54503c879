#include "tools/table.h"

#include <algorithm>

#include "common/assert.h"

namespace comet::tools {
namespace {

void append_padded(std::string& line, std::string_view text, const Column& column, size_t width) {
  const size_t used = display_width(text);
  const std::string padding(width > used ? width - used : 0, ' ');
  if (column.right) line += padding;
  line += text;
  if (!column.right) line += padding;
}

}  // namespace

size_t display_width(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void Table::add(std::vector<Cell> cells) {
  COMET_ASSERT(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths(bool with_titles) const {
  std::vector<size_t> widths;
  for (size_t at = 0; at < columns_.size(); ++at) {
    size_t width = columns_[at].width;
    if (width != 0) {
      if (with_titles) width = std::max(width, display_width(columns_[at].title));
      for (const auto& row : rows_) width = std::max(width, display_width(row[at].shown));
    }
    widths.push_back(width);
  }
  return widths;
}

std::string Table::text() const {
  std::string line;
  const auto width = widths(true);
  for (size_t at = 0; at < columns_.size(); ++at) {
    append_padded(line, columns_[at].title, columns_[at], width[at]);
    line += at + 1 < columns_.size() ? columns_[at].gap : "\n";
  }
  return line + rows_text();
}

std::string Table::rows_text() const {
  std::string text;
  const auto width = widths(true);
  for (const auto& row : rows_) {
    for (size_t at = 0; at < columns_.size(); ++at) {
      append_padded(text, row[at].shown, columns_[at], width[at]);
      text += at + 1 < columns_.size() ? columns_[at].gap : "\n";
    }
  }
  return text;
}

Json Table::json() const {
  JsonArray rows;
  for (const auto& row : rows_) {
    JsonObject object;
    for (size_t at = 0; at < columns_.size(); ++at) object.add(columns_[at].key, row[at].json);
    rows.add(object.done());
  }
  return rows.done();
}

}  // namespace comet::tools
