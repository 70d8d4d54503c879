#pragma once

#include <utility>

#include "common/message_codec.h"
#include "store/message_store.h"

namespace comet::store {

/// A message of the log and its bytes, which its views are valid as long as.
struct StoredMessage : DecodedMessage {
  PinnedBytes bytes;
};

/// The message whose record starts at `at`. kNotFound: none does. kIo: it can't be read now, and must not be taken for
/// none.
inline Result<StoredMessage> message_at(MessageStore& store, PhyOffset at) {
  COMET_TRY(auto bytes, store.record_at(at));
  const auto record = decode_message(bytes.bytes, false);
  if (!record) return fail(Errc::kNotFound, record.error().what);
  return StoredMessage{*record, std::move(bytes)};
}

}  // namespace comet::store
