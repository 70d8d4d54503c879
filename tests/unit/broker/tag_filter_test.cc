#include "broker/tag_filter.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/message_codec.h"

namespace comet::broker {
namespace {

TEST_CASE("a subscription to everything takes untagged messages too", "[broker][tag_filter]") {
  for (const std::string expression : {"", "*"}) {
    const auto filter = TagFilter::parse(expression);
    REQUIRE(filter);
    CHECK(filter->wants_all());
    CHECK(filter->matches_tags_code(0));
    CHECK(filter->matches_tags_code(tags_code("TagA")));
  }
}

TEST_CASE("tags are split at || and trimmed, empty ones dropped", "[broker][tag_filter]") {
  const auto filter = TagFilter::parse(" TagA ||TagB||  || TagC");
  REQUIRE(filter);
  CHECK_FALSE(filter->wants_all());
  CHECK(filter->matches_tags_code(tags_code("TagA")));
  CHECK(filter->matches_tags_code(tags_code("TagB")));
  CHECK(filter->matches_tags_code(tags_code("TagC")));
  CHECK_FALSE(filter->matches_tags_code(tags_code("TagD")));
  CHECK_FALSE(filter->matches_tags_code(0));
}

TEST_CASE("a subscription of separators alone doesn't parse", "[broker][tag_filter]") {
  const auto filter = TagFilter::parse("||");
  REQUIRE_FALSE(filter);
  CHECK(filter.error().code == Errc::kInvalid);
  CHECK(filter.error().what.find("'||'") != std::string::npos);
}

TEST_CASE("codes compare on 32 bits, whatever the entry's upper half holds", "[broker][tag_filter]") {
  const auto filter = TagFilter::parse("polygenelubricants");  // its hash is Integer.MIN_VALUE
  REQUIRE(filter);
  CHECK(filter->matches_tags_code(-2147483648LL));
  CHECK(filter->matches_tags_code(2147483648LL));
}

TEST_CASE("more tags than fit inside the filter still match", "[broker][tag_filter]") {
  std::string expression;
  for (int n = 0; n < 40; ++n) expression += "||tag" + std::to_string(n);
  const auto filter = TagFilter::parse(expression);
  REQUIRE(filter);
  for (int n = 0; n < 40; ++n) CHECK(filter->matches_tags_code(tags_code("tag" + std::to_string(n))));
  CHECK_FALSE(filter->matches_tags_code(tags_code("tag40")));
}

TEST_CASE("a heartbeat's codes are taken as they are, and none of them wants nothing", "[broker][tag_filter]") {
  const int32_t codes[] = {2598919};
  CHECK(TagFilter::of_codes(codes).matches_tags_code(tags_code("TagA")));
  CHECK_FALSE(TagFilter::of_codes(codes).matches_tags_code(tags_code("TagB")));
  CHECK_FALSE(TagFilter::of_codes({}).matches_tags_code(0));
  CHECK_FALSE(TagFilter::of_codes({}).wants_all());
}

}  // namespace
}  // namespace comet::broker
