#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/options.h"
#include "common/result.h"
#include "store/options.h"

/// The broker's settings: RocketMQ's keys and defaults (BrokerConfig, MessageStoreConfig, NettyServerConfig; 5.3.3).
namespace comet::broker {

/// One immutable version of the settings. Members carry the key's name and unit; config_options() is the key table.
struct BrokerConfig {
  // Who this broker is, where it listens, whom it tells.
  std::string rocketmq_home;
  std::string namesrv_addr;                     ///< namesrvAddr, `;`-separated host:port; empty: runs unregistered
  std::string broker_name;                      ///< brokerName; default the host's name
  std::string cluster_name = "DefaultCluster";  ///< brokerClusterName
  int64_t broker_id = 0;                        ///< brokerId; a master's is 0 whatever was configured
  std::string broker_role = "ASYNC_MASTER";
  std::string broker_ip1;  ///< brokerIP1; default see default_broker_ip()
  std::string broker_ip2;  ///< brokerIP2
  std::string bind_address = "0.0.0.0";
  int32_t listen_port = 10911;
  int32_t ha_listen_port = 0;      ///< 0: listenPort + 1, once that is known
  int32_t event_loop_threads = 0;  ///< eventLoopThreads (ours); 0: min(cores, 8)
  int32_t worker_threads = 2;      ///< workerThreads (ours)
  std::string region_id = "DefaultRegion";
  bool isolate_log = false;  ///< isolateLogEnable

  int32_t broker_permission = 6;         ///< brokerPermission: 2 write, 4 read
  int32_t register_timeout_ms = 24'000;  ///< registerBrokerTimeoutMills
  int32_t register_period_ms = 30'000;   ///< registerNameServerPeriod, used within 10…60 s
  bool force_register = true;
  bool compressed_register = false;
  bool split_registration = false;        ///< enableSplitRegistration
  int32_t split_registration_size = 800;  ///< topics
  bool single_topic_register = false;     ///< enableSingleTopicRegister
  int32_t connect_timeout_ms = 3'000;
  int32_t channel_idle_s = 120;               ///< serverChannelMaxIdleTimeSeconds
  int64_t channel_expired_ms = 120'000;       ///< channelExpiredTimeout
  int64_t subscription_expired_ms = 600'000;  ///< subscriptionExpiredTimeout

  // Topics and groups.
  int32_t default_topic_queue_nums = 8;
  bool auto_create_topic = true;  ///< autoCreateTopicEnable
  bool auto_create_subscription_group = true;
  bool cluster_topic = true;                             ///< clusterTopicEnable
  bool broker_topic = true;                              ///< brokerTopicEnable
  bool trace_topic = false;                              ///< traceTopicEnable
  std::string trace_topic_name = "RMQ_SYS_TRACE_TOPIC";  ///< msgTraceTopicName
  int32_t revive_queue_num = 8;
  bool validate_system_topic = true;  ///< validateSystemTopicWhenUpdateTopic
  bool enable_mixed_message_type = false;
  bool clear_retry_topic_when_delete_topic = true;
  bool create_sys_group = true;  ///< enableCreateSysGroup

  // Sending.
  bool trace_on = true;  ///< TRACE_ON property and answer field
  bool reject_transaction_message = false;
  int64_t start_accept_send_ms = 0;  ///< startAcceptSendRequestTimeStamp, Unix ms
  bool enable_register_producer = true;
  bool store_reply_message = true;  ///< storeReplyMessageEnable

  // Transactions.
  int64_t transaction_timeout_ms = 6'000;          ///< transactionTimeOut
  int32_t transaction_check_max = 15;              ///< transactionCheckMax
  int64_t transaction_check_interval_ms = 30'000;  ///< transactionCheckInterval
  int32_t transaction_op_max_bytes = 4'096;        ///< transactionOpMsgMaxSize
  int32_t transaction_op_interval_ms = 3'000;      ///< transactionOpBatchInterval
  int64_t transaction_metric_flush_ms = 3'000;     ///< transactionMetricFlushInterval

  // Pulling.
  bool long_polling = true;           ///< longPollingEnable
  int64_t short_polling_ms = 1'000;   ///< shortPollingTimeMills
  bool lite_pull = true;              ///< litePullMessageEnable
  bool reject_pull_consumer = false;  ///< rejectPullConsumerEnable
  bool enable_property_filter = false;
  bool filter_support_retry = false;
  int32_t filter_consumers = 32;            ///< expectConsumerNumUseFilter
  int32_t bloom_error_percent = 20;         ///< maxErrorRateOfBloomFilter
  int64_t filter_clean_ms = 86'400'000;     ///< filterDataCleanTimeSpan
  bool slave_read = false;                  ///< slaveReadEnable
  bool notify_consumer_ids_changed = true;  ///< notifyConsumerIdsChangedEnable
  bool notify_consumers_at_once = true;     ///< realTimeNotifyConsumerChange
  bool broadcast_offsets = true;            ///< enableBroadcastOffsetStore
  int64_t broadcast_offset_expire_s = 120;
  int64_t broadcast_offset_expire_max_s = 300;
  bool disable_slow_consumers = false;           ///< disableConsumeIfConsumerReadSlowly
  int64_t slow_consumer_bytes = 17'179'869'184;  ///< consumerFallbehindThreshold
  bool fast_failure = true;                      ///< brokerFastFailureEnable
  int64_t pull_queue_wait_ms = 5'000;            ///< waitTimeMillsInPullQueue
  int64_t lite_pull_queue_wait_ms = 5'000;       ///< waitTimeMillsInLitePullQueue
  int32_t default_query_max_num = 32;

  // Offsets.
  int32_t flush_consumer_offset_ms = 5'000;  ///< flushConsumerOffsetInterval
  bool server_side_reset_offset = true;      ///< useServerSideResetOffset
  bool server_load_balancer = true;          ///< serverLoadBalancerEnable
  int64_t offset_version_step = 500;         ///< consumerOffsetUpdateVersionStep

  // Delays.
  int32_t flush_delay_offset_ms = 10'000;       ///< flushDelayOffsetInterval
  int64_t delay_offset_version_step = 200;      ///< delayOffsetUpdateVersionStep
  bool schedule_message_stats = true;           ///< enableScheduleMessageStats
  bool timer_wheel = true;                      ///< timerWheelEnable: arbitrary delays, and their system topic
  int32_t timer_precision_ms = 1'000;           ///< timerPrecisionMs: 100, 200, 500 or 1000
  int32_t timer_roll_window_slots = 172'800;    ///< timerRollWindowSlot
  int32_t timer_flush_interval_ms = 1'000;      ///< timerFlushIntervalMs
  int32_t timer_max_delay_s = 259'200;          ///< timerMaxDelaySec
  int32_t timer_congest_each_slot = INT32_MAX;  ///< timerCongestNumEachSlot
  int64_t timer_log_file_bytes = 104'857'600;   ///< mappedFileSizeTimerLog
  bool timer_stop_enqueue = false;              ///< timerStopEnqueue
  bool recall_message = false;                  ///< recallMessageEnable
  bool allow_recall_when_not_writable = true;   ///< allowRecallWhenBrokerNotWriteable

  // Figures.
  bool detail_stat = true;              ///< enableDetailStat
  bool delete_unused_stats = true;      ///< autoDeleteUnusedStats
  bool disk_fall_recorded = true;       ///< diskFallRecorded
  int32_t max_stats_idle_minutes = -1;  ///< maxStatsIdleTimeInMinutes; below 0: kept for ever

  // Replication.
  std::string ha_master_address;                  ///< haMasterAddress; empty: as name servers say
  int64_t ha_heartbeat_ms = 5'000;                ///< haSendHeartbeatInterval
  int64_t ha_housekeeping_ms = 20'000;            ///< haHousekeepingInterval
  int64_t ha_transfer_batch_bytes = 0;            ///< haTransferBatchSize; 0: as large as a frame may be
  bool ha_flow_control = false;                   ///< haFlowControlEnable
  int64_t ha_max_bytes_per_second = 104'857'600;  ///< maxHaTransferByteInSecond
  bool ha_empty_slave_from_last_file = false;     ///< haEmptySlaveFromLastFile (ours)
  bool ha_slave_confirm_after_flush = false;      ///< haSlaveConfirmAfterFlush (ours)
  int64_t ha_max_gap_bytes = 268'435'456;         ///< haMaxGapNotInSync
  int64_t slave_timeout_ms = 3'000;               ///< slaveTimeout
  int32_t in_sync_replicas = 1;                   ///< inSyncReplicas: the master counts
  int32_t min_in_sync_replicas = 1;               ///< minInSyncReplicas
  bool auto_in_sync_replicas = false;             ///< enableAutoInSyncReplicas
  bool offset_check_in_slave = false;             ///< offsetCheckInSlave

  // A slave in its master's place.
  bool slave_acting_master = false;         ///< enableSlaveActingMaster
  bool remote_escape = false;               ///< enableRemoteEscape
  int32_t total_replicas = 1;               ///< totalReplicas
  bool skip_pre_online = false;             ///< skipPreOnline
  bool compatible_with_old_namesrv = true;  ///< compatibleWithOldNameSrv
  int64_t broker_heartbeat_ms = 1'000;      ///< brokerHeartbeatInterval
  int64_t not_active_timeout_ms = 10'000;   ///< brokerNotActiveTimeoutMillis
  int64_t member_group_period_ms = 1'000;   ///< syncBrokerMemberGroupPeriod
  bool lock_in_strict_mode = false;         ///< lockInStrictMode
  bool sync_master_flushed = false;         ///< syncMasterFlushOffsetWhenStartup

  std::string config_black_list = "configBlackList;brokerConfigPath";

  // Store; see store/options.h for meanings.
  std::string store_root;                  ///< storePathRootDir; default ~/store
  std::string commit_log_path;             ///< storePathCommitLog, `,`-separated
  std::string read_only_commit_log_paths;  ///< readOnlyCommitLogStorePaths, `,`-separated
  std::string flush_disk_type = "ASYNC_FLUSH";
  store::StoreOptions store;  ///< numbers and switches of the store; paths and flush mode stand above

  /// Keys of the file that are accepted without effect, or unknown: shown by GET_BROKER_CONFIG as the file has them.
  std::vector<std::pair<std::string, std::string>> others;

  std::string address() const;     ///< brokerIP1:listenPort, what name servers and messages carry
  std::string ha_address() const;  ///< brokerIP2:haListenPort
  bool is_slave() const { return broker_role == "SLAVE"; }
  /// Whether sends may have to wait for slaves.
  bool is_sync_master() const { return broker_role == "SYNC_MASTER"; }
  /// Whether its start waits until it has met the other brokers of its name.
  bool joins_before_serving() const { return slave_acting_master && total_replicas > 1 && !skip_pre_online; }
  bool is_readable() const { return (broker_permission & 4) != 0; }
  bool is_writable() const { return (broker_permission & 2) != 0; }
  std::vector<std::string> name_servers() const;  ///< namesrvAddr split
  /// Everything the store needs, paths and flush mode included.
  store::StoreOptions store_options() const;
  std::string config_folder() const { return store_root + "/config"; }
};

/// Every key that has an effect, in the order of conf/broker.conf. Setting goes through `set_key`.
struct KeyInfo {
  std::string_view key, unit, meaning;
  std::string default_text;
  bool important = false;   ///< printed by -m
  bool changeable = false;  ///< takes effect when changed while running
};
std::vector<KeyInfo> known_keys();

/// Sets one key. kNotFound: no key of that name has an effect; kInvalid: the value is refused, with the accepted form.
Result<void> set_key(BrokerConfig& config, std::string_view key, std::string_view value);
/// A key's value as it stands in a properties file; empty optional for a key without effect.
std::optional<std::string> key_text(const BrokerConfig& config, std::string_view key);

/// What the environment gives; a parameter so that tests own it.
struct Environment {
  std::string home;          ///< ROCKETMQ_HOME, or the folder above the program's
  std::string namesrv_addr;  ///< NAMESRV_ADDR
  std::string user_home;     ///< HOME
  std::string host_name;
  std::string local_ip;  ///< default_broker_ip()
};

Environment read_environment();

struct LoadedConfig {
  BrokerConfig config;
  std::vector<std::string> notices;   ///< one line per key that is accepted without effect
  std::vector<std::string> warnings;  ///< unknown keys, adjusted values
};

/// The settings of a properties text. kInvalid: a bad value (file, line, key, accepted form); kUnsupported: a key asks
/// for what is not built (key and remedy). `file` is for messages only.
Result<LoadedConfig> load_config(std::string_view text, std::string_view file, const Environment& environment);

/// The first suitable address of this machine: a public IPv4 that is no loopback, else the last private one (as
/// RocketMQ chooses), else 127.0.0.1.
std::string default_broker_ip();

/// A port that is free together with the one two below it and the one above it, for listenPort=0; 0 if there is none.
int32_t free_broker_port(const std::string& bind_address);

/// All settings as GET_BROKER_CONFIG answers them: sorted key=value lines, values raw.
std::string config_text(const BrokerConfig& config);

/// Why `list` is no `;`-separated list of host:port; empty if it is one.
std::string name_server_list_problem(std::string_view list);

/// The settings now in force. Readers take a version for one call: `const BrokerConfig& config = live.now();`
///
/// Threads: now() from any, lock-free. update() from any, one at a time. A replaced version stays valid for 10 minutes,
/// far beyond the longest call.
class LiveConfig {
 public:
  LiveConfig(Files& files, const Clock& clock, BrokerConfig initial, Path config_file);

  const BrokerConfig& now() const { return *current_.load(std::memory_order_acquire); }

  struct Change {
    std::vector<std::string> changed;  ///< keys whose value is now another
    std::vector<std::string> unknown;  ///< keys that this broker doesn't know; ignored
    std::vector<std::string> restart;  ///< keys accepted for the next start only
    std::string black_listed;          ///< not empty: this key may not be set; nothing was changed
  };
  /// Applies and persists pairs (UPDATE_BROKER_CONFIG). kInvalid: a value is refused; then nothing was changed. The
  /// file keeps its comments and order; without a -c file the changes go to <store root>/config/broker.properties.
  Result<Change> update(const std::vector<std::pair<std::string, std::string>>& pairs);
  /// Runs after an update that changed keys, on its thread. Set before serving.
  void on_change(std::function<void(const std::vector<std::string>& keys)> told) { on_change_ = std::move(told); }

 private:
  Files& files_;
  const Clock& clock_;
  const Path file_;
  std::function<void(const std::vector<std::string>&)> on_change_;
  std::mutex mu_;  // guards what follows
  std::vector<std::pair<int64_t, std::unique_ptr<BrokerConfig>>>
      versions_;  // with the time each was replaced, 0: in force
  std::atomic<const BrokerConfig*> current_;
};

}  // namespace comet::broker
