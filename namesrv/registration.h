#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.h"
#include "namesrv/route_model.h"
#include "remoting/protocol/headers/route.h"

/// What brokers send, from their bodies' text into the route table's values.
namespace comet::namesrv {

/// Reads REGISTER_BROKER. A broker says the same every 30 s, so what each address sent last is remembered together with
/// what it meant: an equal body is compared, not parsed. Threads: one (the worker).
class RegistrationReader {
 public:
  static constexpr size_t kMaxRememberedBytes = 64u * 1024 * 1024;  ///< of bodies; beyond it all are forgotten

  /// kInvalid: the checksum or the body is wrong; the sentence goes to the broker. `version` is the request's MQVersion
  /// ordinal; it decides the body's form (remoting.md 12.1).
  Result<Registration> read(const remoting::RegisterBrokerRequest& request, int32_t version, std::string_view body);
  /// How often a body was parsed.
  int64_t parsed() const { return parsed_; }

 private:
  struct Remembered {
    std::string body;
    bool compressed = false;
    int32_t version = 0;
    Registration meaning;  ///< only what the body says
  };
  void remember(const std::string& address, Remembered entry);

  std::unordered_map<std::string, Remembered> last_;  ///< by address
  size_t bytes_ = 0;
  int64_t parsed_ = 0;
};

/// REGISTER_TOPIC_IN_NAMESRV: the queueDatas of its TopicRouteData.
struct TopicRows {
  struct Row {
    std::string broker_name;
    QueueRow row;  ///< without group
  };
  std::vector<Row> rows;
};
Result<TopicRows> read_topic_rows(std::string_view body);

}  // namespace comet::namesrv
