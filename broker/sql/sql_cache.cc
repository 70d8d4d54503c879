#include "broker/sql/sql_cache.h"

#include <fmt/core.h>

namespace comet::broker {

Result<std::shared_ptr<const SqlFilter>> SqlCache::compile(std::string_view type, std::string_view expression) {
  if (type != "SQL92")
    return fail(Errc::kInvalid, fmt::format("there is no filter of type '{}': use TAG or SQL92", type));
  {
    std::lock_guard lock(mu_);
    if (const auto known = compiled_.find(expression); known != compiled_.end()) return known->second;
  }
  Compiled compiled = SqlFilter::compile(expression);
  if (!compiled) {
    constexpr size_t kShownBytes = 200;
    log_.warn("the SQL92 expression '{}' doesn't compile: {}", expression.substr(0, kShownBytes),
              compiled.error().what);
  }
  if (expression.size() > SqlLimits::kExpressionBytes) return compiled;
  std::lock_guard lock(mu_);
  if (compiled_.size() >= kExpressions) compiled_.clear();
  compiled_.insert_or_assign(std::string(expression), compiled);
  return compiled;
}

}  // namespace comet::broker
