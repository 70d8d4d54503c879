#include "broker/slow_readers.h"

#include <set>
#include <string>

namespace comet::broker {

void SlowReaders::look() {
  const BrokerConfig& config = config_.now();
  if (!config.disable_slow_consumers || !config.disk_fall_recorded) return behind_.forget();
  std::set<std::string> slow;
  for (const ReaderBehind& reader : behind_.look(clock_.now_ms())) {
    if (reader.bytes <= config.slow_consumer_bytes || !slow.insert(reader.group).second) continue;
    log_.warn("consumer group {} reads {} bytes behind in {}: consuming is disabled", reader.group, reader.bytes,
              reader.key);
  }
  for (const std::string& group : slow) groups_.disable(group);
}

}  // namespace comet::broker
