"""Ours and Apache's broker take turns on one folder, under load, killed or stopped: each must find what the other wrote."""
import dataclasses
import json
import os
import random
import struct
import threading
import time
import zlib

from . import wire
from .both_ways_kinds import BILLS, PENDING, Settings, Transactions, Waiting, Wrong, send
from .cluster import StartError

TOPIC, OTHER_TOPIC, QUEUES, GROUP = "both_ways", "both_ways_too", 4, "both_ways_group"
# Its retry topic has over 127 bytes, so that its records are of version 2.
LONG_GROUP = "g" * 150
LONG_TOPIC = "%RETRY%" + LONG_GROUP
QUEUES_OF = {TOPIC: QUEUES, OTHER_TOPIC: QUEUES, LONG_TOPIC: 1}
COMPRESSED = 1
SENDERS = 3
LOAD_SECONDS = 1.5
CRC_FROM_TURN = 2
# Small files, so that a few seconds of load cross their borders.
PROPS = {"mappedFileSizeCommitLog": 2 << 20, "mappedFileSizeConsumeQueue": 20 * 500, "maxHashSlotNum": 500, "maxIndexNum": 2000,
         "flushConsumerOffsetInterval": 1000, "transactionTimeOut": 500, "transactionCheckInterval": 500, "transactionCheckMax": 1000}


@dataclasses.dataclass
class Sent:
    topic: str
    queue: int
    offset: int
    body: bytes
    key: str


class Load:
    """Sends from some threads until the broker goes away or stop() is called; remembers what was acknowledged."""

    def __init__(self, port, turn):
        self._port, self._turn = port, turn
        self.acked, self.refused, self._lock, self._stop = [], {}, threading.Lock(), False
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop = True
        for thread in self._threads:
            thread.join(30)
        return self.acked

    def _send(self, number):
        luck = random.Random(self._turn * 100 + number)
        try:
            with wire.Connection(self._port, 5) as broker:
                for n in range(1_000_000):
                    if self._stop:
                        return
                    key = f"key-{self._turn}-{number}-{n}"
                    if n % 10 == 7:
                        self._send_batch(broker, luck, key)
                        continue
                    topic = {9: OTHER_TOPIC, 4: LONG_TOPIC}.get(n % 10, TOPIC)
                    body = f"{key}|".encode() + luck.randbytes(luck.choice((10, 300, 3000)))
                    packed = n % 10 == 2
                    answer = send(broker, topic, luck.randrange(QUEUES_OF[topic]), zlib.compress(body) if packed else body,
                                  flags=COMPRESSED if packed else 0, KEYS=key, UNIQ_KEY=f"U{key}", WAIT="true")
                    self._note(answer, topic, [(key, body)])
        except (OSError, ValueError):
            pass  # the broker was killed

    def _send_batch(self, broker, luck, key):
        items = [(f"{key}-{n}", f"{key}-{n}|".encode() + luck.randbytes(luck.choice((10, 300)))) for n in range(luck.randrange(1, 6))]
        text = b""
        for one, body in items:
            properties = f"KEYS\x01{one}\x02UNIQ_KEY\x01U{one}\x02WAIT\x01true\x02".encode()
            text += struct.pack(">iiiii", 22 + len(body) + len(properties), 0, 0, 0, len(body)) + body
            text += struct.pack(">h", len(properties)) + properties
        self._note(send(broker, TOPIC, luck.randrange(QUEUES), text, code=320, WAIT="true"), TOPIC, items)

    def _note(self, answer, topic, items):
        if answer["code"] != 0:
            self.refused[topic] = f"{answer['code']} {answer.get('remark')}"
            return
        ext = answer["extFields"]
        with self._lock:
            for n, (key, body) in enumerate(items):
                self.acked.append(Sent(topic, int(ext["queueId"]), int(ext["queueOffset"]) + n, body, key))


def records(body):
    """(queue offset, body, topic, store time) of each record of a pull's answer; the body as it was before it was compressed."""
    at = 0
    while at < len(body):
        size, magic = struct.unpack_from(">iI", body, at)
        queue_offset, = struct.unpack_from(">q", body, at + 20)
        flags, = struct.unpack_from(">i", body, at + 36)
        stored, = struct.unpack_from(">q", body, at + 48 + (20 if flags & 0x10 else 8))
        place = at + 48 + (20 if flags & 0x10 else 8) + 8 + (20 if flags & 0x20 else 8) + 4 + 8
        length, = struct.unpack_from(">i", body, place)
        content = body[place + 4:place + 4 + length]
        place += 4 + length
        if magic == 0xDAA320A7:
            topic_length, = struct.unpack_from(">B", body, place)
            place += 1
        elif magic == 0xDAA320AB:
            topic_length, = struct.unpack_from(">h", body, place)
            place += 2
        else:
            raise Wrong(f"a record has the magic {magic:x}")
        if flags & COMPRESSED:
            content = zlib.decompress(content)
        yield queue_offset, content, body[place:place + topic_length].decode(), stored
        at += size


def read_queue(broker, topic, queue):
    """(body, store time) of all messages of the queue by offset; a hole or a wrong order is an error."""
    end = int(broker.request(30, {"topic": topic, "queueId": str(queue)})[0]["extFields"]["offset"])
    found, offset, quiet_until = {}, 0, time.monotonic() + 20
    while offset < end:
        answer, body = broker.request(11, {
            "consumerGroup": GROUP, "topic": topic, "queueId": str(queue), "queueOffset": str(offset), "maxMsgNums": "32", "sysFlag": "4",
            "commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0", "expressionType": "TAG"})
        if answer["code"] != 0:
            if time.monotonic() > quiet_until:
                raise Wrong(f"{topic[:12]}/{queue} at {offset} of {end}: {answer['code']} {answer.get('remark')}")
            time.sleep(0.05)
            continue
        for at, content, name, stored in records(body):
            if at != offset or name != topic:
                raise Wrong(f"{topic[:12]}/{queue}: offset {at} of {name[:12]} where {offset} is due")
            found[at] = (content, stored)
            offset += 1
    return found


def verify(port, sent, committed, ours):
    """Everything acknowledged stands where it was acknowledged; the group goes on where it was."""
    with wire.Connection(port, 10) as broker:
        read = {(topic, queue): read_queue(broker, topic, queue) for topic, queues in QUEUES_OF.items() for queue in range(queues)}
        for one in sent:
            if read[one.topic, one.queue].get(one.offset, (None,))[0] != one.body:
                raise Wrong(f"the message acknowledged as {one.topic[:12]}/{one.queue} at {one.offset} ({one.key}) isn't there")
        for queue, offset in committed.items():
            answer, _ = broker.request(14, {"consumerGroup": GROUP, "topic": TOPIC, "queueId": str(queue)})
            if answer["code"] != 0 or int(answer["extFields"]["offset"]) != offset:
                raise Wrong(f"the group stood at {offset} of queue {queue}, now {answer}")
        # After a crash Apache drops the newest part of its index; ours builds it again.
        for one in random.sample(sent, min(10, len(sent))) if ours else []:
            answer, body = broker.request(12, {"topic": one.topic, "key": one.key, "maxNum": "4", "beginTimestamp": "0",
                                               "endTimestamp": str(int(time.time() * 1000) + 3_600_000)})
            if answer["code"] != 0 or one.body not in [content for _, content, *_ in records(body)]:
                raise Wrong(f"no message is found by the key {one.key}: {answer['code']} {answer.get('remark')}")
        return {key: len(found) for key, found in read.items()}


def create_groups(port):
    group = {"groupName": GROUP, "consumeEnable": True, "consumeFromMinEnable": True, "consumeBroadcastEnable": True, "retryQueueNums": 1,
             "retryMaxTimes": 16, "brokerId": 0, "whichBrokerWhenConsumeSlowly": 1}
    answer, _ = wire.request(port, 200, body=json.dumps(group).encode())
    if answer["code"] != 0:
        raise Wrong(f"the group wasn't created: {answer}")
    consumer = {"groupName": LONG_GROUP, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING", "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
                "subscriptionDataSet": [], "unitMode": False}
    answer, _ = wire.request(port, 34, body=json.dumps({"clientID": "both_ways", "consumerDataSet": [consumer], "producerDataSet": []}).encode())
    if answer["code"] != 0:
        raise Wrong(f"the group with the long name wasn't created: {answer}")


def commit(port, cluster, ends):
    """Moves the group on and waits until it stands in the broker's file."""
    committed = {queue: ends[TOPIC, queue] // 2 for queue in range(QUEUES)}
    with wire.Connection(port, 5) as broker:
        for queue, offset in committed.items():
            answer, _ = broker.request(15, {"consumerGroup": GROUP, "topic": TOPIC, "queueId": str(queue), "commitOffset": str(offset)})
            if answer["code"] != 0:
                raise Wrong(f"an offset isn't taken: {answer}")
    end = time.monotonic() + 20
    while cluster.persisted_offset(GROUP) != sum(committed.values()):
        if time.monotonic() > end:
            raise Wrong(f"the group's offsets aren't in the file: {cluster.persisted_offset(GROUP)} of {sum(committed.values())}")
        time.sleep(0.05)
    return committed


class Kinds:
    """All that is left to the other broker besides plain messages."""

    def __init__(self):
        self._waiting, self._transactions, self._settings = Waiting(), Transactions(), Settings()

    def leave(self, port, turn):
        self._settings.change(port, turn)
        self._transactions.begin(port, turn)
        self._waiting.send(port, turn)

    def check(self, port):
        def reader(topic):
            with wire.Connection(port, 10) as broker:
                return list(read_queue(broker, topic, 0).values())

        self._settings.check(port)
        self._transactions.check(port, lambda: reader(BILLS))
        self._waiting.check(lambda: reader(PENDING))


def take_turns(lab, name, turns):
    ours, apache = lab.maker("ours"), lab.maker("apache")
    cluster = lab.cluster(name, ours, apache, **PROPS)
    broker = cluster.daemon("broker")
    conf = broker.home / "broker.conf"
    sent, committed, kinds = [], {}, Kinds()
    for turn in range(turns):
        maker = ours if turn % 2 else apache
        if turn == CRC_FROM_TURN:
            conf.write_text(conf.read_text() + "enabledAppendPropCRC=true\n")
        if turn > 0:
            broker.argv = maker.argv("mqbroker", conf, broker.home)
            cluster.start_broker()
        else:
            for topic, queues in ((TOPIC, QUEUES), (OTHER_TOPIC, QUEUES), (PENDING, 1), (BILLS, 1)):
                cluster.create_topic(topic, queues)
            create_groups(cluster.broker_port)
        try:
            ends = verify(cluster.broker_port, sent, committed, maker is ours)
            kinds.check(cluster.broker_port)
            load = Load(cluster.broker_port, turn)
            time.sleep(LOAD_SECONDS / 2)
            committed = commit(cluster.broker_port, cluster, ends)
            kinds.leave(cluster.broker_port, turn)
            time.sleep(LOAD_SECONDS / 2)
            # The first stop of each is clean, all others are kills in the midst of the load.
            if turn in (2, 3):
                sent += load.stop()
                cluster.stop_broker()
            else:
                cluster.stop_broker("kill")
                sent += load.stop()
            # Apache's broker takes what was given back for a long group, but no send to its topic.
            taken = set(QUEUES_OF) if maker is ours else {TOPIC, OTHER_TOPIC}
            if len(load.acked) < 20 or {one.topic for one in load.acked} != taken:
                raise Wrong(f"{len(load.acked)} messages were taken, but not of each topic; refused: {load.refused}")
        except Wrong as wrong:
            raise Wrong(f"turn {turn}, {maker.kind}, {len(sent)} messages before: {wrong}") from wrong
    broker.argv = ours.argv("mqbroker", conf, broker.home)
    cluster.start_broker()
    verify(cluster.broker_port, sent, committed, True)
    kinds.check(cluster.broker_port)


def run_both_ways(lab, name, cases):
    """COMETMQ_LONG=1 (./dev test --long) makes them ten turns."""
    for case in cases:
        begin = time.monotonic()
        try:
            take_turns(lab, name, 10 if os.environ.get("COMETMQ_LONG") == "1" else 5)
            lab.report.ok(name, case, time.monotonic() - begin)
        except (Wrong, StartError, OSError) as wrong:
            lab.report.fail(name, case, wrong)
