#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The store's settings: names, defaults and units of MessageStoreConfig (store.md 27, config.md); the broker fills
/// them from its properties file.
namespace comet::store {

enum class FlushMode { kAsync, kSync };

struct StoreOptions {
  std::string root;                                     ///< storePathRootDir
  std::vector<std::string> commit_log_paths;            ///< storePathCommitLog; empty: root/commitlog
  std::vector<std::string> read_only_commit_log_paths;  ///< readOnlyCommitLogStorePaths
  int64_t commit_log_file_bytes = 1'073'741'824;        ///< mappedFileSizeCommitLog
  int64_t consume_queue_file_bytes = 6'000'000;         ///< mappedFileSizeConsumeQueue, rounded up to entries of 20 B
  int32_t queues_loaded_at_open = 4'096;                ///< with more of them queues are loaded when they are needed
  bool replica = false;                             ///< brokerRole=SLAVE: the log comes from a master, puts are refused
  FlushMode flush = FlushMode::kAsync;              ///< flushDiskType
  int64_t flush_interval_ms = 500;                  ///< flushIntervalCommitLog
  int64_t flush_consume_queue_interval_ms = 1'000;  ///< flushIntervalConsumeQueue
  int64_t sync_flush_timeout_ms = 5'000;            ///< syncFlushTimeout
  int32_t max_message_bytes = 4'194'304;            ///< maxMessageSize: body only
  bool check_crc_on_recover = true;                 ///< checkCRCOnRecover
  bool append_prop_crc = false;                     ///< enabledAppendPropCRC
  bool force_prop_crc = false;                      ///< forceVerifyPropCRC: and a record without one is none
  bool read_uncommitted = false;                    ///< readUnCommitted
  bool message_index = true;                        ///< messageIndexEnable
  int32_t index_slots = 5'000'000;                  ///< maxHashSlotNum
  int32_t index_entries = 20'000'000;               ///< maxIndexNum
  int32_t max_query_messages = 64;                  ///< maxMsgsNumBatch
  int32_t transfer_bytes_memory = 262'144;          ///< maxTransferBytesOnMessageInMemory
  int32_t transfer_count_memory = 32;               ///< maxTransferCountOnMessageInMemory
  int32_t transfer_bytes_disk = 65'536;             ///< maxTransferBytesOnMessageInDisk
  int32_t transfer_count_disk = 8;                  ///< maxTransferCountOnMessageInDisk
  int32_t access_in_memory_max_ratio = 40;          ///< accessMessageInMemoryMaxRatio, percent of memory_bytes
  int64_t memory_bytes = 0;                         ///< 0: the machine's
  int32_t max_filter_message_bytes = 16'000;        ///< maxFilterMessageSize
  int32_t travel_queue_files = 1;                   ///< travelCqFileNumWhenGetMessage
  int64_t file_reserved_hours = 72;                 ///< fileReservedTime
  std::string delete_when = "04";                   ///< deleteWhen: local hours, `;`-separated
  int32_t disk_max_used_ratio = 75;                 ///< diskMaxUsedSpaceRatio, percent
  int32_t disk_clean_forcibly_ratio = 85;           ///< diskSpaceCleanForciblyRatio, percent
  int32_t disk_warning_ratio = 90;                  ///< diskSpaceWarningLevelRatio, percent
  int64_t disk_floor_bytes = 64 * 1024 * 1024;      ///< never below: refuses writes whatever the ratios say
  bool clean_file_forcibly = true;                  ///< cleanFileForciblyEnable
  int64_t clean_interval_ms = 10'000;               ///< cleanResourceInterval
  int64_t delete_files_interval_ms = 100;           ///< deleteCommitLogFilesInterval
  int32_t delete_file_batch = 10;                   ///< deleteFileBatchMax
  std::string delay_levels = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";  ///< messageDelayLevel
};

}  // namespace comet::store
