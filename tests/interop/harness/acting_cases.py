"""A slave stands in for its lost master, and a master that comes back takes over what was done in its place; of both makers."""
import concurrent.futures
import json

from . import wire
from .replication_cases import bodies, caught_up, fill
from .wire_cases import equal, pull_header, send, until

# name: the master's maker, the slave's
CASES = {"acting_for_apache": ("apache", "ours"), "apache_acting_for_ours": ("ours", "apache"), "acting_for_ours": ("ours", "ours")}
NAMESRV = {"supportActingMaster": "true", "notifyMinBrokerIdChanged": "true"}
LEVEL_S, TIMER_MS = 4, 6000
PROPS = {"enableSlaveActingMaster": "true", "enableRemoteEscape": "true", "totalReplicas": 2, "slaveReadEnable": "true", "mappedFileSizeCommitLog": 1 << 20,
         "messageDelayLevel": f"{LEVEL_S}s"}


def run_acting(lab, name, cases):
    def run_one(one):
        master, slave = CASES[one]
        cluster = lab.cluster(f"{name}-{one}", lab.maker("ours"), lab.maker(master), namesrv_props=NAMESRV, **PROPS)
        cluster.start_slave(lab.maker(slave), **PROPS)
        cluster.start_other_master(lab.maker("ours"))
        lost_and_back(cluster)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda one: lab.report.run(name, one, lambda: run_one(one)), cases))


def route(cluster, topic):
    """The addresses and the permission that name servers give for the topic at broker-a; nothing if it has no route."""
    answer, body = wire.request(cluster.namesrv_port, 105, {"topic": topic, "acceptStandardJsonOnly": "true"})
    found = json.loads(body) if answer["code"] == 0 else {"brokerDatas": [], "queueDatas": []}
    addresses = [broker["brokerAddrs"] for broker in found["brokerDatas"] if broker["brokerName"] == cluster.broker_name]
    return addresses[0] if addresses else {}, {queue["perm"] for queue in found["queueDatas"] if queue["brokerName"] == cluster.broker_name}


def offset(port, group):
    return wire.request(port, 14, group)[0].get("extFields", {}).get("offset")


def send_delayed(cluster, topic, text):
    """One message by a delay level and one by a timer, to the master."""
    for kind, name, value in (("level", "DELAY", "1"), ("timer", "TIMER_DELAY_MS", TIMER_MS)):
        fields = {"properties": f"UNIQ_KEY\x01{kind} {text}\x02{name}\x01{value}\x02"}
        equal(0, send(cluster.broker_port, topic, f"{kind} {text}".encode(), **fields)[0]["code"], f"the answer to a {kind} message")


def delayed(cluster, topic):
    """What was sent by send_delayed() and delivered, by either master."""
    return sorted(body.decode() for port in (cluster.broker_port, cluster.other_port) for queue in range(4) for body in bodies(port, topic, queue)
                  if body.startswith((b"level", b"timer")))


def lost_and_back(cluster):
    topic, group = "acted", {"consumerGroup": "wire_group", "topic": "acted", "queueId": "2"}
    slave = f"127.0.0.1:{cluster.slave_port}"
    cluster.create_topic(topic, 4)
    cluster.create_topic_only(topic, 4, cluster.other_port)
    fill(cluster, topic, "before", 40)
    caught_up(cluster, 60)
    # Apache copies topics after some seconds, and only then serves what it has of them.
    until("the slave to know the topic", lambda: wire.request(cluster.slave_port, 11, pull_header(topic, 0, 2))[0]["code"] in (0, 20), 90)
    until("name servers to know both", lambda: len(route(cluster, topic)[0]) == 2, 20)
    equal(0, wire.request(cluster.broker_port, 11, pull_header(topic, 0, 2))[0]["code"], "a pull, which makes the group known")
    until("the master to take a commit", lambda: wire.request(cluster.broker_port, 15, {**group, "commitOffset": "3"})[0]["code"] == 0, 10)
    send_delayed(cluster, topic, "while it acts")
    caught_up(cluster)

    cluster.stop_broker("kill")
    # As one that was killed before it wrote them for the first time, so that its tables are new and the slave's must be newer to be taken.
    for name in ("consumerOffset.json", "delayOffset.json"):
        for file in (cluster.store / "config").glob(name + "*"):
            file.unlink()
    until("the slave to be shown as master, read only", lambda: route(cluster, topic) == ({"0": slave}, {4}), 20)
    until("the slave to serve reads", lambda: wire.request(cluster.slave_port, 11, pull_header(topic, 0, 2))[0]["code"] == 0, 20)
    until("the slave to take a commit", lambda: wire.request(cluster.slave_port, 15, {**group, "commitOffset": "7"})[0]["code"] == 0, 10)
    equal("7", offset(cluster.slave_port, group), "the offset at the slave")
    theirs = lambda: [body for queue in range(4) for body in bodies(cluster.other_port, topic, queue)]
    until("what was due then at the other master", lambda: sorted(theirs()) == [b"level while it acts", b"timer while it acts"], 30)

    cluster.start_broker()
    until("the master to be shown again", lambda: route(cluster, topic)[0].get("0") == cluster.broker, 60)
    equal("7", offset(cluster.broker_port, group), "the offset that the master has taken back")
    fill(cluster, topic, "after", 4)
    # What is delivered after it by the same level and by a later slot: the master has gone past the others.
    send_delayed(cluster, topic, "after")
    until("what is due now", lambda: {"level after", "timer after"} <= set(delayed(cluster, topic)), 30)
    equal(["level after", "level while it acts", "timer after", "timer while it acts"], delayed(cluster, topic), "all that was delivered, once")
    caught_up(cluster, 60)
