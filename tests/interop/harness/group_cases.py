"""Groups and their offsets over raw frames: settings in all fields, who may pull, resets, copies, and what a broker pushes to clients.

Registers its cases with wire_cases; each makes its own topic and group.
"""
import json
import re
import time

from . import wire
from .wire_cases import case, daemon_case, equal, pull_header, send

OFFSET_MOVED, NO_PERMISSION, NOT_ONLINE, GROUP_MISSING, TOPIC_MISSING = 21, 16, 206, 26, 17


def heartbeat(connection, group, topic, client, model="CLUSTERING", expression="*", language="JAVA"):
    body = {"clientID": client, "producerDataSet": [], "consumerDataSet": [
        {"groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": model, "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": False,
         "subscriptionDataSet": [{"topic": topic, "subString": expression, "subVersion": int(time.time() * 1000), "expressionType": "TAG", "classFilterMode": False,
                                  "tagsSet": [], "codeSet": []}]}]}
    answer, _ = connection.request(34, {}, json.dumps(body).encode(), version=479, language=language)
    equal(0, answer["code"], "heartbeat")


def make_group(port, name, **settings):
    body = json.dumps({"groupName": name, **settings}).encode()
    equal(0, wire.request(port, 200, {}, body)[0]["code"], f"made group {name}")


def commit(port, group, topic, offset, queue=0):
    equal(0, wire.request(port, 15, {"consumerGroup": group, "topic": topic, "queueId": str(queue), "commitOffset": str(offset)})[0]["code"], "commit")


def committed(port, group, topic, queue=0):
    answer, _ = wire.request(port, 14, {"consumerGroup": group, "topic": topic, "queueId": str(queue), "setZeroIfNotFound": "false"})
    return int(answer["extFields"]["offset"]) if answer["code"] == 0 else None


def pull(connection, group, topic, offset, flags=4, suspend_ms=0, **more):
    return connection.request(11, {**pull_header(topic, offset, suspend_ms=suspend_ms, flags=flags), "consumerGroup": group, **more})


def reset(port, group, topic, timestamp=-1, queue=None, offset=None, language="JAVA", force=True):
    ext = {"topic": topic, "group": group, "timestamp": str(timestamp), "isForce": str(force).lower()}
    if queue is not None:
        ext["queueId"] = str(queue)
    if offset is not None:
        ext["offset"] = str(offset)
    return wire.request(port, 222, ext, language=language)


def offset_table(body):
    """Queue → offset of fastjson's map with objects as keys."""
    return {int(queue): int(offset) for queue, offset in re.findall(rb'"queueId":(\d+)[^}]*\}:(-?\d+)', body)}


def told(connection, code):
    """What the broker sends by itself; there must be one."""
    pushed = connection.pushed(code)
    assert pushed, f"the broker sent no request {code}"
    return pushed


def prepare(cluster, name, messages=5):
    cluster.create_topic(name, 1)
    make_group(cluster.broker_port, f"{name}_group")
    for i in range(messages):
        equal(0, send(cluster.broker_port, name, f"m{i}".encode())[0]["code"], "send")
    return cluster.broker_port, f"{name}_group"


@case
def group_settings_in_all_fields(cluster):
    port, name = cluster.broker_port, "wire_all_fields"
    wanted = {"groupName": name, "attributes": {}, "brokerId": 3, "consumeBroadcastEnable": False, "consumeEnable": False, "consumeFromMinEnable": False,
              "consumeMessageOrderly": True, "consumeTimeoutMinute": 7, "groupSysFlag": 5, "notifyConsumerIdsChangedEnable": False, "retryMaxTimes": 2,
              "retryQueueNums": 4, "whichBrokerWhenConsumeSlowly": 2,
              "subscriptionDataSet": [{"expression": "a", "expressionType": "TAG", "topic": "T", "version": 1}]}
    make_group(port, **{"name": name, **{k: v for k, v in wanted.items() if k != "groupName"}})
    answer, body = wire.request(port, 352, {"group": name})
    equal(0, answer["code"], "the group's settings")
    shown = json.loads(body)
    policy = shown.pop("groupRetryPolicy")
    equal("CUSTOMIZED", policy["type"], "retry policy")
    equal(wanted, shown, "all fields")
    assert name.encode() in wire.request(port, 201)[1], "the list of all groups"
    equal(0, wire.request(port, 207, {"groupName": name, "cleanOffset": "true"})[0]["code"], "delete")


@case
def disabled_group_may_not_pull(cluster):
    port, group = prepare(cluster, "wire_disabled", 1)
    with wire.Connection(port) as connection:
        equal(0, pull(connection, group, "wire_disabled", 0)[0]["code"], "an enabled group's pull")
        make_group(port, group, consumeEnable=False)
        answer, _ = pull(connection, group, "wire_disabled", 0)
    equal((NO_PERMISSION, "2"), (answer["code"], answer["extFields"]["forbiddenType"]), "a disabled group's pull")
    assert group in answer["remark"], answer


@case
def broadcasting_may_be_forbidden(cluster):
    port, group = prepare(cluster, "wire_no_broadcast", 1)
    make_group(port, group, consumeBroadcastEnable=False)
    with wire.Connection(port) as connection:
        heartbeat(connection, group, "wire_no_broadcast", "c1", model="BROADCASTING")
        answer, _ = pull(connection, group, "wire_no_broadcast", 0, flags=0)
        equal((NO_PERMISSION, "4"), (answer["code"], answer["extFields"]["forbiddenType"]), "a broadcasting pull")
        heartbeat(connection, group, "wire_no_broadcast", "c1")
        equal(0, pull(connection, group, "wire_no_broadcast", 0, flags=0)[0]["code"], "the same as clustering")


@case
def reading_may_be_forbidden(cluster):
    port, group = prepare(cluster, "wire_forbidden", 1)
    with wire.Connection(port) as connection:
        heartbeat(connection, group, "wire_forbidden", "c1")
        for readable, code in (("false", NO_PERMISSION), ("true", 0)):
            _, body = wire.request(port, 353, {"group": group, "topic": "wire_forbidden", "readable": readable})
            equal(readable == "true", json.loads(body)["readable"], "what the broker says")
            answer, _ = pull(connection, group, "wire_forbidden", 0, flags=0)
            equal(code, answer["code"], f"a pull with readable={readable}")
            if code:
                equal("5", answer["extFields"]["forbiddenType"], "forbidden type")


@case
def members_hear_of_changes_unless_silenced(cluster):
    port = cluster.broker_port
    cluster.create_topic("wire_members", 1)
    for group, hears in (("wire_members_loud", True), ("wire_members_silent", False)):
        make_group(port, group, notifyConsumerIdsChangedEnable=hears)
        with wire.Connection(port) as first, wire.Connection(port) as second:
            heartbeat(first, group, "wire_members", "c1")
            pushed_before = first.pushed(40, seconds=1)
            heartbeat(second, group, "wire_members", "c2")
            pushed = first.pushed(40, seconds=2 if hears else 0.5)
            equal(hears, bool(pushed), f"{group}: told of the second member (before: {pushed_before})")
            _, body = wire.request(port, 38, {"consumerGroup": group})
            equal(["c1", "c2"], sorted(json.loads(body)["consumerIdList"]), "members")


@case
def subscription_of_a_pull_is_shown(cluster):
    port, group = prepare(cluster, "wire_pulled", 1)
    with wire.Connection(port) as connection:
        pull(connection, group, "wire_pulled", 0, subscription="TagA || TagB")
    _, body = wire.request(port, 345, {"group": group, "topic": "wire_pulled"})
    shown = json.loads(body)["subscriptionData"]
    equal(("TagA || TagB", ["TagA", "TagB"]), (shown["subString"], sorted(shown["tagsSet"])), "the subscription of a group without heartbeats")
    _, body = wire.request(port, 321, {"topic": "wire_pulled", "queueId": "0", "index": "0", "count": "1", "consumerGroup": group})
    shown = json.loads(body)
    equal(("TagA || TagB", "null"), (shown["subscriptionData"]["subString"], shown["filterData"]), "the same in a look at the queue")
    _, body = wire.request(port, 321, {"topic": "wire_pulled", "queueId": "0", "index": "0", "count": "1", "consumerGroup": "wire_nobody"})
    equal("wire_nobody@wire_pulled is not online!", json.loads(body)["filterData"], "a group that nobody knows")


@case
def offline_reset_by_number(cluster):
    port, group = prepare(cluster, "wire_reset")
    commit(port, group, "wire_reset", 5)
    answer, body = reset(port, group, "wire_reset", queue=0, offset=2)
    equal((0, {0: 2}), (answer["code"], offset_table(body)), "reset to 2")
    equal(2, committed(port, group, "wire_reset"), "what a client is told")
    with wire.Connection(port) as connection:
        answer, _ = connection.request(15, {"consumerGroup": group, "topic": "wire_reset", "queueId": "0", "commitOffset": "5"})
        equal((0, "Offset has been previously reset"), (answer["code"], answer["remark"]), "a commit before the group has pulled")
        equal(2, committed(port, group, "wire_reset"), "it is ignored")
        answer, _ = pull(connection, group, "wire_reset", 5)
        equal((OFFSET_MOVED, "OFFSET_RESET", "2"), (answer["code"], answer["remark"], answer["extFields"]["nextBeginOffset"]), "the first pull")
        equal(0, pull(connection, group, "wire_reset", 2)[0]["code"], "the next one")
    commit(port, group, "wire_reset", 4)
    equal(4, committed(port, group, "wire_reset"), "commits count again")
    for offset in (-2, 7):
        answer, _ = reset(port, group, "wire_reset", queue=0, offset=offset)
        equal((1, f"Target offset {offset} not in consume queue range [0-5]"), (answer["code"], answer["remark"]), f"reset to {offset}")
    equal(TOPIC_MISSING, reset(port, group, "wire_absent_topic")[0]["code"], "no such topic")
    equal(GROUP_MISSING, reset(port, "wire_absent_group", "wire_reset")[0]["code"], "no such group")


@case
def offline_reset_by_time(cluster):
    port, group = prepare(cluster, "wire_reset_time", 2)
    time.sleep(0.02)
    middle = int(time.time() * 1000)
    time.sleep(0.02)
    equal(0, send(port, "wire_reset_time", b"late")[0]["code"], "send")
    for timestamp, offset in ((middle, 2), (0, 0), (-1, 3), (middle + 600_000, 3)):
        answer, body = reset(port, group, "wire_reset_time", timestamp)
        equal((0, {0: offset}), (answer["code"], offset_table(body)), f"reset to {timestamp - middle} ms from the middle")
        with wire.Connection(port) as connection:
            equal(str(offset), pull(connection, group, "wire_reset_time", 1)[0]["extFields"]["nextBeginOffset"], "the group's next pull")


@case
def search_by_time_has_two_boundaries(cluster):
    port, _ = prepare(cluster, "wire_time", 3)
    _, body = wire.request(port, 11, pull_header("wire_time", 0))
    stored = int.from_bytes(body[56:64], "big")  # the first record's store time

    def search(timestamp, boundary=None):
        answer, _ = wire.request(port, 29, {"topic": "wire_time", "queueId": "0", "timestamp": str(timestamp), **({"boundaryType": boundary} if boundary else {})})
        return int(answer["extFields"]["offset"])

    equal(0, search(stored), "the first message's own time")
    equal(0, search(stored, "LOWER"), "the same by name")
    equal(0, search(0, "upper"), "before everything, upper")
    equal(0, search(0), "before everything, lower")
    equal(3, search(stored + 600_000), "behind everything, lower: the end")
    equal(2, search(stored + 600_000, "upper"), "behind everything, upper: the last message")


@case
def reset_reaches_a_held_pull(cluster):
    port, group = prepare(cluster, "wire_reset_held", 3)
    with wire.Connection(port, timeout=12) as connection:
        heartbeat(connection, group, "wire_reset_held", "c1")
        begin = time.monotonic()
        opaque = connection.send(11, {**pull_header("wire_reset_held", 3, suspend_ms=4000, flags=6), "consumerGroup": group})
        equal(0, connection.request(30, {"topic": "wire_reset_held", "queueId": "0"})[0]["code"], "the pull is held, the next request is served")
        equal(0, reset(port, group, "wire_reset_held", queue=0, offset=1)[0]["code"], "reset")
        answer, _ = connection.answer_to(opaque)
        took = time.monotonic() - begin
    equal((OFFSET_MOVED, "1"), (answer["code"], answer["extFields"]["nextBeginOffset"]), "the held pull's answer")
    if cluster.kind == "ours":  # Apache's comes with the hold's end
        assert took < 2, f"it took {took:.1f} s"


@case
def clone_and_correction(cluster):
    port, group = prepare(cluster, "wire_clone")
    other = f"{group}_other"
    make_group(port, other)
    commit(port, group, "wire_clone", 3)
    equal(0, wire.request(port, 314, {"srcGroup": group, "destGroup": other, "topic": "wire_clone", "offline": "true"})[0]["code"], "clone")
    equal(3, committed(port, other, "wire_clone"), "the copy's offset")
    commit(port, other, "wire_clone", 5)
    answer, body = wire.request(port, 308, {"topic": "wire_clone", "compareGroup": other})
    equal((0, {"0": 3}), (answer["code"], {str(k): v for k, v in wire.lenient_json(body)["correctionOffsets"].items()}), "the least of all groups")


@case
def broadcasting_clients_are_followed(cluster):
    port, group = prepare(cluster, "wire_broadcast")
    with wire.Connection(port) as connection:
        heartbeat(connection, group, "wire_broadcast", "c1", model="BROADCASTING")
        equal(0, pull(connection, group, "wire_broadcast", 3, flags=0)[0]["code"], "a pull at 3")
        end = time.monotonic() + 12
        while committed(port, f"{group}@broadcast", "wire_broadcast") != 3:
            assert time.monotonic() < end, "the slowest client's place was not committed within 12 s"
            time.sleep(0.2)
        equal(None, committed(port, group, "wire_broadcast"), "the group itself commits nothing")


@daemon_case
def reset_told_to_clients(cluster):
    port, group = prepare(cluster, "wire_push")
    equal(0, wire.request(port, 25, {}, b"useServerSideResetOffset=false")[0]["code"], "setting")
    answer, _ = reset(port, group, "wire_push")
    equal((1, f"THe consumer group <{group}> not exist"), (answer["code"], answer["remark"]), "a group that never committed")
    commit(port, group, "wire_push", 4)
    answer, _ = reset(port, group, "wire_push")
    equal(NOT_ONLINE, answer["code"], "a group that is offline")
    with wire.Connection(port) as java, wire.Connection(port) as cpp:
        heartbeat(java, group, "wire_push", "c1")
        heartbeat(cpp, group, "wire_push", "c2", language="CPP")
        # Apache's broker chooses the dialect by who asks, ours by who is told.
        answer, body = reset(port, group, "wire_push", timestamp=0, language="JAVA")
        equal((0, {0: 0}), (answer["code"], offset_table(body)), "answer")
        head, body = told(java, 220)
        equal((group, "wire_push", "0"), tuple(head["extFields"][k] for k in ("group", "topic", "timestamp")), "header")
        equal({0: 0}, offset_table(body), "the Java client's table")
        if cluster.kind == "ours":
            assert isinstance(json.loads(told(cpp, 220)[1])["offsetTable"], list), "the C++ client's table is a list"
        else:
            told(cpp, 220)
        equal(0, reset(port, group, "wire_push", timestamp=0, language="CPP")[0]["code"], "asked by a C++ client")
        table = json.loads(told(cpp, 220)[1])["offsetTable"]
        equal([("wire_push", 0, 0)], [(row["topic"], row["queueId"], row["offset"]) for row in table], "the C++ client's table")
        equal(4, committed(port, group, "wire_push"), "the broker itself moves nothing")
        # Not forced: only back.
        commit(port, group, "wire_push", 2)
        answer, body = reset(port, group, "wire_push", timestamp=-1, force=False)
        equal({0: 2}, offset_table(body), "a reset to the end without force")


@case
def conflicts_are_reported(cluster):
    port, group = prepare(cluster, "wire_conflict", 0)
    with wire.Connection(port) as first, wire.Connection(port) as second:
        heartbeat(first, group, "wire_conflict", "c1", expression="TagA")
        heartbeat(second, group, "wire_conflict", "c2", expression="TagB")
        _, body = wire.request(port, 203, {"consumerGroup": group})
        shown = json.loads(body)
        equal(["c1", "c2"], sorted(c["clientId"] for c in shown["connectionSet"]), "connections")
        if cluster.kind == "ours":
            equal("client c1 subscribes topic wire_conflict with 'TagA', client c2 with 'TagB'", shown["subscriptionConflict"], "the conflict")
            table = json.loads(wire.request(port, 28)[1])["table"]
            assert group in table["subscriptionConflicts"], table["subscriptionConflicts"]
        heartbeat(second, group, "wire_conflict", "c2", expression="TagA")
        _, body = wire.request(port, 203, {"consumerGroup": group})
        equal(None, json.loads(body).get("subscriptionConflict"), "the conflict is gone")


@case
def equal_client_ids_are_reported(cluster):
    """Two connections that call themselves the same: RocketMQ shows both; ours says so besides, once both have spoken again."""
    topic = "wire_twins"
    port, group = prepare(cluster, topic, 0)

    def shown():
        return json.loads(wire.request(port, 203, {"consumerGroup": group})[1])

    def within(seconds, holds):
        end = time.monotonic() + seconds
        while not (done := holds()) and time.monotonic() < end:
            time.sleep(0.01)
        return done

    with wire.Connection(port) as first:
        with wire.Connection(port) as second:
            heartbeat(first, group, topic, "twin")
            heartbeat(second, group, topic, "twin")
            equal(["twin", "twin"], [c["clientId"] for c in shown()["connectionSet"]], "connections")
            addresses = {c["clientAddr"] for c in shown()["connectionSet"]}
            equal(2, len(addresses), "their addresses")
            if cluster.kind != "ours":
                return

            def told():
                heartbeat(first, group, topic, "twin")
                return shown().get("duplicateClientId")

            sentence = within(2, told)
            assert sentence and "client id twin" in sentence and all(a in sentence for a in addresses), sentence
            table = json.loads(wire.request(port, 28)[1])["table"]
            assert group in table["duplicateClientIds"] and "twin" in table["duplicateClientIds"], table["duplicateClientIds"]
        assert within(2, lambda: "duplicateClientId" not in shown()), "one of the two has gone"
