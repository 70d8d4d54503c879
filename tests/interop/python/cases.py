"""Drives the C++ client (4.x) that the Python package bundles; see ../README.md for what the cases prove and
../harness/programs.py for how results are reported."""
import argparse
import concurrent.futures
import json
import os
import random
import sys
import threading
import time
import traceback

from rocketmq.client import Message, Producer, PullConsumer, PushConsumer, SendStatus
from rocketmq.ffi import MessageModel

# The client prints to standard output now and then: results go to a copy of it, the rest to standard error.
RESULTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
LOCK = threading.Lock()
WAIT = 40


def emit(value):
    with LOCK:
        RESULTS.write(json.dumps(value) + "\n")
        RESULTS.flush()


ASKING = threading.Lock()
# The C++ client makes its shared parts with its first clients, without a lock of its own.
STARTING = threading.Lock()


def ask(what):
    with ASKING:
        emit({"ask": what})
        answer = sys.stdin.readline()
    if not answer.startswith("ok"):
        raise AssertionError(f"the harness answered {answer!r} to {what}")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def until(what, condition, state=lambda: ""):
    end = time.monotonic() + WAIT
    while not condition():
        check(time.monotonic() < end, f"waited {WAIT} s for {what} {state()}")
        time.sleep(0.03)


class Taken:
    """What is kept of a received message: the original ends with its callback."""

    def __init__(self, message):
        self.body, self.tags, self.keys = bytes(message.body), message.tags, message.keys
        self.queue, self.offset, self.size = message.queue_id, message.queue_offset, message.store_size
        self.id, self.property = message.id, message.get_property("user-属性")


class Lab:
    """What one case works with: names of its own, and clients that end with it."""

    def __init__(self, options, name):
        self.options, self.name, self.closers = options, name, []

    def unique(self, suffix=""):
        return f"{self.options.prefix}_{self.name}" + (f"_{suffix}" if suffix else "")

    def topic(self, queues):
        ask(f"topic {self.unique()} {queues}")
        return self.unique()

    def producer(self, **more):
        with STARTING:
            producer = Producer(self.unique("producer"), timeout=10000, **more)
            producer.set_namesrv_addr(self.options.namesrv)
            producer.start()
        self.closers.append(producer.shutdown)
        return producer

    def member(self, group, name, topic, expression="*", sink=None, **more):
        """A started push consumer; returns (messages, leave)."""
        messages = [] if sink is None else sink
        with STARTING:
            consumer = PushConsumer(group, **more)
            consumer.set_namesrv_addr(self.options.namesrv)
            consumer.set_instance_name(f"{group}_{name}")
            consumer.set_thread_count(2)
            consumer.subscribe(topic, lambda message: messages.append(Taken(message)), expression)
            consumer.start()
        left = []

        def leave():
            if not left:
                left.append(True)
                consumer.shutdown()

        self.closers.append(leave)
        return messages, leave

    def send(self, producer, topic, first, last):
        for i in range(first, last):
            message = Message(topic)
            message.set_body(f"m{i}")
            result = producer.send_sync(message)
            check(result.status == SendStatus.OK, f"send status {result.status}")

    def expect(self, messages, first, last, once=True):
        wanted = {f"m{i}" for i in range(first, last)}
        until(f"{len(wanted)} messages", lambda: len({m.body for m in list(messages)}) >= len(wanted), lambda: f"have {len(messages)}")
        seen = [m.body.decode() for m in list(messages)]
        check(set(seen) == wanted, f"missing {sorted(wanted - set(seen))[:5]}, unexpected {sorted(set(seen) - wanted)[:5]}")
        check(not once or len(seen) == len(wanted), f"{len(seen)} deliveries of {len(wanted)} messages")


def send_sync(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    message = Message(topic)
    message.set_body("m0")
    result = producer.send_sync(message)
    check(result.status == SendStatus.OK, f"status {result.status}")
    check(len(result.msg_id) == 32 and result.offset == 0, f"id {result.msg_id}, offset {result.offset}")
    lab.send(producer, topic, 1, 30)
    lab.expect(lab.member(lab.unique("reader"), "a", topic)[0], 0, 30, once=False)


def send_async(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    done, failed, kept = [], [], []
    for i in range(30):
        message = Message(topic)
        message.set_body(f"m{i}")
        kept.append(message)
        producer.send_async(message, lambda result: done.append(result.status), lambda failure: failed.append(str(failure)))
    until("all callbacks", lambda: len(done) + len(failed) >= 30, lambda: f"have {len(done)} and {len(failed)}")
    check(not failed and set(done) == {SendStatus.OK}, f"failed {failed}, done {set(done)}")
    lab.expect(lab.member(lab.unique("reader"), "a", topic)[0], 0, 30, once=False)


def send_oneway(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    # The first send opens the connection; a one-way send on a new one is dropped by this client.
    lab.send(producer, topic, 0, 4)
    for i in range(4, 24):
        message = Message(topic)
        message.set_body(f"m{i}")
        producer.send_oneway(message)
    lab.expect(lab.member(lab.unique("reader"), "a", topic)[0], 0, 24, once=False)


def send_orderly(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    for i in range(24):
        message = Message(topic)
        message.set_body(f"m{i}")
        check(producer.send_orderly(message, i % 3).status == SendStatus.OK, "send status")
    messages, _ = lab.member(lab.unique("reader"), "a", topic)
    lab.expect(messages, 0, 24, once=False)
    for message in messages:
        number = int(message.body[1:])
        check((message.queue, message.offset) == (number % 3, number // 3), f"{message.body} is at {message.queue}/{message.offset}")


def send_batch(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    batch = []
    for i in range(10):
        message = Message(topic)
        message.set_body(f"m{i}")
        message.set_keys(f"key{i}")
        batch.append(message)
    result = producer.send_batch(batch)
    check(result.status == SendStatus.OK, f"status {result.status}")
    messages, _ = lab.member(lab.unique("reader"), "a", topic)
    lab.expect(messages, 0, 10, once=False)
    check(len({m.queue for m in messages}) == 1, "one batch in several queues")
    for message in messages:
        check(message.body.decode() == f"m{message.offset}", f"{message.body} is at offset {message.offset}")


def send_large_compressed(lab):
    topic = lab.topic(1)
    producer = lab.producer(max_message_size=4 << 20)
    text = b"a line that packs well\n" * 400
    noise = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1 << 20)).encode()
    for body in (text, noise):
        message = Message(topic)
        message.set_body(body)
        check(producer.send_sync(message).status == SendStatus.OK, "send status")
    messages, _ = lab.member(lab.unique("reader"), "a", topic)
    until("both messages", lambda: len(messages) >= 2, lambda: f"have {len(messages)}")
    found = {m.offset: m for m in messages}
    check(found[0].body == text, "the text came back changed")
    check(found[0].size < len(text) / 4, f"the text was stored with {found[0].size} bytes")
    check(found[1].body == noise, "the large body came back changed")


def send_unicode(lab):
    topic = lab.topic(1)
    producer = lab.producer()
    texts = ["ünïcödé", "消息队列", "Привет, мир", "emoji 🚀🦊", "quote\" back\\slash /slash"]
    for i, text in enumerate(texts):
        message = Message(topic)
        message.set_body(text)
        message.set_tags("标签-é")
        message.set_keys(f"ключ{i}")
        message.set_property("user-属性", text)
        producer.send_sync(message)
    messages, _ = lab.member(lab.unique("reader"), "a", topic)
    until("all messages", lambda: len(messages) >= len(texts), lambda: f"have {len(messages)}")
    decode = lambda value: value.decode() if isinstance(value, bytes) else value  # noqa: E731
    for message in messages:
        check(message.body.decode() == texts[message.offset], f"body {message.body}")
        check(decode(message.tags) == "标签-é", f"tags {message.tags}")
        check(decode(message.keys) == f"ключ{message.offset}", f"keys {message.keys}")
        check(decode(message.property) == texts[message.offset], f"property {message.property}")


def push_concurrent(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    lab.send(producer, topic, 0, 20)
    messages, _ = lab.member(lab.unique("group"), "a", topic)
    lab.send(producer, topic, 20, 80)
    lab.expect(messages, 0, 80)


def push_orderly(lab):
    topic = lab.topic(4)
    producer = lab.producer()
    messages, _ = lab.member(lab.unique("group"), "a", topic, orderly=True)
    for i in range(60):
        message = Message(topic)
        message.set_body(f"m{i}")
        producer.send_orderly(message, i % 4)
    lab.expect(messages, 0, 60)
    following = {}
    for message in messages:
        check(message.offset == following.get(message.queue, 0), f"queue {message.queue}: offset {message.offset} came after {following.get(message.queue, 0) - 1}")
        following[message.queue] = message.offset + 1


def push_tags(lab):
    topic = lab.topic(2)
    expected = {"A || B": "AB", "*": "ABC", "C": "C"}
    members = {e: lab.member(lab.unique(f"group{i}"), "a", topic, e)[0] for i, e in enumerate(expected)}
    producer = lab.producer()
    for i in range(30):
        message = Message(topic)
        message.set_body(f"m{i}")
        message.set_tags("ABC"[i % 3])
        producer.send_sync(message)
    for expression, tags in expected.items():
        wanted = {f"m{i}" for i in range(30) if "ABC"[i % 3] in tags}
        until(f"messages of {expression}", lambda e=expression, w=wanted: len(members[e]) >= len(w), lambda e=expression: f"have {len(members[e])}")
        check({m.body.decode() for m in members[expression]} == wanted, f"messages of {expression}")


def push_broadcasting(lab):
    topic = lab.topic(2)
    group = lab.unique("group")
    producer = lab.producer()
    members = [lab.member(f"{group}", name, topic, message_model=MessageModel.BROADCASTING)[0] for name in ("a",)]
    # This client starts a broadcast queue at its end and only after its first rebalance: send until something arrives.
    end = time.monotonic() + WAIT
    count = 0
    while not all(members):
        check(time.monotonic() < end, "nothing arrived")
        lab.send(producer, topic, count, count + 1)
        count += 1
        time.sleep(0.1)
    lab.send(producer, topic, count, count + 20)
    wanted = {f"m{i}" for i in range(count, count + 20)}
    for messages in members:
        until("the last 20 messages", lambda m=messages: wanted <= {x.body.decode() for x in list(m)}, lambda m=messages: f"have {len(m)}")


def push_offsets_survive_restart(lab):
    topic = lab.topic(2)
    group = lab.unique("group")
    producer = lab.producer()
    first, leave = lab.member(group, "a", topic)
    lab.send(producer, topic, 0, 30)
    lab.expect(first, 0, 30)
    leave()
    lab.send(producer, topic, 30, 50)
    second, _ = lab.member(group, "b", topic)
    lab.expect(second, 30, 50)


def pull_consumer(lab):
    topic = lab.topic(2)
    producer = lab.producer()
    lab.send(producer, topic, 0, 20)
    with STARTING:
        consumer = PullConsumer(lab.unique("group"))
        consumer.set_namesrv_addr(lab.options.namesrv)
        consumer.start()
    lab.closers.append(consumer.shutdown)
    got = []
    until("20 pulled messages", lambda: got.extend(Taken(m) for m in consumer.pull(topic)) or len(got) >= 20, lambda: f"have {len(got)}")
    check({m.body.decode() for m in got} == {f"m{i}" for i in range(20)}, "bodies")


def run_one(options, name):
    lab = Lab(options, name)
    begin = time.monotonic()
    reason = ""
    try:
        globals()[name](lab)
    except Exception as failure:  # pylint: disable=broad-except
        reason = str(failure) or traceback.format_exc()
        traceback.print_exc()
    emit({"case": name, "ok": not reason, "seconds": time.monotonic() - begin, "reason": reason})
    for closer in lab.closers:
        try:
            with STARTING:
                closer()
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()


def main():
    parser = argparse.ArgumentParser()
    for option in ("namesrv", "broker", "prefix", "cases"):
        parser.add_argument("--" + option)
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(run_one, options, name) for name in options.cases.split(",")]:
            future.result()
    emit({"end": True})
    # The client's own threads and destructors have nothing left that is worth waiting for.
    os._exit(0)


if __name__ == "__main__":
    main()
