"""The suites: which cases each has, which toolchain it needs, on which cluster it runs."""
import dataclasses
import os
import typing

from . import acting_cases, admin_cases, both_ways, group_cases, replication_cases, sql_cases, wire_cases  # group_cases adds its cases to wire_cases
from .admin import run_admin
from .programs import run_program

SEND = ["send_sync", "send_async", "send_oneway", "send_to_chosen_queue", "send_batch", "send_large_compressed", "send_unicode", "send_result_fields",
        "auto_create_topic", "topic_without_inherit_refused", "system_topic_refused", "too_large_refused"]
PUSH = ["push_rebalance", "push_orderly_rebalance", "push_concurrent", "push_orderly", "push_broadcasting", "push_tags", "push_offsets_survive_restart",
        "push_new_group_start", "push_large_bodies", "push_long_poll_latency", "push_reconsume_later", "push_subscribe_later", "push_sql_refused",
        "message_trace", "reset_while_consuming"]
PULL = ["pull_statuses", "pull_tags", "pull_batch_limits", "pull_block_if_not_found", "pull_offsets_commit", "lite_pull_subscribe", "lite_pull_assign"]
LOOKUP = ["offsets_and_times", "view_by_offset_id", "query_by_key", "query_by_unique_key", "connections", "name_server_tables"]
RETRY = ["retry_until_dead_letter", "retry_levels", "retry_sent_by_client", "retry_orderly_dead_letter", "retry_batch_and_compressed"]
ORDER = ["order_topic_config", "push_orderly_suspended"]
CLIENT = ["client_running_info", "client_consumes_directly", "client_status", "message_trace_of_consumer"]
TRANSACTIONS = ["transaction_given_up", "transaction_immunity", "transaction_checked", "transaction_late_commit", "transaction_other_producer",
                "transaction_commit", "transaction_rollback"]
# Ours only: Apache takes some ten seconds to stop, and delivers twice what is committed twice.
OURS_ONLY_WIRE = ["stops_cleanly_within_two_seconds", "transaction_end_repeated"]
REQUEST = ["request_reply", "request_unanswered"]
PROTECTION = ["topic_permissions", "group_switched_off"]
JAVA = [*TRANSACTIONS, *REQUEST, *PROTECTION, *PUSH, *RETRY, *ORDER, *CLIENT, *PULL, *SEND, *LOOKUP]
BINARY = ["push_rebalance", "push_orderly", "push_concurrent", "send_sync", "send_async", "send_oneway", "send_batch", "send_large_compressed", "send_unicode",
          "send_result_fields", "auto_create_topic", "topic_without_inherit_refused", "push_tags", "pull_statuses", "pull_offsets_commit", "lite_pull_subscribe",
          "offsets_and_times", "view_by_offset_id", "query_by_key", "connections"]
# On a broker with flushDiskType=SYNC_FLUSH.
SYNC = ["send_sync", "delay_levels", "delay_timer", "send_async", "send_batch", "send_large_compressed", "push_concurrent", "restart_kill9"]
# On a broker with enablePropertyFilter.
SQL = ["sql_push", "sql_push_bad_text", "sql_push_reconsume", "sql_push_subscription_changes", "sql_pull", "sql_pull_held"]
RESTART = ["restart_clean", "restart_kill9", "retry_survives_kill9", "delay_survives_kill"]
DELAY = ["delay_levels", "delay_to_consumer", "delay_timer", "delay_timer_bounds"]
DELAY5 = [*DELAY, "timer_calls", "recall", "recall_refused"]
# On a master with a slave that serves reads.
REPLICAS = ["consumer_goes_to_slave_and_back"]
GO = ["reset_while_consuming", "transactions", "push_rebalance", "orderly_until_dead_letter", "message_trace", "retry_until_dead_letter", "push_concurrent", "push_orderly", "push_broadcasting", "push_tags", "push_offsets_survive_restart", "pull_consumer", "send_sync", "send_async",
      "send_oneway", "send_batch", "send_large_compressed", "send_unicode", "auto_create_topic", "delay_levels"]
NODE = ["push_concurrent", "push_tags", "push_broadcasting", "push_offsets_survive_restart", "send_sync", "send_large_compressed", "send_unicode",
        "send_to_chosen_queue"]
PYTHON = ["push_concurrent", "push_orderly", "push_tags", "push_broadcasting", "push_offsets_survive_restart", "send_sync", "send_async", "send_oneway",
          "send_orderly", "send_large_compressed", "send_unicode", "pull_consumer"]
DASHBOARD = ["cluster_page", "broker_config_page", "topic_list_page", "topic_page", "topic_create_and_delete", "consumer_page", "consumer_group_config",
             "consumer_running_info", "consume_message_directly", "reset_offset", "producer_page", "message_by_topic_page", "message_by_key_page",
             "message_by_id_page", "fast_channel", "statistics"]
# Of the admin cases: how Apache's script starts, and a command that our mqadmin hasn't.
NOT_OURS = ["own_process", "consumer_status"]
# Only in long runs, or by name: this client looks for another broker every 30 s.
LONG = ["go-replicas"]
# Of the admin cases: commands that 4.9 hasn't.
NOT_IN_4 = ["ha_status"]
# Of the broker that most suites share: open transactions are asked about soon. (Apache forgets for transactionOpBatchInterval how a transaction ended.)
MAIN_PROPS = {"transactionTimeOut": 1000, "transactionCheckInterval": 1000, "transactionCheckMax": 6, "transactionOpBatchInterval": 100,
              "traceTopicEnable": "true"}  # Go's traces need it to be there
# Run with Apache's broker at our name server (mixed-namesrv) and with our broker at Apache's (mixed-broker).
MIXED = ["send_sync", "push_concurrent", "auto_create_topic", "connections", "name_server_tables", "query_by_key"]


@dataclasses.dataclass
class Suite:
    """`run(lab, name, cases)` runs the chosen cases; `group` is the word of --only that stands for several suites.

    `needs` are calls of Toolchains that can be made ahead.
    """

    name: str
    group: str
    cases: list
    run: typing.Callable
    needs: tuple = ()


def _java(version, *jvm, cluster=None, extra=()):
    def run(lab, name, cases):
        class_path = lab.tools.java_classes(version)
        log = lab.log(name)
        where = cluster(lab, name) if cluster else lab.main_cluster()
        argv = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={log.parent}", *jvm, "-cp", class_path, "interop.Main"]
        run_program(lab.report, name, argv, where, cases, log, name.replace("-", "_"), extra)
        if cluster:
            where.stop()

    return run


def _restart_cluster(lab, name):
    return lab.cluster(name, flushConsumerOffsetInterval=1000)


def _delay_cluster(lab, name):
    return lab.cluster(name, recallMessageEnable="true")


def _sync_cluster(lab, name):
    return lab.cluster(name, flushDiskType="SYNC_FLUSH", flushConsumerOffsetInterval=1000)


def _sql_cluster(lab, name):
    return lab.cluster(name, enablePropertyFilter="true")


def _aged_cluster(lab, name):
    return lab.cluster(name, mappedFileSizeCommitLog=1 << 20, fileReservedTime=0, cleanResourceInterval=1000)


def _replica_cluster(lab, name):
    cluster = lab.cluster(name, slaveReadEnable="true", flushConsumerOffsetInterval=1000)
    cluster.start_slave(flushConsumerOffsetInterval=1000)
    return cluster


def _acting_cluster(lab, name):
    """broker-a with a slave that acts for it, broker-b, and one delay level."""
    both = {"enableSlaveActingMaster": "true", "enableRemoteEscape": "true", "totalReplicas": 2, "messageDelayLevel": "5s", "transactionTimeOut": 1000,
            "transactionCheckInterval": 1000, "transactionCheckMax": 100, "flushConsumerOffsetInterval": 1000}
    cluster = lab.cluster(name, namesrv_props=acting_cases.NAMESRV, slaveReadEnable="true", **both)
    cluster.start_slave(**both)
    cluster.start_other_master(**{**both, "totalReplicas": 1})
    return cluster


def _lagging_cluster(lab, name):
    """A master that finds every message old, so that it sends readers to its slave."""
    cluster = lab.cluster(name, slaveReadEnable="true", accessMessageInMemoryMaxRatio=0)
    cluster.start_slave()
    return cluster


def _two_masters(lab, name):
    cluster = lab.cluster(name)
    cluster.start_other_master()
    return cluster


def _client(toolchain, crashes=False, cluster=None):
    """A client program; one that `crashes` by itself now and then gets a second process for the cases that it left."""

    def run(lab, name, cases):
        argv = getattr(lab.tools, toolchain)()
        log = lab.log(name)
        where = cluster(lab, name) if cluster else lab.main_cluster()
        env = {**os.environ, "HOME": str(log.parent)}
        if crashes:
            run_program(lab.report, name, argv, where, cases, log, name, env=env, all_or_fail=False)
            cases = [c for c in cases if not lab.report.has(name, c)]
        if cases:
            run_program(lab.report, name, argv, where, cases, log, (name + "_2" if crashes else name).replace("-", "_"), env=env)
        if cluster:
            where.stop()

    return run


def _mixed(namesrv, broker, **props):
    """A broker of one maker at a name server of the other."""

    def run(lab, name, cases):
        where = lab.cluster(name, lab.maker(namesrv), lab.maker(broker), **props)
        _java("5.3.3", cluster=lambda lab, name: where)(lab, name, cases)

    return run


_JAVA5 = (("java_classes", "5.3.3"),)
_JAVA4 = (("java_classes", "4.9.8"),)
_ONE_BY_ONE = ("--parallel", "1")
_REPLICAS_PATIENCE = (*_ONE_BY_ONE, "--timeout", "180")  # Apache's slave copies topics once a minute
_BINARY_CODEC = "-Drocketmq.serialize.type=ROCKETMQ"
ALL = [
    Suite("java4-restart", "java4", RESTART, _java("4.9.8", cluster=_restart_cluster, extra=_ONE_BY_ONE), _JAVA4),
    Suite("java5-restart", "java5", RESTART, _java("5.3.3", cluster=_restart_cluster, extra=_ONE_BY_ONE), _JAVA5),
    Suite("java5", "java5", [*JAVA, "push_assigned_by_broker"], _java("5.3.3"), _JAVA5),
    Suite("java4", "java4", JAVA, _java("4.9.8"), _JAVA4),
    Suite("java4-delay", "java4", DELAY, _java("4.9.8", cluster=_delay_cluster), _JAVA4),
    Suite("java5-delay", "java5", DELAY5, _java("5.3.3", cluster=_delay_cluster), _JAVA5),
    Suite("java5-binary", "java5", BINARY, _java("5.3.3", _BINARY_CODEC), _JAVA5),
    Suite("java5-aged", "java5", ["aged_queue"], _java("5.3.3", cluster=_aged_cluster, extra=("--timeout", "150")), _JAVA5),
    Suite("java5-sync", "java5", SYNC, _java("5.3.3", cluster=_sync_cluster, extra=_ONE_BY_ONE), _JAVA5),
    Suite("java5-sql", "sql", SQL, _java("5.3.3", cluster=_sql_cluster), _JAVA5),
    Suite("java4-sql", "sql", SQL, _java("4.9.8", cluster=_sql_cluster), _JAVA4),
    Suite("go-sql", "sql", ["sql_push"], _client("go_program", cluster=_sql_cluster), (("go_program",),)),
    Suite("sql", "sql", list(sql_cases.CASES), sql_cases.run_sql),
    Suite("go", "go", GO, _client("go_program"), (("go_program",),)),
    Suite("python", "python", PYTHON, _client("python_program", crashes=True), (("python_program",),)),
    Suite("node", "node", NODE, _client("node_program"), (("node_program",),)),
    Suite("admin5", "admin", list(admin_cases.CASES), lambda lab, name, cases: run_admin(lab, name, cases, "5.3.3"), _JAVA5),
    Suite("admin4", "admin", [c for c in admin_cases.CASES if c not in NOT_IN_4], lambda lab, name, cases: run_admin(lab, name, cases, "4.9.8"), _JAVA4),
    Suite("mqadmin", "mqadmin", [c for c in admin_cases.CASES if c not in NOT_OURS], lambda lab, name, cases: run_admin(lab, name, cases, "5.3.3", own=True), _JAVA5),
    Suite("dashboard", "dashboard", DASHBOARD, _java("5.3.3"), _JAVA5),
    Suite("wire", "wire", [*wire_cases.CASES, *wire_cases.DAEMON_CASES], wire_cases.run_wire),
    Suite("both-ways", "mixed", ["take_turns"], both_ways.run_both_ways, (("apache_server_lib",),)),
    Suite("replication", "replication", list(replication_cases.CASES), replication_cases.run_replication, (("apache_server_lib",),)),
    Suite("acting", "replication", list(acting_cases.CASES), acting_cases.run_acting, (("apache_server_lib",),)),
    Suite("java5-replicas", "replication", REPLICAS, _java("5.3.3", cluster=_replica_cluster, extra=_REPLICAS_PATIENCE), _JAVA5),
    Suite("java4-replicas", "replication", REPLICAS, _java("4.9.8", cluster=_replica_cluster, extra=_REPLICAS_PATIENCE), _JAVA4),
    Suite("go-replicas", "replication", REPLICAS, _client("go_program", cluster=_replica_cluster), (("go_program",),)),
    Suite("java5-acting", "replication", ["slave_acts_for_master"], _java("5.3.3", cluster=_acting_cluster, extra=_REPLICAS_PATIENCE), _JAVA5),
    Suite("java5-lagging", "replication", ["consumer_that_lags_reads_from_slave"], _java("5.3.3", cluster=_lagging_cluster, extra=_REPLICAS_PATIENCE), _JAVA5),
    Suite("java5-masters", "replication", ["two_masters"], _java("5.3.3", cluster=_two_masters), _JAVA5),
    Suite("mixed-namesrv", "mixed", MIXED, _mixed("ours", "apache"), (*_JAVA5, ("apache_server_lib",))),
    Suite("mixed-broker", "mixed", MIXED, _mixed("apache", "ours"), (*_JAVA5, ("apache_server_lib",))),
    Suite("mixed-broker-parts", "mixed", ["auto_create_topic", "name_server_tables", "send_sync"],
          _mixed("apache", "ours", compressedRegister="true", enableSplitRegistration="true", splitRegistrationSize=3), (*_JAVA5, ("apache_server_lib",))),
]


def choose(only, case, against):
    """[(suite, cases)] that --only and --case leave, in the order to run them."""
    words = set(only.split(",")) if only else None
    names = set(case.split(",")) if case else None
    chosen = []
    for suite in ALL:
        if suite.name in LONG and not words and not os.environ.get("COMETMQ_LONG"):
            continue
        if words and not words & {suite.name, suite.group}:
            continue
        cases = [c for c in suite.cases if (not names or c in names) and not (against == "apache" and (c in OURS_ONLY_WIRE or suite.name in ("mixed-namesrv", "mixed-broker", "mixed-broker-parts", "replication", "acting")))]
        if cases:
            chosen.append((suite, cases))
    return chosen
