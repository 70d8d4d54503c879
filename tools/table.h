#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tools/json_text.h"

namespace comet::tools {

/// One column: RocketMQ's heading and width, and the name of its values in JSON.
struct Column {
  std::string_view title;
  std::string_view key;
  size_t width = 0;    ///< the least; grows with its cells, so that rows stay below their heading. 0: not padded
  bool right = false;  ///< numbers that RocketMQ aligns to the right
  std::string_view gap = "  ";  ///< what stands between this column and the next
};

/// A cell: what people read and what programs read.
struct Cell {
  std::string shown;
  Json json;

  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, Cell>) Cell(const T& value)
      : shown(text_of(value)), json(Json::of(value)) {}  // NOLINT(google-explicit-constructor)
  Cell(std::string text, Json value) : shown(std::move(text)), json(std::move(value)) {}

 private:
  template <class T>
  static std::string text_of(const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      return value ? "true" : "false";
    else if constexpr (std::is_arithmetic_v<T>)
      return std::to_string(value);
    else
      return std::string(value);
  }
};

/// Rows under headings, in columns as wide as RocketMQ's or as their longest cell.
class Table {
 public:
  explicit Table(std::span<const Column> columns) : columns_(columns) {}

  /// As many cells as there are columns.
  void add(std::vector<Cell> cells);
  size_t rows() const { return rows_.size(); }

  std::string text() const;       ///< headings and rows, each line ended
  std::string rows_text() const;  ///< rows alone
  Json json() const;              ///< an array of objects

 private:
  std::vector<size_t> widths(bool with_titles) const;

  std::span<const Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Columns that `utf8` takes on a terminal, counting a code point as one.
size_t display_width(std::string_view utf8);

}  // namespace comet::tools
