"""SQL92 filters by raw requests, on a broker with enablePropertyFilter: every expression of the truth table, refusals, the kept filters."""
import json
import pathlib
import time

from . import wire
from .wire_cases import equal, pull_header, until

CASES = {}
TABLE = pathlib.Path(__file__).resolve().parent.parent.parent / "golden" / "sql" / "pairs.jsonl"


def case(function):
    CASES[function.__name__] = function
    return function


def run_sql(lab, name, cases):
    cluster = lab.cluster(name, enablePropertyFilter="true")
    for one in cases:
        lab.report.run(name, one, lambda one=one: CASES[one](cluster))
    cluster.stop()


def send(connection, topic, properties):
    text = "".join(f"{name}\x01{value}\x02" for name, value in properties.items())
    answer, _ = connection.request(310, {"a": "sql_producer", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": str(int(time.time() * 1000)), "h": "0",
                                         "i": text, "j": "0", "k": "false", "l": "0", "m": "false"}, b"x")
    equal(0, answer["code"], f"a send with {properties}")


def sql_pull(connection, topic, expression, group="sql_group", flags=4, sub_version=0):
    return connection.request(11, {**pull_header(topic, 0, flags=flags), "consumerGroup": group, "subscription": expression, "expressionType": "SQL92",
                                   "subVersion": str(sub_version)})


def offsets(body):
    """Queue offsets of the records in a pull's answer."""
    found = []
    while body:
        found.append(int.from_bytes(body[20:28], "big"))
        body = body[int.from_bytes(body[:4], "big"):]
    return found


def check_client(connection, expression, kind="SQL92"):
    body = {"clientId": "sql@1", "group": "sql_group", "subscriptionData": {"topic": "any", "subString": expression, "expressionType": kind}}
    return connection.request(46, {}, json.dumps(body).encode())[0]


def heartbeat(connection, group, topic, expression, version):
    subscription = {"classFilterMode": False, "codeSet": [], "expressionType": "SQL92", "subString": expression, "subVersion": version, "tagsSet": [], "topic": topic}
    body = {"clientID": "sql@1", "producerDataSet": [], "consumerDataSet": [{
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "consumeType": "CONSUME_PASSIVELY", "groupName": group, "messageModel": "CLUSTERING",
        "subscriptionDataSet": [subscription], "unitMode": False}]}
    equal(0, connection.request(34, {}, json.dumps(body).encode())[0]["code"], "a heartbeat")


@case
def truth_table(cluster):
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    messages = [row["message"] for row in rows if "message" in row]
    topic = "sql_truth_table"
    cluster.create_topic(topic, 1)
    with wire.Connection(cluster.broker_port) as connection:
        for message in messages:
            send(connection, topic, message)
        until("all messages", lambda: len(offsets(sql_pull(connection, topic, "TRUE")[1])) == len(messages), 10)
        wrong = []
        for row in rows:
            if not row.get("expression"):
                continue
            truth = row["truth"]
            code = check_client(connection, row["expression"])["code"]
            # What doesn't compile is refused to a client that asks; a pull that brings it along is not filtered.
            wanted = [n for n, letter in enumerate(truth) if letter == "T"] if truth else list(range(len(messages)))
            _, body = sql_pull(connection, topic, row["expression"])
            if code != (0 if truth else 23) or offsets(body) != wanted:
                wrong.append((row["expression"], truth, code, offsets(body)))
    equal([], wrong, f"{len(wrong)} expressions")


@case
def refusals(cluster):
    topic, group = "sql_refusals", "sql_refusals_group"
    cluster.create_topic(topic, 1)
    with wire.Connection(cluster.broker_port) as connection:
        send(connection, topic, {"a": "7"})
        equal(0, check_client(connection, "||", "TAG")["code"], "a check of tags")
        equal(23, check_client(connection, "a > 5 AND")["code"], "SUBSCRIPTION_PARSE_FAILED of a check")
        equal(23, check_client(connection, "a > 5", "XPATH")["code"], "SUBSCRIPTION_PARSE_FAILED of another type")
        equal(23, sql_pull(connection, topic, "")[0]["code"], "SUBSCRIPTION_PARSE_FAILED of an empty expression")
        heartbeat(connection, group, topic, "a >", 5)
        answer, _ = sql_pull(connection, topic, "", group, flags=0, sub_version=5)
        equal(27, answer["code"], "FILTER_DATA_NOT_EXIST")
        assert answer["remark"].startswith("The broker's consumer filter data is not exist!Your expression may be wrong!"), answer
        heartbeat(connection, group, topic, "a > 5", 6)
        answer, body = sql_pull(connection, topic, "", group, flags=0, sub_version=6)
        equal((0, [0]), (answer["code"], offsets(body)), "a pull by the heartbeat's filter")
        equal(25, sql_pull(connection, topic, "", group, flags=0, sub_version=7)[0]["code"], "SUBSCRIPTION_NOT_LATEST")
        heartbeat(connection, group, topic, "a > 9", 8)
        answer, _ = sql_pull(connection, topic, "", group, flags=0, sub_version=8)
        equal((20, "1"), (answer["code"], answer["extFields"]["nextBeginOffset"]), "a pull that finds no match")


@case
def filters_are_kept(cluster):
    topic, group = "sql_kept", "sql_kept_group"
    cluster.create_topic(topic, 1)
    path = cluster.store / "config" / "consumerFilter.json"

    def kept():
        try:
            return json.loads(path.read_text())["filterDataByTopic"][topic]["groupFilterData"][group]
        except (OSError, ValueError, KeyError):
            return {}

    begin = int(time.time() * 1000)
    with wire.Connection(cluster.broker_port) as connection:
        heartbeat(connection, group, topic, "a > 5 AND b = 'it''s'", 77)
        until("the filter in its file", kept, 25)
    filter_data = kept()
    assert begin - 1000 <= filter_data["bornTime"] <= begin + 30_000, filter_data
    del filter_data["bornTime"]
    for volatile in ("dead", "deadTime"):
        filter_data.pop(volatile)
    equal({"bloomFilterData": {"bitNum": 112, "bitPos": [40, 46, 52]}, "clientVersion": 77, "consumerGroup": group,
           "expression": "a > 5 AND b = 'it''s'", "expressionType": "SQL92", "topic": topic}, filter_data, "consumerFilter.json")
    # The connection is closed: the group's last client went.
    until("the filter's death in its file", lambda: kept().get("dead") is True and kept()["deadTime"] >= begin, 25)


@case
def look_at_a_queue_shows_the_filter(cluster):
    topic, group = "sql_looked_at", "sql_looked_at_group"
    cluster.create_topic(topic, 1)

    def look(index=0, count=5):
        answer, body = wire.request(cluster.broker_port, 321, {"topic": topic, "queueId": "0", "index": str(index), "count": str(count), "consumerGroup": group})
        equal(0, answer["code"], "a look at the queue")
        return json.loads(body) if body else answer["remark"]

    begin = int(time.time() * 1000)
    with wire.Connection(cluster.broker_port) as connection:
        send(connection, topic, {"a": "7"})
        send(connection, topic, {"a": "4"})
        heartbeat(connection, group, topic, "a > 5 AND b = 'it''s'", 77)
        until("both messages", lambda: look()["maxQueueIndex"] == 2, 10)
        shown = look()
        born = json.loads(shown["filterData"])["bornTime"]
        assert begin - 1000 <= born <= begin + 10_000, born
        equal("{\n\t\"bloomFilterData\":{\n\t\t\"bitNum\":112,\n\t\t\"bitPos\":[93,33,26]\n\t},\n\t\"bornTime\":%d,\n\t\"clientVersion\":77,\n\t"
              "\"consumerGroup\":\"%s\",\n\t\"dead\":false,\n\t\"deadTime\":0,\n\t\"expression\":\"a > 5 AND b = 'it''s'\",\n\t\"expressionType\":\"SQL92\",\n\t"
              "\"topic\":\"%s\"\n}" % (born, group, topic), shown["filterData"], "the filter as text")
        equal({"classFilterMode": False, "codeSet": [], "expressionType": "SQL92", "subString": "a > 5 AND b = 'it''s'", "subVersion": 77, "tagsSet": [], "topic": topic},
              shown["subscriptionData"], "the subscription")
        equal(2, len(shown["queueData"]), "entries")
        equal([], look(count=-3)["queueData"], "a count below 0")
        for index in (2, -1):
            equal(f"Index {index} of 0@{topic} is not exist!", look(index), "no such entry")
