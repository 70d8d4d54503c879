"""Requests that no official client sends, on raw connections: what the broker refuses, and how it answers what it does not know."""
import concurrent.futures
import json
import subprocess
import threading
import time

from . import wire

CASES = {}
DAEMON_CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def run_wire(lab, name, cases):
    def run_one(one):
        if one in DAEMON_CASES:
            # The shortest period that RocketMQ knows between a broker's registrations.
            DAEMON_CASES[one](lab.cluster(f"{name}-{one}", registerNameServerPeriod=10000))
        else:
            CASES[one](lab.main_cluster())

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda one: lab.report.run(name, one, lambda: run_one(one)), sorted(cases, key=lambda c: c not in DAEMON_CASES)))


def daemon_case(function):
    """A case that stops or starts daemons: it gets a cluster of its own."""
    DAEMON_CASES[function.__name__] = function
    return function


def equal(expected, actual, what):
    assert expected == actual, f"{what}: expected {expected!r}, got {actual!r}"


def send(port, topic, body=b"x", code=10, flag=0, **more):
    ext = {"producerGroup": "wire_producer", "topic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": "4", "queueId": "0", "sysFlag": "0",
           "bornTimestamp": str(int(time.time() * 1000)), "flag": "0", "properties": "", "reconsumeTimes": "0", "unitMode": "false", "batch": "false", **more}
    return wire.request(port, code, ext, body, flag=flag)


def pull_header(topic, offset, queue=0, suspend_ms=0, flags=4):
    return {"consumerGroup": "wire_group", "topic": topic, "queueId": str(queue), "queueOffset": str(offset), "maxMsgNums": "32", "sysFlag": str(flags),
            "commitOffset": "0", "suspendTimeoutMillis": str(suspend_ms), "subscription": "*", "subVersion": "0", "expressionType": "TAG"}


@case
def not_sendable_topics(cluster):
    for topic in ("SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT"):
        answer, _ = send(cluster.broker_port, topic)
        equal(16, answer["code"], f"NO_PERMISSION for {topic}, in {answer}")


@case
def illegal_topic_and_queue(cluster):
    cluster.create_topic("wire_illegal", 2)
    equal(29, send(cluster.broker_port, "bad topic!")[0]["code"], "INVALID_PARAMETER for an illegal name")
    equal(29, send(cluster.broker_port, "t" * 128)[0]["code"], "INVALID_PARAMETER for a name of 128 letters")
    equal(29, send(cluster.broker_port, "wire_illegal", queueId="2")[0]["code"], "INVALID_PARAMETER for queue 2 of 2")
    equal(17, send(cluster.broker_port, "wire_absent", defaultTopic="wire_illegal")[0]["code"], "TOPIC_NOT_EXIST without INHERIT")


@case
def send_v1_and_v2(cluster):
    cluster.create_topic("wire_send", 1)
    first, _ = send(cluster.broker_port, "wire_send", b"v1")
    equal((0, "0"), (first["code"], first["extFields"]["queueOffset"]), "V1 names")
    second, _ = wire.request(cluster.broker_port, 310, {"a": "wire_producer", "b": "wire_send", "c": "TBW102", "d": "4", "e": "-1", "f": "0", "g": "1700000000000",
                                                        "h": "0", "i": "", "j": "0", "k": "false", "m": "false"}, b"v2")
    equal((0, "1", "0"), (second["code"], second["extFields"]["queueOffset"], second["extFields"]["queueId"]), "V2 names, queue chosen by the broker")
    for answer in (first, second):
        equal(("DefaultRegion", "true"), (answer["extFields"]["MSG_REGION"], answer["extFields"]["TRACE_ON"]), "region and trace switch")
        equal(32, len(answer["extFields"]["msgId"]), "length of the offset id")
        assert answer["extFields"]["transactionId"], "the broker makes a unique id"
        equal((1, "JAVA"), (answer["flag"], answer["language"]), "flag and language")


@case
def one_way_gets_no_answer(cluster):
    cluster.create_topic("wire_oneway", 1)
    with wire.Connection(cluster.broker_port) as connection:
        connection.request(10, {"topic": "bad topic!", "producerGroup": "g", "defaultTopic": "TBW102", "defaultTopicQueueNums": "4", "queueId": "0", "sysFlag": "0",
                                "bornTimestamp": "1", "flag": "0"}, b"x", flag=2)
        connection.request(9999, {}, flag=2)
        answer, _ = connection.request(30, {"topic": "wire_oneway", "queueId": "0"})
        equal((0, "0"), (answer["code"], answer["extFields"]["offset"]), "the next request is answered first")


@case
def unknown_code(cluster):
    for port in (cluster.broker_port, cluster.broker_port - 2, cluster.namesrv_port):
        answer, _ = wire.request(port, 9999)
        equal(3, answer["code"], f"REQUEST_CODE_NOT_SUPPORTED on {port}")
        assert "9999 not supported" in answer["remark"], answer


@case
def no_pull_on_the_fast_port(cluster):
    cluster.create_topic("wire_fast", 1)
    equal(19, wire.request(cluster.broker_port, 11, pull_header("wire_fast", 0))[0]["code"], "PULL_NOT_FOUND on the ordinary port")
    equal(3, wire.request(cluster.broker_port - 2, 11, pull_header("wire_fast", 0))[0]["code"], "REQUEST_CODE_NOT_SUPPORTED on the fast port")
    equal(0, wire.request(cluster.broker_port - 2, 30, {"topic": "wire_fast", "queueId": "0"})[0]["code"], "an offset query on the fast port")


@case
def held_pull_blocks_nothing(cluster):
    cluster.create_topic("wire_held", 1)
    with wire.Connection(cluster.broker_port, timeout=8) as connection:
        answers = []

        # Flag 2 of the pull: suspend. The answer must be left for later; other requests on the connection go on.
        header = json.dumps({"code": 11, "language": "CPP", "version": 433, "opaque": 777, "flag": 0, "extFields": pull_header("wire_held", 0, suspend_ms=2500, flags=6),
                             "serializeTypeCurrentRPC": "JSON"}).encode()
        connection.send_raw((4 + len(header)).to_bytes(4, "big") + len(header).to_bytes(4, "big") + header)
        begin = time.monotonic()
        answers.append(connection.request(30, {"topic": "wire_held", "queueId": "0"})[0]["code"])
        assert time.monotonic() - begin < 1.5, f"a request behind a held pull took {time.monotonic() - begin:.1f} s"
        equal([0], answers, "code of the request behind it")
        threading.Timer(0.3, lambda: send(cluster.broker_port, "wire_held", b"wake")).start()
        frame = connection._need(int.from_bytes(connection._need(4), "big"))  # pylint: disable=protected-access
        woken = json.loads(frame[4:4 + (int.from_bytes(frame[:4], "big") & 0xFFFFFF)])
        equal((777, 0), (woken["opaque"], woken["code"]), "the held pull's answer")
        equal("1", woken["extFields"]["nextBeginOffset"], "next offset")
        assert time.monotonic() - begin < 2, f"the held pull woke after {time.monotonic() - begin:.1f} s"


@case
def broken_frames_close_only_their_connection(cluster):
    with wire.Connection(cluster.broker_port) as good:
        for broken in (b"\x7f\xff\xff\xff" + b"x" * 64, b"\x00\x00\x00\x10\x00\x00\xff\xff" + b"x" * 64):
            with wire.Connection(cluster.broker_port) as bad:
                bad.send_raw(broken)
                assert bad.closed_by_peer(), f"the connection that sent {broken[:8]} stays open"
        equal(0, good.request(30, {"topic": "TBW102", "queueId": "0"})[0]["code"], "another connection goes on")


@case
def numbers_and_nulls_in_fields(cluster):
    cluster.create_topic("wire_lenient", 1)
    answer, _ = wire.request(cluster.broker_port, 310, {"a": "g", "b": "wire_lenient", "c": "TBW102", "d": 4, "e": 0, "f": 0, "g": 1700000000000, "h": 0, "i": "", "j": 0,
                                                        "k": False, "unknown": None, "m": False}, b"x")
    equal(0, answer["code"], f"numbers, booleans and null as field values: {answer}")
    answer, _ = wire.request(cluster.broker_port, 310, {"a": "g", "b": "wire_lenient"}, b"x")
    equal(1, answer["code"], f"missing mandatory fields: {answer}")

def half(port, topic, key, **properties):
    """Sends a half message; its place in the half topic and in the log."""
    text = "".join(f"{name}\x01{value}\x02" for name, value in {"TRAN_MSG": "true", "PGROUP": "wire_payers", "UNIQ_KEY": key, **properties}.items())
    answer, _ = send(port, topic, key.encode(), sysFlag="4", properties=text)
    equal(0, answer["code"], f"half message, in {answer}")
    return int(answer["extFields"]["queueOffset"]), int(answer["extFields"]["msgId"][16:], 16)


def end(port, place, how, group="wire_payers", timeout=3.0):
    ext = {"producerGroup": group, "tranStateTableOffset": str(place[0]), "commitLogOffset": str(place[1]), "commitOrRollback": str(how),
           "fromTransactionCheck": "false", "msgId": "m", "transactionId": "m"}
    return wire.request(port, 37, ext, timeout=timeout)[0]


def max_offset(port, topic):
    return int(wire.request(port, 30, {"topic": topic, "queueId": "0"})[0]["extFields"]["offset"])


@case
def transaction_ends_that_do_not_fit(cluster):
    port, topic = cluster.broker_port, "wire_transaction_unfit"
    cluster.create_topic(topic, 1)
    table, log = half(port, topic, "unfit")
    for place, group, remark in (((table, 1 << 50), "wire_payers", "Find prepared transaction message failed"),
                                 ((table, log), "wire_thieves", "The producer group wrong"),
                                 ((table + 1000, log), "wire_payers", "The transaction state table offset wrong")):
        answer = end(port, place, 8, group)
        equal((1, remark), (answer["code"], answer.get("remark")), "code and remark")
    for how in (4, 99):
        answer = end(port, (table, log), how)
        assert answer["code"] == 1 and "commitOrRollback field wrong" in answer["remark"], f"commitOrRollback {how}: {answer}"
    try:
        raise AssertionError(f"an unknown end was answered: {end(port, (table, log), 0, timeout=0.5)}")
    except TimeoutError:
        pass
    equal(0, max_offset(port, topic), "messages delivered")
    equal(0, end(port, (table, log), 8)["code"], "the commit itself")
    equal(1, max_offset(port, topic), "messages delivered")


@case
def transaction_end_after_immunity(cluster):
    port, topic = cluster.broker_port, "wire_transaction_immunity"
    cluster.create_topic(topic, 1)
    place = half(port, topic, "immune", CHECK_IMMUNITY_TIME_IN_SECONDS="1")
    time.sleep(1.2)
    answer = end(port, place, 8)
    equal(604, answer["code"], f"ILLEGAL_OPERATION, in {answer}")
    equal(0, max_offset(port, topic), "messages delivered")


@case
def transaction_end_repeated(cluster):
    """Ours only: Apache delivers a message as often as its commit comes, also one that was rolled back."""
    port, topic = cluster.broker_port, "wire_transaction_repeated"
    cluster.create_topic(topic, 1)
    committed, rolled_back = half(port, topic, "committed"), half(port, topic, "rolled back")
    for place, how in ((committed, 8), (rolled_back, 12), (committed, 8), (committed, 12), (rolled_back, 8), (committed, 8)):
        equal(0, end(port, place, how)["code"], "code")
    equal(1, max_offset(port, topic), "messages delivered")


@daemon_case
def stops_cleanly_within_two_seconds(cluster):
    cluster.create_topic("wire_stop", 1)
    equal(0, send(cluster.broker_port, "wire_stop")[0]["code"], "send")
    with wire.Connection(cluster.broker_port) as idle, wire.Connection(cluster.broker_port) as held:
        equal(0, idle.request(30, {"topic": "wire_stop", "queueId": "0"})[0]["code"], "a request on a connection that stays open")
        header = json.dumps({"code": 11, "language": "CPP", "version": 433, "opaque": 1, "flag": 0, "extFields": pull_header("wire_stop", 1, suspend_ms=20000, flags=6),
                             "serializeTypeCurrentRPC": "JSON"}).encode()
        held.send_raw((4 + len(header)).to_bytes(4, "big") + len(header).to_bytes(4, "big") + header)
        time.sleep(0.2)
        begin = time.monotonic()
        cluster.stop_broker()
        took = time.monotonic() - begin
    assert took < 2, f"the broker took {took:.1f} s to stop"
    equal(0, cluster.daemon("broker").process.returncode, "the broker's exit code")
    equal(False, (cluster.store / "abort").exists(), "the file abort is left")
    equal(False, cluster.broker_name.encode() in wire.request(cluster.namesrv_port, 106)[1], "the name server still lists the broker")
    begin = time.monotonic()
    cluster.daemon("namesrv").stop()
    assert time.monotonic() - begin < 2, f"the name server took {time.monotonic() - begin:.1f} s to stop"
    equal(0, cluster.daemon("namesrv").process.returncode, "the name server's exit code")


@daemon_case
def a_store_has_one_broker(cluster):
    second = cluster.second_broker()
    second.start_only()
    try:
        second.process.wait(30)
    except subprocess.TimeoutExpired as never:
        raise AssertionError("a second broker runs on the same store") from never
    finally:
        second.stop()
    assert second.process.returncode != 0, "the second broker ended as if all were well"
    cluster.create_topic("wire_one_broker", 1)
    equal(0, send(cluster.broker_port, "wire_one_broker")[0]["code"], "the first broker still serves")


def lists_broker(port, cluster):
    try:
        return cluster.broker_name.encode() in wire.request(port, 106)[1]
    except OSError:
        return False


def until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


@daemon_case
def registers_at_all_name_servers(cluster):
    other = cluster.second_namesrv()
    until("the broker at the second name server", lambda: lists_broker(other, cluster), 15)
    equal(True, lists_broker(cluster.namesrv_port, cluster), "the broker is at the first name server, too")
    cluster.create_topic("wire_both", 3)
    until("the topic's route at the second name server", lambda: wire.request(other, 105, {"topic": "wire_both"})[0]["code"] == 0, 5)
    cluster.daemon("namesrv").stop()
    cluster.create_topic_only("wire_one", 3)
    until("a new topic's route while the first is gone", lambda: wire.request(other, 105, {"topic": "wire_one"})[0]["code"] == 0, 30)


@daemon_case
def killed_broker_leaves_the_route_at_once(cluster):
    cluster.create_topic("wire_killed", 1)
    cluster.stop_broker("kill")
    until("the broker's routes to be dropped", lambda: wire.request(cluster.namesrv_port, 105, {"topic": "wire_killed"})[0]["code"] == 17, 3)


@daemon_case
def name_server_restart(cluster):
    cluster.create_topic("wire_ns", 2)
    cluster.daemon("namesrv").stop()
    cluster.daemon("namesrv").start(cluster.namesrv_port)
    until("the broker to register again", lambda: wire.request(cluster.namesrv_port, 105, {"topic": "wire_ns"})[0]["code"] == 0, 25)
