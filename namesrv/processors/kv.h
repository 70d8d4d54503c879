#pragma once

#include "common/log.h"
#include "namesrv/kv_table.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/kv.h"

namespace comet::namesrv {

/// The KV configuration. Threads: put and remove on the worker, for they wait for the disk; the rest on the loop.
class KvProcessor {
 public:
  KvProcessor(KvTable& kv, Log& log) : kv_(kv), log_(log) {}

  remoting::Reply put(const remoting::Call& call, const remoting::PutKvConfigRequest& request);
  remoting::Reply get(const remoting::Call& call, const remoting::GetKvConfigRequest& request);
  remoting::Reply remove(const remoting::Call& call, const remoting::DeleteKvConfigRequest& request);
  remoting::Reply list(const remoting::Call& call, const remoting::GetKvlistByNamespaceRequest& request);

 private:
  remoting::Reply answer(const Result<void>& changed);

  KvTable& kv_;
  Log& log_;
};

}  // namespace comet::namesrv
