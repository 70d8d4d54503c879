#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/sql/sql_filter.h"
#include "common/log.h"

namespace comet::broker {

/// What expressions were compiled to, refusals too, so that pulls that carry their expression don't compile it each
/// time. Holds the last few; Apache's holds as many. Threads: any.
class SqlCache {
 public:
  static constexpr size_t kExpressions = 100;

  explicit SqlCache(Log& log) : log_(log) {}

  /// As SqlFilter::compile; kInvalid also for a type that isn't SQL92. A refusal is logged when it is new.
  Result<std::shared_ptr<const SqlFilter>> compile(std::string_view type, std::string_view expression);

 private:
  using Compiled = Result<std::shared_ptr<const SqlFilter>>;
  Log& log_;
  std::mutex mu_;  // guards what follows
  std::map<std::string, Compiled, std::less<>> compiled_;
};

}  // namespace comet::broker
