#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/responder.h"

namespace comet::remoting {

/// Where a request runs: inline on the loop that owns the connection, or on a worker, for what may block or run long.
enum class Lane { kLoop, kWorker };

/// One request on its way to a processor. Views live until the handler returns.
struct Call {
  const CommandHead& head;
  std::string_view body;
  const ChannelPtr& channel;
  int64_t received_ms;  ///< wall time of the loop turn that read it
};

/// Runs tasks that may block, on threads that the composition root made.
class WorkerPool {
 public:
  virtual ~WorkerPool() = default;
  /// False if the queue is full: the request is then answered with SYSTEM_BUSY.
  virtual bool submit(Task task) = 0;
};

/// The table of request code → handler. Filled once, before the first connection; then read-only and shared by all
/// loops.
///
/// Holds the checks that are the same for all: unknown code (answer 3), fields that don't decode (answer 1, remark
/// names the field), workers overloaded (answer 2), one-way requests never answered.
class Router {
 public:
  Router(WorkerPool& workers, Log& log) : workers_(workers), log_(log) {}

  /// Reply P::method(const Call&, const Req&): answers when it returns. A table that is only listed needs no processor.
  template <class Req, class P>
  void on(Lane lane, P* processor, Reply (P::*method)(const Call&, const Req&)) {
    add<Req>(lane, [processor, method](const Call& call, const Req& request, Responder responder) {
      std::move(responder).send((processor->*method)(call, request));
    });
  }
  /// void P::method(const Call&, const Req&, Responder): may answer later.
  template <class Req, class P>
  void on(Lane lane, P* processor, void (P::*method)(const Call&, const Req&, Responder)) {
    add<Req>(lane, [processor, method](const Call& call, const Req& request, Responder responder) {
      (processor->*method)(call, request, std::move(responder));
    });
  }
  template <class Req, class P, class Method>
  void on(Lane lane, P& processor, Method method) {
    on<Req>(lane, &processor, method);
  }

  /// From now on requests of this code are refused with what `say` returns; one without a row stays unknown.
  void refuse(RequestCode code, std::function<Reply()> say);

  /// Answers one request; never throws.
  void dispatch(const Call& call) const;
  /// Answers REQUEST_CODE_NOT_SUPPORTED, as every peer does that has no handler for the code.
  static void refuse_unknown(const Call& call);

  struct Row {
    RequestCode code;
    Lane lane;
    std::string_view fields;  ///< field names, comma-separated, for --list-requests
  };
  /// Every row, by code.
  std::vector<Row> rows() const;

 private:
  using Handler = std::function<void(const Call&, Responder)>;
  struct Entry {
    Lane lane;
    Handler handler;
    std::string fields;
  };

  template <class Req, class F>
  void add(Lane lane, F invoke) {
    std::string names;
    std::apply([&](const auto&... field) { ((names += names.empty() ? "" : ",", names += field.name), ...); },
               Req::fields());
    insert(Req::kCode,
           {lane,
            [invoke](const Call& call, Responder responder) {
              Req request{};
              if (auto decoded = decode_fields(call.head.ext, request); !decoded) {
                std::move(responder).send(Reply::refuse(ResponseCode::kSystemError, std::move(decoded).error().what));
                return;
              }
              invoke(call, request, std::move(responder));
            },
            std::move(names)});
  }
  void insert(RequestCode code, Entry entry);
  void run_on_worker(const Entry& entry, const Call& call) const;
  void run(const Entry& entry, const Call& call, Responder responder) const;

  WorkerPool& workers_;
  Log& log_;
  std::unordered_map<int32_t, Entry> entries_;
};

/// One line per row, for --list-requests: code, name, lane, fields.
std::string rows_text(const Router& router);

}  // namespace comet::remoting
