#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/golden/frames.h"
#include "tests/support/cluster.h"

namespace comet::golden {

/// A recorded request that may be changed where its meaning stood in the recorded cluster alone: offsets, ids, handles.
struct Request {
  explicit Request(const Frame& recorded);

  /// A field of the header, else of the body; empty if neither has it.
  std::string field(const std::string& name) const;
  /// The first of `names` that it has.
  std::string first_of(std::initializer_list<const char*> names) const;
  void set(const std::string& name, const std::string& value);

  const Frame& frame;
  const int32_t code;
  nlohmann::json head, body;  ///< body: null where it is no JSON
  std::string body_bytes;
  bool changed = false;
};

/// A name server and a broker under the recorded names, and the topics, messages, groups and clients that a recorded
/// request needs to be answered as it was then.
class Stage {
 public:
  Stage();

  /// Sets up what leads to an answer with `code`, and puts what we stored in place of what was stored then.
  void prepare(Request& request, int32_t code);
  /// What the broker asks a client before it answers `code`; 0 if nothing.
  static int32_t question_of(int32_t code);
  /// Our answer; `client_body` is what a client says when the broker asks it meanwhile.
  test::RawClient::Answer ask(const Request& request, const std::string& client_body);

 private:
  using RawClient = test::RawClient;
  using Answer = RawClient::Answer;

  Answer tell(int32_t code, const RawClient::Ext& fields, std::string_view body = {});
  void add_topic(const std::string& topic);
  void fill(const std::string& topic, int32_t queue_id, int64_t at_least, const std::string& keys);
  void join(const std::string& group, const std::string& topic, const std::string& client, const std::string& version);
  void produce(const std::string& group, const std::string& client);
  void commit(const std::string& group, const std::string& topic);
  Answer send(const std::string& topic, int32_t queue_id, const std::string& properties);
  void substitute(Request& request, const std::string& topic);
  RawClient& member(const std::string& group);

  const test::TempDir dir_;
  test::Daemon name_server_, broker_;
  std::unique_ptr<RawClient> to_names_, to_broker_;
  std::map<std::string, std::unique_ptr<RawClient>> members_;  ///< a connection a group
  int messages_ = 0;
};

}  // namespace comet::golden
