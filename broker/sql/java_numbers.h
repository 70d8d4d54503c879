#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Numbers in texts as Java's valueOf reads them, but for digits outside ASCII, which are refused. No allocation.
/// Source: Integer.parseInt, Long.parseLong, FloatingDecimal.readJavaFormatString.
namespace comet::broker {

/// "+12", "-007": a sign, then digits; nothing else, not even a blank.
std::optional<int32_t> java_int(std::string_view text);
std::optional<int64_t> java_long(std::string_view text);

/// "1.", ".5e3", " 7d ", "0x1.8p3", "NaN", "-Infinity". What is too large is infinite, what is too small is zero.
std::optional<double> java_double(std::string_view text);

/// Double.compare: -0.0 below 0.0, NaN equal to itself and above everything.
int java_compare(double a, double b);

}  // namespace comet::broker
