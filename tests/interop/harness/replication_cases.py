"""Masters and slaves of both makers: the same bytes arrive, in both directions, and go on after either was away."""
import concurrent.futures
import json
import struct

from . import wire
from .wire_cases import equal, pull_header, send, until

CASES = {}


def pair(master, slave, **of_master):
    """A case with a master of one maker and a slave of the other; the name server is ours."""

    def wrap(function):
        CASES[function.__name__] = (function, master, slave, of_master)
        return function

    return wrap


def run_replication(lab, name, cases):
    def run_one(one):
        function, master, slave, of_master = CASES[one]
        cluster = lab.cluster(f"{name}-{one}", lab.maker("ours"), lab.maker(master), mappedFileSizeCommitLog=1 << 20, slaveReadEnable="true",
                              **of_master)
        cluster.start_slave(lab.maker(slave), mappedFileSizeCommitLog=1 << 20)
        function(cluster)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: lab.report.run(name, one, lambda: run_one(one)), cases))


def log_end(port):
    try:
        answer, body = wire.request(port, 28)
        return int(json.loads(body)["table"]["commitLogMaxOffset"]) if answer["code"] == 0 else None
    except (OSError, ValueError, KeyError):
        return None


def caught_up(cluster, seconds=30):
    def same():
        end = log_end(cluster.broker_port)
        return end is not None and end == log_end(cluster.slave_port)

    until("the slave to have the master's log", same, seconds)


def knows(cluster, topic, seconds=90):
    until(f"the slave to know {topic}", lambda: wire.request(cluster.slave_port, 351, {"topic": topic})[0]["code"] == 0, seconds)


def bodies(port, topic, queue):
    """Everything of a queue, read out of the records of pull answers."""
    found, offset = [], 0
    while True:
        answer, body = wire.request(port, 11, pull_header(topic, offset, queue))
        if answer["code"] != 0:
            return found
        while body:
            size = struct.unpack(">I", body[:4])[0]
            length = struct.unpack(">I", body[84:88])[0]
            found.append(body[88:88 + length])
            body = body[size:]
        offset = int(answer["extFields"]["nextBeginOffset"])


def fill(cluster, topic, text, count):
    for n in range(count):
        equal(0, send(cluster.broker_port, topic, f"{text}{n} ".encode() + b"." * (n * 37 % 9000), queueId=str(n % 4))[0]["code"], "the answer to a send")


def same_everywhere(cluster, topic, count):
    for queue in range(4):
        at_master = bodies(cluster.broker_port, topic, queue)
        equal(count // 4, len(at_master), f"messages of queue {queue} at the master")
        until(f"queue {queue} to be the same at the slave", lambda: bodies(cluster.slave_port, topic, queue) == at_master, 15)  # pylint: disable=cell-var-from-loop


def copied_and_resumed(cluster):
    topic = "replicated"
    cluster.create_topic(topic, 4)
    fill(cluster, topic, "first", 200)
    caught_up(cluster)
    cluster.stop_slave("kill")
    fill(cluster, topic, "while the slave was away", 200)
    cluster.restart_slave()
    caught_up(cluster, 60)
    cluster.stop_broker("kill")
    cluster.start_broker()
    fill(cluster, topic, "after the master was away", 40)
    caught_up(cluster, 60)
    return topic


@pair("ours", "ours")
def ours_to_ours(cluster):
    same_everywhere(cluster, copied_and_resumed(cluster), 440)


@pair("ours", "apache")
def ours_to_apache(cluster):
    # Apache copies topics after some seconds, and only then serves what it has of them.
    topic = copied_and_resumed(cluster)
    until("Apache's slave to know the topic", lambda: wire.request(cluster.slave_port, 11, pull_header(topic, 0))[0]["code"] == 0, 90)
    same_everywhere(cluster, topic, 440)


@pair("apache", "ours")
def apache_to_ours(cluster):
    topic = copied_and_resumed(cluster)
    same_everywhere(cluster, topic, 440)
    group = {"consumerGroup": "wire_group", "topic": topic, "queueId": "2"}
    until("the master to take a commit", lambda: wire.request(cluster.broker_port, 15, {**group, "commitOffset": "17"})[0]["code"] == 0, 10)
    until("the slave to have the group's offset", lambda: wire.request(cluster.slave_port, 14, group)[0].get("extFields", {}).get("offset") == "17", 60)


SYNC = {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2, "slaveTimeout": 2000}


def confirmed(cluster):
    """What a SYNC_MASTER answers for is at its slave by then; without a slave it says so, and goes on when that is back."""
    topic = "confirmed"
    cluster.create_topic(topic, 4)
    until("the slave to be connected", lambda: json.loads(wire.request(cluster.broker_port, 907)[1])["inSyncSlaveNums"] == 1, 60)
    until("the first message to be confirmed", lambda: send(cluster.broker_port, topic, b"first")[0]["code"] == 0, 30)
    for n in range(40):
        answer = send(cluster.broker_port, topic, f"m{n}".encode() * 100, queueId=str(n % 4))[0]
        equal(0, answer["code"], "the answer with a slave")
        end = log_end(cluster.slave_port)
        equal(log_end(cluster.broker_port), end, "where the slave's log ends when a message is acknowledged")
    cluster.stop_slave("kill")
    equal(12, send(cluster.broker_port, topic, b"alone")[0]["code"], "the answer without a slave: FLUSH_SLAVE_TIMEOUT")
    cluster.restart_slave()
    until("messages to be confirmed again", lambda: send(cluster.broker_port, topic, b"again")[0]["code"] == 0, 30)
    equal(log_end(cluster.broker_port), log_end(cluster.slave_port), "where the slave's log ends then")


@pair("ours", "apache", **SYNC)
def ours_confirmed_by_apache(cluster):
    confirmed(cluster)


@pair("apache", "ours", **SYNC)
def apache_confirmed_by_ours(cluster):
    confirmed(cluster)
