#include "remoting/protocol/bodies/queue_view.h"

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/heartbeat_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<ConsumeQueueData> {
  static constexpr auto list() {
    using T = ConsumeQueueData;
    return members(
        member("bitMap", &T::bit_map),
        member("eval", &T::eval),
        member("extendDataJson", &T::extend_data_json),
        member("msg", &T::msg),
        member("physicOffset", &T::physical_offset),
        member("physicSize", &T::physical_size),
        member("tagsCode", &T::tags_code));
  }
};

template <>
struct Shape<QueryConsumeQueueBody> {
  static constexpr auto list() {
    using T = QueryConsumeQueueBody;
    return members(
        member("filterData", &T::filter_data),
        member("maxQueueIndex", &T::max_queue_index),
        member("minQueueIndex", &T::min_queue_index),
        member("queueData", &T::entries),
        member("subscriptionData", &T::subscription));
  }
};
// clang-format on

std::string to_json(const QueryConsumeQueueBody& body) { return shape::to_text(body); }
Result<QueryConsumeQueueBody> parse_query_consume_queue_body(std::string_view text) {
  return shape::from_text<QueryConsumeQueueBody>(text, "query consume queue body");
}

}  // namespace comet::remoting
