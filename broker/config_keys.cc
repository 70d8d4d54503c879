#include "broker/config_keys.h"

#include <algorithm>

namespace comet::broker {
namespace {

using Config = BrokerConfig;
using Store = store::StoreOptions;
constexpr bool kLive = true, kRestart = false;
constexpr int64_t kAny = INT64_MIN, kMost = INT64_MAX;
constexpr int64_t kDayMs = 24 * 3600 * 1000;

// Meanings become the comments of conf/broker.conf.
constexpr Option<Config> kBroker[] = {
    // clang-format off
    {"rocketmqHome", &Config::rocketmq_home, "", "The installation's folder; default ROCKETMQ_HOME, else the folder above the program's.", kAny, kMost, kRestart},
    {"brokerClusterName", &Config::cluster_name, "", "The cluster that this broker joins.", kAny, kMost, kRestart},
    {"brokerName", &Config::broker_name, "", "The name that master and slaves share; default the host's name.", kAny, kMost, kRestart},
    {"brokerId", &Config::broker_id, "", "0 for a master, whatever stands here; above 0 for a slave.", -1, kMost, kRestart},
    {"brokerRole", &Config::broker_role, "", "ASYNC_MASTER answers when a message is written here, SYNC_MASTER when inSyncReplicas brokers have it, SLAVE copies a master.", kAny, kMost, kRestart},
    {"namesrvAddr", &Config::namesrv_addr, "", "Name servers, host:port separated by ';'; default NAMESRV_ADDR; -n on the command line wins.", kAny, kMost, kLive},
    {"brokerIP1", &Config::broker_ip1, "", "The address that name servers hand out and messages carry; default the first public IPv4, else the last private one.", kAny, kMost, kRestart},
    {"brokerIP2", &Config::broker_ip2, "", "The address of the replication port that slaves are told.", kAny, kMost, kRestart},
    {"bindAddress", &Config::bind_address, "", "The local address to listen on.", kAny, kMost, kRestart},
    {"listenPort", &Config::listen_port, "", "The main port; the port two below it serves everything but pulls.", 0, 65'535, kRestart},
    {"haListenPort", &Config::ha_listen_port, "", "The replication port told to slaves; 0: listenPort + 1.", 0, 65'535, kRestart},
    {"eventLoopThreads", &Config::event_loop_threads, "", "Ours: threads that serve connections; 0: one per core, at most 8.", 0, 64, kRestart},
    {"workerThreads", &Config::worker_threads, "", "Ours: threads for cold reads, queries and long administrative answers.", 1, 64, kRestart},
    {"regionId", &Config::region_id, "", "Set as MSG_REGION on every message and answer.", kAny, kMost, kLive},
    {"isolateLogEnable", &Config::isolate_log, "", "true: logs go to a folder <brokerName>_<brokerId> of their own.", kAny, kMost, kRestart},
    {"brokerPermission", &Config::broker_permission, "", "2 write, 4 read, 6 both; clients see it in their routes at once.", 0, 7, kLive},
    {"registerBrokerTimeoutMills", &Config::register_timeout_ms, "ms", "How long to wait for a name server's answer to a registration.", 1, 600'000, kLive},
    {"registerNameServerPeriod", &Config::register_period_ms, "ms", "Time between registrations; used within 10,000 and 60,000.", 1, kDayMs, kRestart},
    {"forceRegister", &Config::force_register, "", "false: ask name servers first, and register only where something changed.", kAny, kMost, kLive},
    {"compressedRegister", &Config::compressed_register, "", "Register in RocketMQ's compressed form; it loses the topics' order and system flags.", kAny, kMost, kLive},
    {"enableSplitRegistration", &Config::split_registration, "", "Send the topics in several registrations; name servers must not have deleteTopicWithBrokerRegistration then.", kAny, kMost, kLive},
    {"splitRegistrationSize", &Config::split_registration_size, "topics", "Most in one of them.", 1, 1'000'000, kLive},
    {"enableSingleTopicRegister", &Config::single_topic_register, "", "Tell name servers a changed topic by itself (REGISTER_TOPIC_IN_NAMESRV).", kAny, kMost, kLive},
    {"connectTimeoutMillis", &Config::connect_timeout_ms, "ms", "For connections to name servers.", 1, 600'000, kRestart},
    {"serverChannelMaxIdleTimeSeconds", &Config::channel_idle_s, "s", "A connection silent for so long is closed.", 1, 86'400, kRestart},
    {"channelExpiredTimeout", &Config::channel_expired_ms, "ms", "A client without a heartbeat for so long is dropped.", 1'000, kDayMs, kLive},
    {"subscriptionExpiredTimeout", &Config::subscription_expired_ms, "ms", "A subscription that came with a pull is shown so long after the last one.", 1'000, kDayMs, kLive},

    {"defaultTopicQueueNums", &Config::default_topic_queue_nums, "queues", "Most queues of a topic created by sending to it.", 1, 1'024, kRestart},
    {"autoCreateTopicEnable", &Config::auto_create_topic, "", "Create topics when a producer first sends to them.", kAny, kMost, kLive},
    {"autoCreateSubscriptionGroup", &Config::auto_create_subscription_group, "", "Create consumer groups when they first appear.", kAny, kMost, kLive},
    {"clusterTopicEnable", &Config::cluster_topic, "", "The topic named after the cluster can be read and written.", kAny, kMost, kRestart},
    {"brokerTopicEnable", &Config::broker_topic, "", "The topic named after the broker can be read and written.", kAny, kMost, kRestart},
    {"traceTopicEnable", &Config::trace_topic, "", "Make the topic for message traces.", kAny, kMost, kRestart},
    {"msgTraceTopicName", &Config::trace_topic_name, "", "Its name.", kAny, kMost, kRestart},
    {"reviveQueueNum", &Config::revive_queue_num, "queues", "Of the system topic for POP's bookkeeping.", 1, 1'024, kRestart},
    {"validateSystemTopicWhenUpdateTopic", &Config::validate_system_topic, "", "Refuse changes of system topics.", kAny, kMost, kLive},
    {"enableMixedMessageType", &Config::enable_mixed_message_type, "", "Allow the topic attribute message.type=MIXED.", kAny, kMost, kLive},
    {"clearRetryTopicWhenDeleteTopic", &Config::clear_retry_topic_when_delete_topic, "", "Deleting a topic deletes its groups' POP retry topics, too.", kAny, kMost, kLive},
    {"enableCreateSysGroup", &Config::create_sys_group, "", "Make RocketMQ's own consumer groups at start.", kAny, kMost, kRestart},

    {"traceOn", &Config::trace_on, "", "Set as TRACE_ON on every message and answer.", kAny, kMost, kLive},
    {"rejectTransactionMessage", &Config::reject_transaction_message, "", "Refuse transactional messages.", kAny, kMost, kLive},
    {"startAcceptSendRequestTimeStamp", &Config::start_accept_send_ms, "Unix ms", "Refuse sends before this moment.", 0, kMost, kLive},
    {"enableRegisterProducer", &Config::enable_register_producer, "", "Keep producers' heartbeats; they are needed for transactions.", kAny, kMost, kLive},

    {"storeReplyMessageEnable", &Config::store_reply_message, "", "Also store the replies of request-reply, in the cluster's reply topic.", kAny, kMost, kLive},

    {"transactionTimeOut", &Config::transaction_timeout_ms, "ms", "A transaction is left in peace for so long before its producers are asked.", 0, 30 * kDayMs, kLive},
    {"transactionCheckMax", &Config::transaction_check_max, "checks", "After so many the message goes to TRANS_CHECK_MAX_TIME_TOPIC.", 1, 1'000'000, kLive},
    {"transactionCheckInterval", &Config::transaction_check_interval_ms, "ms", "Time between rounds of checks.", 10, kDayMs, kLive},
    {"transactionOpMsgMaxSize", &Config::transaction_op_max_bytes, "bytes", "Of a record of ended transactions.", 1, 1'048'576, kLive},
    {"transactionOpBatchInterval", &Config::transaction_op_interval_ms, "ms", "Such a record waits so long for more; above 2 it is 2.", 0, kDayMs, kLive},
    {"transactionMetricFlushInterval", &Config::transaction_metric_flush_ms, "ms", "Time between writes of the counts of open transactions.", 100, kDayMs, kRestart},

    {"longPollingEnable", &Config::long_polling, "", "Hold an empty pull as long as the consumer asks.", kAny, kMost, kLive},
    {"shortPollingTimeMills", &Config::short_polling_ms, "ms", "How long to hold it otherwise.", 1, 600'000, kLive},
    {"litePullMessageEnable", &Config::lite_pull, "", "Serve lite pull consumers.", kAny, kMost, kLive},
    {"rejectPullConsumerEnable", &Config::reject_pull_consumer, "", "Refuse pulls of clients that no push consumer registered.", kAny, kMost, kLive},
    {"enablePropertyFilter", &Config::enable_property_filter, "", "Let consumers filter by SQL92 over properties; false: such subscriptions are refused.", kAny, kMost, kLive},
    {"filterSupportRetry", &Config::filter_support_retry, "", "A SQL92 subscription to a retry topic filters each message by the filter on the topic that it came from.", kAny, kMost, kLive},
    {"filterDataCleanTimeSpan", &Config::filter_clean_ms, "ms", "How long a SQL92 filter is kept after its group went.", 0, kMost, kLive},
    {"expectConsumerNumUseFilter", &Config::filter_consumers, "groups", "Goes into the numbers of consumerFilter.json, of which Apache's broker takes only its own; as there, another value drops the filters kept.", 1, 1'000'000, kRestart},
    {"maxErrorRateOfBloomFilter", &Config::bloom_error_percent, "percent", "Likewise.", 1, 99, kRestart},
    {"slaveReadEnable", &Config::slave_read, "", "On a master: suggest a slave to consumers that are far behind. On a slave: serve them at all.", kAny, kMost, kLive},
    {"notifyConsumerIdsChangedEnable", &Config::notify_consumer_ids_changed, "", "Tell a group's consumers when one comes or goes.", kAny, kMost, kLive},
    {"realTimeNotifyConsumerChange", &Config::notify_consumers_at_once, "", "Tell them at once; false: every 15 s.", kAny, kMost, kLive},
    {"enableBroadcastOffsetStore", &Config::broadcast_offsets, "", "Follow where clients of broadcasting groups are; the slowest is shown as group <group>@broadcast.", kAny, kMost, kLive},
    {"broadcastOffsetExpireSecond", &Config::broadcast_offset_expire_s, "s", "A client that left is followed so long after its last pull.", 1, 86'400, kLive},
    {"broadcastOffsetExpireMaxSecond", &Config::broadcast_offset_expire_max_s, "s", "The same for one that is connected.", 1, 86'400, kLive},
    {"disableConsumeIfConsumerReadSlowly", &Config::disable_slow_consumers, "", "Set consumeEnable=false for groups that read too far behind; looked at every 3 minutes.", kAny, kMost, kLive},
    {"consumerFallbehindThreshold", &Config::slow_consumer_bytes, "bytes", "Further than this, in the log.", 0, kMost, kLive},
    {"brokerFastFailureEnable", &Config::fast_failure, "", "Answer SYSTEM_BUSY to pulls that waited too long for the disk.", kAny, kMost, kLive},
    {"waitTimeMillsInPullQueue", &Config::pull_queue_wait_ms, "ms", "Longer than this, before a worker could read for them.", 1, kDayMs, kLive},
    {"waitTimeMillsInLitePullQueue", &Config::lite_pull_queue_wait_ms, "ms", "The same for lite pull consumers.", 1, kDayMs, kLive},
    {"defaultQueryMaxNum", &Config::default_query_max_num, "messages", "Most answers to a query by unique key.", 1, 1'024, kLive},

    {"flushConsumerOffsetInterval", &Config::flush_consumer_offset_ms, "ms", "Time between writes of consumerOffset.json.", 100, kDayMs, kRestart},
    {"serverLoadBalancerEnable", &Config::server_load_balancer, "", "Share a topic's queues out among those who ask for it; false: everyone gets all.", kAny, kMost, kLive},
    {"useServerSideResetOffset", &Config::server_side_reset_offset, "", "Reset offsets on the broker; false: ask the clients to.", kAny, kMost, kLive},
    {"consumerOffsetUpdateVersionStep", &Config::offset_version_step, "commits", "Raise the offset table's version every so many commits.", 1, kMost, kLive},
    {"enableDetailStat", &Config::detail_stat, "", "Keep the latencies of groups by queue.", kAny, kMost, kRestart},
    {"autoDeleteUnusedStats", &Config::delete_unused_stats, "", "Forget the figures of topics and groups that are deleted.", kAny, kMost, kLive},
    {"diskFallRecorded", &Config::disk_fall_recorded, "", "Look how far behind the log's end groups read: lines in stats.log, and disableConsumeIfConsumerReadSlowly.", kAny, kMost, kLive},
    {"maxStatsIdleTimeInMinutes", &Config::max_stats_idle_minutes, "minutes", "Figures that stood still so long are forgotten; below 0: none are.", -1, 1'000'000, kLive},
    {"flushDelayOffsetInterval", &Config::flush_delay_offset_ms, "ms", "Time between writes of delayOffset.json.", 100, kDayMs, kRestart},
    {"delayOffsetUpdateVersionStep", &Config::delay_offset_version_step, "messages", "Raise that table's version every so many delivered messages.", 1, kMost, kLive},
    {"timerWheelEnable", &Config::timer_wheel, "", "Serve arbitrary delays (TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS).", kAny, kMost, kRestart},
    {"timerPrecisionMs", &Config::timer_precision_ms, "ms", "They are delivered at most so much late: 100, 200, 500 or 1000, chosen for a new store.", 1, kDayMs, kRestart},
    {"timerMaxDelaySec", &Config::timer_max_delay_s, "s", "The longest of them; may be more than RocketMQ's three days.", 1, INT32_MAX, kLive},
    {"timerRollWindowSlot", &Config::timer_roll_window_slots, "slots", "What is further off than this is stored once more on its way.", 0, INT32_MAX, kRestart},
    {"timerCongestNumEachSlot", &Config::timer_congest_each_slot, "messages", "Refuse more for one slot: surely from twice as many on, by chance between.", 1, INT32_MAX, kLive},
    {"timerFlushIntervalMs", &Config::timer_flush_interval_ms, "ms", "Time between writes of the timers' files.", 10, kDayMs, kRestart},
    {"timerStopEnqueue", &Config::timer_stop_enqueue, "", "Leave new ones in their topic while this is true.", kAny, kMost, kLive},
    {"mappedFileSizeTimerLog", &Config::timer_log_file_bytes, "bytes", "Size of one file of the timer log, 52 bytes a message; never change it on an existing store.", 1'024, 0x7FFF'F000, kRestart},
    {"recallMessageEnable", &Config::recall_message, "", "Let producers take arbitrarily delayed messages back.", kAny, kMost, kLive},
    {"allowRecallWhenBrokerNotWriteable", &Config::allow_recall_when_not_writable, "", "Also while brokerPermission forbids writing.", kAny, kMost, kLive},
    {"enableScheduleMessageStats", &Config::schedule_message_stats, "", "Count delayed messages in the statistics of their topics and queues.", kAny, kMost, kLive},
    {"haMasterAddress", &Config::ha_master_address, "", "Of a slave: host:port of the master's replication port; default what name servers say.", kAny, kMost, kRestart},
    {"haSendHeartbeatInterval", &Config::ha_heartbeat_ms, "ms", "A silent replication connection carries a heartbeat so often.", 100, kDayMs, kRestart},
    {"haHousekeepingInterval", &Config::ha_housekeeping_ms, "ms", "A replication connection silent for so long is closed.", 1'000, kDayMs, kRestart},
    {"haTransferBatchSize", &Config::ha_transfer_batch_bytes, "bytes", "Most that one frame to a slave carries; 0: 1 MiB (RocketMQ: 32768, which makes a slave's catching up slow).", 0, 4'194'240, kRestart},
    {"haFlowControlEnable", &Config::ha_flow_control, "", "Bound what a slave is sent in a second.", kAny, kMost, kRestart},
    {"maxHaTransferByteInSecond", &Config::ha_max_bytes_per_second, "bytes", "That bound, for each slave.", 1'024, kMost, kRestart},
    {"haEmptySlaveFromLastFile", &Config::ha_empty_slave_from_last_file, "", "Ours: send a slave that starts empty only the newest file of the log, as RocketMQ does; false: all of it.", kAny, kMost, kRestart},
    {"haSlaveConfirmAfterFlush", &Config::ha_slave_confirm_after_flush, "", "Ours: a slave confirms what is on its disk, not what it has received. With SYNC_FLUSH on both and SYNC_MASTER a message then survives the loss of either machine and of all power.", kAny, kMost, kRestart},
    {"haMaxGapNotInSync", &Config::ha_max_gap_bytes, "bytes", "A slave that lacks this much or more counts as not in sync.", 1, kMost, kLive},
    {"slaveTimeout", &Config::slave_timeout_ms, "ms", "SYNC_MASTER: a send that too few slaves have confirmed after so long gets FLUSH_SLAVE_TIMEOUT.", 1, kDayMs, kLive},
    {"inSyncReplicas", &Config::in_sync_replicas, "brokers", "SYNC_MASTER: brokers that have a message before it is answered, the master included; with 1 it waits for nobody.", 1, 64, kLive},
    {"minInSyncReplicas", &Config::min_in_sync_replicas, "brokers", "With enableAutoInSyncReplicas: fewer than this are never enough.", 1, 64, kLive},
    {"enableAutoInSyncReplicas", &Config::auto_in_sync_replicas, "", "SYNC_MASTER: be content with the brokers that are in sync, but never with fewer than minInSyncReplicas: then sends are refused.", kAny, kMost, kLive},
    {"offsetCheckInSlave", &Config::offset_check_in_slave, "", "A slave corrects the offset of a pull beyond its queue; false: only the master knows the queue's end.", kAny, kMost, kLive},
    {"enableSlaveActingMaster", &Config::slave_acting_master, "", "While the master is away, the slave with the lowest brokerId serves consumers in its place; on all brokers of the name, with supportActingMaster=true at the name servers.", kAny, kMost, kRestart},
    {"enableRemoteEscape", &Config::remote_escape, "", "That slave also delivers what is due (delays, timers) and hands open transactions on, to masters of other names that have the topic; false: all that waits for the master.", kAny, kMost, kRestart},
    {"totalReplicas", &Config::total_replicas, "brokers", "Brokers of this name, the master included. From 2 on a broker that starts with enableSlaveActingMaster meets the others before it serves: a master takes back from them how far they delivered.", 1, 64, kRestart},
    {"skipPreOnline", &Config::skip_pre_online, "", "It serves at once all the same; what was delivered in its place is delivered again.", kAny, kMost, kRestart},
    {"compatibleWithOldNameSrv", &Config::compatible_with_old_namesrv, "", "Say that this broker lives, and ask for the others of its name, in requests that name servers before 5.0 know, too.", kAny, kMost, kLive},
    {"brokerHeartbeatInterval", &Config::broker_heartbeat_ms, "ms", "With enableSlaveActingMaster: name servers hear that this broker lives so often.", 100, kDayMs, kRestart},
    {"brokerNotActiveTimeoutMillis", &Config::not_active_timeout_ms, "ms", "With enableSlaveActingMaster: name servers drop this broker when they have heard nothing for so long.", 1'000, kDayMs, kRestart},
    {"syncBrokerMemberGroupPeriod", &Config::member_group_period_ms, "ms", "With enableSlaveActingMaster: name servers are asked for the other brokers of this name so often.", 100, kDayMs, kRestart},
    {"lockInStrictMode", &Config::lock_in_strict_mode, "", "With enableSlaveActingMaster: an orderly consumer gets a queue only if more than half of totalReplicas agree, so that a slave in its master's place gives nothing away that is held.", kAny, kMost, kLive},
    {"syncMasterFlushOffsetWhenStartup", &Config::sync_master_flushed, "", "A slave keeps where its master's log ended when it first hears that; haStatus shows it, nothing goes by it.", kAny, kMost, kLive},

    {"configBlackList", &Config::config_black_list, "", "Keys that can't be changed while running, separated by ';'.", kAny, kMost, kRestart},

    {"storePathRootDir", &Config::store_root, "", "Folder of all stored files; default ~/store.", kAny, kMost, kRestart},
    {"storePathCommitLog", &Config::commit_log_path, "", "Folder of the message log, or several separated by ','; default <storePathRootDir>/commitlog.", kAny, kMost, kRestart},
    {"readOnlyCommitLogStorePaths", &Config::read_only_commit_log_paths, "", "Those of them that get no new files, separated by ','.", kAny, kMost, kRestart},
    {"flushDiskType", &Config::flush_disk_type, "", "SYNC_FLUSH answers a send after it is on disk, ASYNC_FLUSH before.", kAny, kMost, kRestart},
    // clang-format on
};

constexpr Option<Store> kStore[] = {
    // clang-format off
    {"mappedFileSizeCommitLog", &Store::commit_log_file_bytes, "bytes", "Size of one file of the log; never change it on an existing store.", 4'096, 0x7FFF'F000, kRestart},
    {"mappedFileSizeConsumeQueue", &Store::consume_queue_file_bytes, "bytes", "Size of one file of a queue, 20 bytes an entry.", 20, 0x7FFF'F000, kRestart},
    {"flushIntervalCommitLog", &Store::flush_interval_ms, "ms", "ASYNC_FLUSH: the log is made durable so often.", 1, kDayMs, kLive},
    {"flushIntervalConsumeQueue", &Store::flush_consume_queue_interval_ms, "ms", "Time between writes of queue files.", 1, kDayMs, kRestart},
    {"syncFlushTimeout", &Store::sync_flush_timeout_ms, "ms", "SYNC_FLUSH: a send that isn't durable after so long gets FLUSH_DISK_TIMEOUT.", 1, kDayMs, kLive},
    {"maxMessageSize", &Store::max_message_bytes, "bytes", "Largest message body.", 1, 1 << 30, kLive},
    {"checkCRCOnRecover", &Store::check_crc_on_recover, "", "Check each body's checksum when recovering after a crash.", kAny, kMost, kRestart},
    {"enabledAppendPropCRC", &Store::append_prop_crc, "", "Append a checksum of the whole record as a property.", kAny, kMost, kRestart},
    {"forceVerifyPropCRC", &Store::force_prop_crc, "", "After a crash the log ends before the first new record without a right checksum of the whole; each gets one.", kAny, kMost, kRestart},
    {"readUnCommitted", &Store::read_uncommitted, "", "SYNC_FLUSH: let consumers see messages before they are on disk.", kAny, kMost, kLive},
    {"messageIndexEnable", &Store::message_index, "", "Index messages by their keys.", kAny, kMost, kRestart},
    {"maxHashSlotNum", &Store::index_slots, "slots", "Of one index file.", 1, 100'000'000, kRestart},
    {"maxIndexNum", &Store::index_entries, "entries", "Of one index file.", 2, 500'000'000, kRestart},
    {"maxMsgsNumBatch", &Store::max_query_messages, "messages", "Most answers to a query by key.", 1, 10'000, kLive},
    {"maxTransferBytesOnMessageInMemory", &Store::transfer_bytes_memory, "bytes", "Most that one pull answer carries of recent messages.", 1, 1 << 30, kLive},
    {"maxTransferCountOnMessageInMemory", &Store::transfer_count_memory, "messages", "The same, counted in messages.", 1, 100'000, kLive},
    {"maxTransferBytesOnMessageInDisk", &Store::transfer_bytes_disk, "bytes", "Most that one pull answer carries of old messages.", 1, 1 << 30, kLive},
    {"maxTransferCountOnMessageInDisk", &Store::transfer_count_disk, "messages", "The same, counted in messages.", 1, 100'000, kLive},
    {"accessMessageInMemoryMaxRatio", &Store::access_in_memory_max_ratio, "percent", "Of memory: messages further behind than this count as old; a slave takes ten less.", 0, 100, kLive},
    {"maxFilterMessageSize", &Store::max_filter_message_bytes, "entries", "Most queue entries that one filtered pull looks at.", 1, 1 << 30, kLive},
    {"travelCqFileNumWhenGetMessage", &Store::travel_queue_files, "files", "Most queue files that one filtered pull walks through.", 1, 1'000, kRestart},
    {"fileReservedTime", &Store::file_reserved_hours, "hours", "Log files older than this are deleted.", 0, 1'000'000, kLive},
    {"deleteWhen", &Store::delete_when, "hours", "Local hours (00 to 23, separated by ';') at which old files are deleted.", kAny, kMost, kLive},
    {"diskMaxUsedSpaceRatio", &Store::disk_max_used_ratio, "percent", "Fuller than this, old files are deleted at once; within 10 and 95.", 0, 100, kLive},
    {"diskSpaceCleanForciblyRatio", &Store::disk_clean_forcibly_ratio, "percent", "Fuller than this, younger files are deleted, too; within 30 and 85.", 0, 100, kLive},
    {"diskSpaceWarningLevelRatio", &Store::disk_warning_ratio, "percent", "Fuller than this, sends are refused; within 35 and 90.", 0, 100, kLive},
    {"cleanFileForciblyEnable", &Store::clean_file_forcibly, "", "Delete files that are not yet old when the disk is full.", kAny, kMost, kLive},
    {"cleanResourceInterval", &Store::clean_interval_ms, "ms", "Time between looks at what can be deleted.", 100, kDayMs, kLive},
    {"deleteCommitLogFilesInterval", &Store::delete_files_interval_ms, "ms", "Pause between two deletions.", 0, kDayMs, kLive},
    {"deleteFileBatchMax", &Store::delete_file_batch, "files", "Most files deleted in one pass.", 1, 10'000, kLive},
    {"messageDelayLevel", &Store::delay_levels, "", "The delay of each level, from 1; s, m, h, d.", kAny, kMost, kRestart},
    // clang-format on
};

constexpr std::string_view kImportant[] = {"namesrvAddr",
                                           "listenPort",
                                           "brokerIP1",
                                           "brokerName",
                                           "brokerClusterName",
                                           "brokerId",
                                           "brokerRole",
                                           "autoCreateTopicEnable",
                                           "autoCreateSubscriptionGroup",
                                           "msgTraceTopicName",
                                           "traceTopicEnable",
                                           "rejectTransactionMessage",
                                           "storePathRootDir",
                                           "storePathCommitLog",
                                           "flushIntervalCommitLog",
                                           "flushDiskType",
                                           "deleteWhen",
                                           "fileReservedTime",
                                           "deleteFileBatchMax",
                                           "maxTransferBytesOnMessageInMemory",
                                           "maxTransferCountOnMessageInMemory",
                                           "maxTransferBytesOnMessageInDisk",
                                           "maxTransferCountOnMessageInDisk",
                                           "accessMessageInMemoryMaxRatio",
                                           "messageIndexEnable",
                                           "cleanFileForciblyEnable"};

constexpr std::pair<std::string_view, std::string_view> kFormerNames[] = {
    {"mapedFileSizeCommitLog", "mappedFileSizeCommitLog"},
    {"mapedFileSizeConsumeQueue", "mappedFileSizeConsumeQueue"},
    {"haSlaveFallbehindMax", "haMaxGapNotInSync"},
};

constexpr std::string_view kNoAccessControl =
    "access control isn't built yet; remove the key and keep strangers off the port with a firewall";
constexpr std::string_view kNoReplication =
    "failover by the controller or DLedger isn't built yet; remove the key: brokerRole names masters and slaves";
constexpr std::string_view kNoFormat =
    "that store format isn't built; remove the key, the standard files hold everything";
constexpr std::string_view kNoTls = "TLS isn't built yet; remove the key, or put a TLS proxy in front of the port";
constexpr std::string_view kNoLookup = "looking up name servers isn't built; list their host:port in namesrvAddr";

constexpr RefusedKey kRefused[] = {
    {"aclEnable", "false", kNoAccessControl},
    {"authenticationEnabled", "false", kNoAccessControl},
    {"authorizationEnabled", "false", kNoAccessControl},
    {"migrateAuthFromV1Enabled", "false", kNoAccessControl},
    {"useTLS", "false", kNoTls},
    {"tls.enable", "false", kNoTls},
    {"tls.server.mode", "disabled", kNoTls},
    {"enableDLegerCommitLog", "false", kNoReplication},
    {"enableControllerMode", "false", kNoReplication},
    {"duplicationEnable", "false", kNoReplication},
    {"storeType", "default", kNoFormat},
    {"configManagerVersion", "v1", kNoFormat},
    {"enableLmq", "false", kNoFormat},
    {"enableMultiDispatch", "false", kNoFormat},
    {"enableConsumeQueueExt", "false", kNoFormat},
    {"rocksdbCQDoubleWriteEnable", "false", kNoFormat},
    {"transferMetadataJsonToRocksdb", "false", kNoFormat},
    {"transferOffsetJsonToRocksdb", "false", kNoFormat},
    {"fetchNamesrvAddrByAddressServer", "false", kNoLookup},
    {"fetchNameSrvAddrByDnsLookup", "false", kNoLookup},
};

bool same_word(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::span<const Option<BrokerConfig>> broker_options() { return kBroker; }
std::span<const Option<store::StoreOptions>> store_options() { return kStore; }

bool is_important(std::string_view key) {
  return std::find(std::begin(kImportant), std::end(kImportant), key) != std::end(kImportant);
}

std::string_view current_name(std::string_view key) {
  for (const auto& [former, current] : kFormerNames) {
    if (former == key) return current;
  }
  return key;
}

const RefusedKey* find_refused(std::string_view key, std::string_view value) {
  for (const RefusedKey& refused : kRefused) {
    if (refused.key != key) continue;
    const bool harmless =
        same_word(refused.harmless, value) || (key == "tls.server.mode" && same_word(value, "permissive"));
    return harmless ? nullptr : &refused;
  }
  return nullptr;
}

std::optional<std::string_view> harmless_value(std::string_view key) {
  for (const RefusedKey& refused : kRefused) {
    if (refused.key == key) return refused.harmless;
  }
  return std::nullopt;
}

std::span<const RefusedKey> refused_keys() { return kRefused; }

}  // namespace comet::broker
