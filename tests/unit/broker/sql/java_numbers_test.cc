#include "broker/sql/java_numbers.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

namespace comet::broker {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("whole numbers are read as Integer.valueOf and Long.valueOf read them", "[broker][sql]") {
  CHECK(java_int("2147483647") == 2147483647);
  CHECK(java_int("-2147483648") == std::numeric_limits<int32_t>::min());
  CHECK(java_int("+0012") == 12);
  CHECK(java_int(std::string(5'000, '0') + "7") == 7);
  for (const char* text :
       {"", "+", "-", "+-1", "-+1", "--1", " 1", "1 ", "1.0", "0x1", "1L", "2147483648", "-2147483649"}) {
    CAPTURE(text);
    CHECK_FALSE(java_int(text));
  }
  CHECK(java_long("9223372036854775807") == std::numeric_limits<int64_t>::max());
  CHECK(java_long("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  CHECK_FALSE(java_long("9223372036854775808"));
}

TEST_CASE("floating numbers are read as Double.valueOf reads them", "[broker][sql]") {
  CHECK(java_double("1.") == 1);
  CHECK(java_double(".5e3") == 500);
  CHECK(java_double(" \t+7d\n") == 7);
  CHECK(java_double("0.1f") == 0.1);
  CHECK(java_double("-2.5E-2D") == -0.025);
  CHECK(java_double("0x1.8p3") == 12);
  CHECK(java_double("0X.8P0f") == 0.5);
  CHECK(java_double("0x10p0") == 16);
  CHECK(java_double("Infinity") == kInfinity);
  CHECK(java_double("-Infinity") == -kInfinity);
  CHECK(std::isnan(java_double("-NaN").value()));
  CHECK(java_double("1e400") == kInfinity);
  CHECK(java_double("-1e99999999999999999999") == -kInfinity);
  CHECK(java_double("1e-400") == 0);
  CHECK(java_double("0e999999999999") == 0);
  CHECK(java_double(std::string(400, '9')) == kInfinity);
  CHECK(java_double("0." + std::string(400, '0') + "1") == 0);
  CHECK(java_double("4.9e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(java_double("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(std::signbit(java_double("-0.0").value()));
  for (const char* text : {"",    " ",   ".",     "+",    "e5",    "1e", "1e+", "1.2.3", "1 2", "nan",  "infinity",
                           "INF", "0x1", "0x1.8", "0xp1", "0x.p1", "1L", "1dd", "--1",   "+-1", "1_000"}) {
    CAPTURE(text);
    CHECK_FALSE(java_double(text));
  }
}

TEST_CASE("doubles are ordered as Double.compare orders them", "[broker][sql]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(java_compare(1, 2) < 0);
  CHECK(java_compare(2, 1) > 0);
  CHECK(java_compare(1, 1) == 0);
  CHECK(java_compare(-0.0, 0.0) < 0);
  CHECK(java_compare(0.0, -0.0) > 0);
  CHECK(java_compare(nan, nan) == 0);
  CHECK(java_compare(nan, kInfinity) > 0);
  CHECK(java_compare(kInfinity, nan) < 0);
}

}  // namespace
}  // namespace comet::broker
