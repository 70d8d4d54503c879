#include "broker/sql/sql_filter.h"
#include "tests/fuzz/target.h"

using namespace comet;

/// A SQL92 expression, and behind a zero byte the properties that it is evaluated over: whatever they are, the work
/// stays within its bound, and evaluating again comes to the same.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::as_input(data, size);
  const size_t end = text.find('\0');
  const auto filter = broker::SqlFilter::compile(text.substr(0, end));
  if (!filter) {
    fuzz::must(!filter.error().what.empty());
    return 0;
  }
  const std::string_view properties = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  int64_t work = 0;
  const broker::Truth truth = (*filter)->evaluate(properties, work);
  const auto one_step_more = static_cast<int64_t>(2 * size + 2);
  fuzz::must(work <= broker::SqlLimits::kWork + one_step_more);
  fuzz::must((*filter)->evaluate(properties) == truth);
  return 0;
}
