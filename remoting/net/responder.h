#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "remoting/net/channel.h"
#include "remoting/protocol/fields.h"

namespace comet::remoting {

/// An answer as a value, for handlers that answer when they return.
class Reply {
 public:
  static Reply ok() { return Reply(ResponseCode::kSuccess); }
  /// SUCCESS with a response header (`extFields`, {} when none of its fields is set) and maybe a body.
  template <class H>
  static Reply ok(const H& header, std::string body = {}) {
    Reply reply(ResponseCode::kSuccess);
    reply.set_header(header);
    reply.body = std::move(body);
    return reply;
  }
  static Reply ok_body(std::string body) {
    Reply reply(ResponseCode::kSuccess);
    reply.body = std::move(body);
    return reply;
  }
  /// The protocol says no: a code and a sentence that names the thing, the value and the remedy.
  static Reply refuse(ResponseCode code, std::string remark) {
    Reply reply(code);
    reply.remark = std::move(remark);
    return reply;
  }
  template <class H>
  void set_header(const H& header) {
    has_ext = true;
    ext_json.clear();
    append_fields_json(ext_json, header);
  }

  explicit Reply(ResponseCode response_code) : code(response_code) {}

  ResponseCode code;
  std::string remark;  ///< empty: none is sent
  bool has_ext = false;
  std::string ext_json;  ///< members of extFields, rendered
  std::string body;
};

/// The right to answer one request, exactly once, from any thread, now or later. Dropped unanswered it sends
/// SYSTEM_ERROR. One-way requests have a responder too; it sends nothing. On the owning loop the answer goes straight
/// into the connection's output, written once at the end of the turn; from elsewhere it travels through the mailbox.
class Responder {
 public:
  Responder(ChannelPtr channel, int32_t opaque, bool oneway);
  Responder(Responder&& other) noexcept;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void send(Reply reply) &&;
  /// Hot path: header fields are written straight into the output, body parts are sent without a copy where that pays.
  template <class H>
  void send(ResponseCode code, std::string_view remark, const H& header, std::span<const PinnedBytes> body = {}) && {
    begin(code, remark);
    append_fields_json(scratch(), header);
    finish(body);
  }

  /// Sends nothing, ever: for the few requests that the protocol leaves unanswered.
  void stay_silent() && { channel_.reset(); }

  const ChannelPtr& channel() const { return channel_; }
  bool oneway() const { return oneway_; }

 private:
  void begin(ResponseCode code, std::string_view remark);  ///< writes the head up to and with `"extFields":{`
  std::string& scratch();  ///< where begin() wrote: the connection's output, or a buffer of this thread
  void finish(std::span<const PinnedBytes> body);
  /// Patches the draft's length words and hands it over; over the frame limit, SYSTEM_ERROR goes instead.
  void hand_over(std::span<const PinnedBytes> body);
  void refuse(std::string remark);

  ChannelPtr channel_;  ///< null once answered
  int32_t opaque_ = 0;
  bool oneway_ = false;
};

}  // namespace comet::remoting
