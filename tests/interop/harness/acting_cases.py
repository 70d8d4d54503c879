"""A slave stands in for its lost master, and a master that comes back takes over what was done in its place; of both makers."""
import concurrent.futures
import json
import time

from . import wire
from .replication_cases import caught_up, fill
from .wire_cases import equal, pull_header, until

# name: the master's maker, the slave's
CASES = {"apache_acting_for_ours": ("ours", "apache"), "acting_for_ours": ("ours", "ours")}
PROPS = {"enableSlaveActingMaster": "true", "totalReplicas": 2, "slaveReadEnable": "true", "mappedFileSizeCommitLog": 1 << 20}


def run_acting(lab, name, cases):
    def run_one(one):
        master, slave = CASES[one]
        begin = time.monotonic()
        try:
            acting = {"supportActingMaster": "true", "notifyMinBrokerIdChanged": "true"}
            cluster = lab.cluster(f"{name}-{one}", lab.maker("ours"), lab.maker(master), namesrv_props=acting, **PROPS)
            cluster.start_slave(lab.maker(slave), **PROPS)
            lost_and_back(cluster)
            lab.report.ok(name, one, time.monotonic() - begin)
        except Exception as failure:  # pylint: disable=broad-except
            lab.report.fail(name, one, f"{type(failure).__name__} {failure}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(run_one, cases))


def route(cluster, topic):
    """The addresses and permissions that name servers give for the topic's queues; nothing if it has no route."""
    answer, body = wire.request(cluster.namesrv_port, 105, {"topic": topic, "acceptStandardJsonOnly": "true"})
    if answer["code"] != 0:
        return None, None
    found = json.loads(body)
    return found["brokerDatas"][0]["brokerAddrs"], {queue["perm"] for queue in found["queueDatas"]}


def offset(port, group):
    return wire.request(port, 14, group)[0].get("extFields", {}).get("offset")


def lost_and_back(cluster):
    topic, group = "acted", {"consumerGroup": "wire_group", "topic": "acted", "queueId": "2"}
    slave = f"127.0.0.1:{cluster.slave_port}"
    cluster.create_topic(topic, 4)
    fill(cluster, topic, "before", 40)
    caught_up(cluster, 60)
    # Apache copies topics after some seconds, and only then serves what it has of them.
    until("the slave to know the topic", lambda: wire.request(cluster.slave_port, 11, pull_header(topic, 0, 2))[0]["code"] in (0, 20), 90)
    until("name servers to know both", lambda: len(route(cluster, topic)[0]) == 2, 20)
    equal(0, wire.request(cluster.broker_port, 11, pull_header(topic, 0, 2))[0]["code"], "a pull, which makes the group known")
    until("the master to take a commit", lambda: wire.request(cluster.broker_port, 15, {**group, "commitOffset": "3"})[0]["code"] == 0, 10)

    cluster.stop_broker("kill")
    until("the slave to be shown as master, read only", lambda: route(cluster, topic) == ({"0": slave}, {4}), 20)
    until("the slave to serve reads", lambda: wire.request(cluster.slave_port, 11, pull_header(topic, 0, 2))[0]["code"] == 0, 20)
    until("the slave to take a commit", lambda: wire.request(cluster.slave_port, 15, {**group, "commitOffset": "7"})[0]["code"] == 0, 10)
    equal("7", offset(cluster.slave_port, group), "the offset at the slave")

    cluster.start_broker()
    until("the master to be shown again", lambda: (route(cluster, topic)[0] or {}).get("0") == cluster.broker, 60)
    equal("7", offset(cluster.broker_port, group), "the offset that the master has taken back")
    fill(cluster, topic, "after", 4)
    caught_up(cluster, 60)
