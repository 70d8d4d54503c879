"""What one broker leaves to the other besides plain messages: those that wait for their time or their end, topics, groups."""
import json
import threading
import time

from . import wire

PENDING, BILLS, PAYERS = "both_ways_pending", "both_ways_bills", "both_ways_payers"
PENDING_PER_KIND, HALVES = 4, 6
LEVEL_2_SECONDS, TIMER_SECONDS = 5, 6
COMMIT, ROLLBACK = 8, 12
TOPIC_FIELDS = ("topicName", "readQueueNums", "writeQueueNums", "perm", "order", "topicSysFlag")
GROUP_FIELDS = ("groupName", "consumeEnable", "consumeFromMinEnable", "consumeBroadcastEnable", "consumeMessageOrderly", "retryQueueNums",
                "retryMaxTimes", "brokerId", "whichBrokerWhenConsumeSlowly", "notifyConsumerIdsChangedEnable", "groupSysFlag")


class Wrong(Exception):
    pass


def send(broker, topic, queue, body, flags=0, code=310, **properties):
    text = "".join(f"{name}\x01{value}\x02" for name, value in properties.items())
    return broker.request(code, {"a": "both_ways_producer", "b": topic, "c": "TBW102", "d": "4", "e": str(queue), "f": str(flags),
                                 "g": str(int(time.time() * 1000)), "h": "0", "i": text, "j": "0", "k": "false",
                                 "m": "true" if code == 320 else "false"}, body)[0]


class Waiting:
    """Messages of a delay level and timers; whoever has the folder when they are due must deliver them, and not before."""

    def __init__(self):
        self._due = {}  # by body

    def send(self, port, turn):
        with wire.Connection(port, 10) as broker:
            for n in range(PENDING_PER_KIND):
                for kind, seconds, properties in (("level", LEVEL_2_SECONDS, {"DELAY": 2}), ("timer", TIMER_SECONDS, {"TIMER_DELAY_SEC": TIMER_SECONDS})):
                    body = f"{kind} {turn} {n}".encode()
                    due = int(time.time() * 1000) + seconds * 1000
                    answer = send(broker, PENDING, 0, body, UNIQ_KEY=body.decode().replace(" ", "-"), WAIT="true", **properties)
                    if answer["code"] != 0:
                        raise Wrong(f"{body} isn't taken: {answer}")
                    self._due[body] = due

    def check(self, read):
        """`read()`: (body, store time) of what stands in the topic. Waits until everything was delivered."""
        end = time.monotonic() + 30
        while True:
            found = read()
            for body, stored in found:
                if stored < self._due[body]:
                    raise Wrong(f"{body} came {self._due[body] - stored} ms early")
            missing = set(self._due) - {body for body, _ in found}
            if not missing:
                return
            if time.monotonic() > end:
                raise Wrong(f"never delivered: {sorted(missing)}")
            time.sleep(0.1)


class Transactions:
    """Half messages: some ended at once, the others by whichever broker checks them."""

    def __init__(self):
        self._verdicts = {}  # by key

    def begin(self, port, turn):
        with wire.Connection(port, 10) as broker:
            for n in range(HALVES):
                key, verdict = f"bill-{turn}-{n}", ROLLBACK if n % 3 == 2 else COMMIT
                answer = send(broker, BILLS, 0, key.encode(), flags=4, UNIQ_KEY=key, TRAN_MSG="true", PGROUP=PAYERS, WAIT="true")
                if answer["code"] != 0:
                    raise Wrong(f"the half message {key} isn't taken: {answer}")
                self._verdicts[key] = verdict
                if n % 2 == 0:
                    ext = answer["extFields"]
                    self._end(broker, {"tranStateTableOffset": ext["queueOffset"], "commitLogOffset": str(int(ext["msgId"][16:32], 16))}, key, 0)

    def _end(self, broker, place, key, flag):
        broker.request(37, {**place, "producerGroup": PAYERS, "commitOrRollback": str(self._verdicts[key]), "msgId": key, "transactionId": key,
                            "fromTransactionCheck": "true" if flag else "false"}, flag=flag)

    def check(self, port, read):
        """Answers checks until all that was committed stands in the topic; nothing else may."""
        done = threading.Event()

        def answer():
            with wire.Connection(port, 10) as broker:
                broker.request(34, body=json.dumps({"clientID": "payer", "consumerDataSet": [], "producerDataSet": [{"groupName": PAYERS}]}).encode())
                while not done.is_set():
                    asked = broker.pushed(39, 0.2)
                    if asked is not None:
                        ext = asked[0]["extFields"]
                        self._end(broker, {name: ext[name] for name in ("tranStateTableOffset", "commitLogOffset")}, ext["msgId"], 2)

        listener = threading.Thread(target=answer)
        listener.start()
        try:
            committed = {key.encode() for key, verdict in self._verdicts.items() if verdict == COMMIT}
            end = time.monotonic() + 30
            while True:
                found = {body for body, _ in read()}
                if found - committed:
                    raise Wrong(f"delivered, though not committed: {sorted(found - committed)}")
                if found == committed:
                    return
                if time.monotonic() > end:
                    raise Wrong(f"committed and not delivered: {sorted(committed - found)}")
                time.sleep(0.1)
        finally:
            done.set()
            listener.join()


class Settings:
    """Topics and groups, changed in each turn; the next broker must name them all with the same fields."""

    def __init__(self):
        self._topics, self._groups = {}, {}  # what the writer answered, by name

    def change(self, port, turn):
        topic, group = f"both_ways_topic_{turn}", f"both_ways_group_{turn}"
        with wire.Connection(port, 10) as broker:
            for name, reads in ((topic, turn + 2), ("both_ways_topic_0", turn + 5)):
                answer, _ = broker.request(17, {"topic": name, "defaultTopic": "TBW102", "readQueueNums": str(reads), "writeQueueNums": str(turn + 1),
                                                "perm": str((6, 4, 2)[turn % 3]), "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0",
                                                "order": "true" if turn % 2 else "false"})
                if answer["code"] != 0:
                    raise Wrong(f"topic {name} isn't taken: {answer}")
                self._topics[name] = None
            for name, tries in ((group, turn), ("both_ways_group_0", 10 + turn)):
                answer, _ = broker.request(200, body=json.dumps({
                    "groupName": name, "consumeEnable": turn % 2 == 0, "consumeFromMinEnable": turn % 3 != 0, "consumeBroadcastEnable": turn % 3 != 1,
                    "consumeMessageOrderly": turn % 2 == 1, "retryQueueNums": turn + 1, "retryMaxTimes": tries, "brokerId": 0,
                    "whichBrokerWhenConsumeSlowly": 1 + turn, "notifyConsumerIdsChangedEnable": turn % 2 == 1}).encode())
                if answer["code"] != 0:
                    raise Wrong(f"group {name} isn't taken: {answer}")
                self._groups[name] = None
            self._topics = {name: self._ask(broker, 351, {"topic": name}, TOPIC_FIELDS) for name in self._topics}
            self._groups = {name: self._ask(broker, 352, {"group": name}, GROUP_FIELDS) for name in self._groups}

    def check(self, port):
        with wire.Connection(port, 10) as broker:
            for code, kind, fields, known in ((351, "topic", TOPIC_FIELDS, self._topics), (352, "group", GROUP_FIELDS, self._groups)):
                for name, before in known.items():
                    now = self._ask(broker, code, {kind: name}, fields)
                    if now != before:
                        raise Wrong(f"{kind} {name} was {before}, now it is {now}")

    @staticmethod
    def _ask(broker, code, ext, fields):
        answer, body = broker.request(code, ext)
        if answer["code"] != 0:
            raise Wrong(f"{ext}: {answer}")
        found = json.loads(body)
        return {field: found.get(field) for field in fields}
