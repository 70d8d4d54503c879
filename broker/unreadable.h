#pragma once

#include "store/message_store.h"

namespace comet::broker {

/// Whether a record that can't be read now may be there after a restart: a disk that fails takes none away. Whoever
/// passed it over would lose it.
inline bool may_come_back(store::MessageStore& store, PhyOffset at) {
  return store.disk_failed() && at >= store.figures().min_offset;
}

}  // namespace comet::broker
