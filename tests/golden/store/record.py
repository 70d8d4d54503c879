#!/usr/bin/env python3
"""Records a store of Apache's broker: ARCHIVE.tar.gz with what it left and ARCHIVE.jsonl with what it acknowledged.

    tests/golden/store/record.py --lib JARS --out apache-4.9.8-clean [--kill]

JARS is a folder with Apache's broker, name server and all that they need, as tests/interop/run keeps one. Every message goes over
the wire from here, so that the manifest says what was sent and what the broker answered, and nothing that our code thinks of it.
"""
import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent.parent / "interop"))

from harness import wire  # noqa: E402
from harness.cluster import Apache, Cluster  # noqa: E402

# Small files; ConsumeQueueExt holds each entry's tag, whose place stands in the queue's entry.
PROPS = {"mappedFileSizeCommitLog": 262_144, "mappedFileSizeConsumeQueue": 2_000, "maxHashSlotNum": 500, "maxIndexNum": 2_000,
         "maxMessageSize": 65_536, "enableConsumeQueueExt": "true", "mappedFileSizeConsumeQueueExt": 65_536,
         "flushConsumerOffsetInterval": 500, "flushDelayOffsetInterval": 500, "transactionTimeOut": 500, "transactionCheckInterval": 2_000,
         "transactionCheckMax": 10_000}
TOPICS = ("plain", "tagged", "batched", "delayed", "trans", "retrying")
GROUP, PAYERS = "gen_consumer", "gen_trans"
COMPRESSED, PREPARED = 1, 4


class Recorder:
    def __init__(self, port):
        self.broker, self.lines, self._luck = wire.Connection(port, 10), [], random.Random(498)

    def _request(self, code, ext, body=b""):
        answer, content = self.broker.request(code, ext, body)
        if answer["code"] != 0:
            raise SystemExit(f"request {code} {ext}: {answer}")
        return answer.get("extFields", {}), content

    def send(self, kind, topic, queue, body, flags=0, tags="null", keys="null", **more):
        unique = f"{kind}-{len(self.lines):04}".replace("_", "-")
        properties = {"UNIQ_KEY": unique, "WAIT": "true", **({"TAGS": tags} if tags != "null" else {}), **({"KEYS": keys} if keys != "null" else {}), **more}
        ext, _ = self._request(310, {
            "a": PAYERS if kind.startswith("half") else "gen_producer", "b": topic, "c": "TBW102", "d": "4", "e": str(queue), "f": str(flags),
            "g": str(int(time.time() * 1000)), "h": "0", "i": "".join(f"{k}\x01{v}\x02" for k, v in properties.items()), "j": "0", "k": "false",
            "m": "false"}, zlib.compress(body) if flags & COMPRESSED else body)
        self.lines.append({"kind": kind, "topic": topic, "queueId": queue, "queueOffset": int(ext["queueOffset"]), "msgId": unique,
                           "offsetMsgId": ext["msgId"], "status": "SEND_OK", "tags": tags, "keys": keys, "bodyLength": len(body),
                           "bodyPrefixHex": body[:64].hex()})
        return ext

    def batch(self, queue, count):
        text, ids = b"", []
        for n in range(count):
            body, properties = f"batch {n}".encode(), f"UNIQ_KEY\x01batch-{n}\x02WAIT\x01true\x02".encode()
            ids.append(f"batch-{n}")
            text += struct.pack(">iiiii", 22 + len(body) + len(properties), 0, 0, 0, len(body)) + body + struct.pack(">h", len(properties)) + properties
        ext, _ = self._request(320, {"a": "gen_producer", "b": "batched", "c": "TBW102", "d": "4", "e": str(queue), "f": "0",
                                     "g": str(int(time.time() * 1000)), "h": "0", "i": "WAIT\x01true\x02", "j": "0", "k": "false", "m": "true"}, text)
        self.lines.append({"kind": "batch", "topic": "batched", "queueId": queue, "firstQueueOffset": int(ext["queueOffset"]), "count": count,
                           "msgIds": ",".join(ids)})

    def transactions(self):
        for queue, (verdict, code) in enumerate((("COMMIT_MESSAGE", 8), ("ROLLBACK_MESSAGE", 12), ("UNKNOW", None)), 1):
            ext = self.send(f"half-{verdict}", "trans", queue, f"half {verdict}".encode(), PREPARED, TRAN_MSG="true", PGROUP=PAYERS)
            if code is not None:
                self._request(37, {"producerGroup": PAYERS, "tranStateTableOffset": ext["queueOffset"], "commitLogOffset": str(int(ext["msgId"][16:], 16)),
                                   "commitOrRollback": str(code), "fromTransactionCheck": "false", "msgId": self.lines[-1]["msgId"],
                                   "transactionId": self.lines[-1]["msgId"]})

    def retries(self):
        for n in range(4):
            ext = self.send("retry", "retrying", n, f"retry me {n}".encode(), keys=f"r{n}")
            self._request(36, {"offset": str(int(ext["msgId"][16:], 16)), "group": GROUP, "delayLevel": "3", "originTopic": "retrying", "unitMode": "false",
                               "originMsgId": ext["msgId"]})

    def all_kinds(self, count):
        for n in range(count):
            tags = ("null", "TagA", "TagB")[n % 3]
            self.send("plain", "plain", n % 4, self._luck.randbytes(self._luck.randrange(20, 1200)), tags=tags, keys=f"key-{n}")
        for n in range(40):
            self.send("tagged", "tagged", n % 4, f"tagged {n}".encode(), tags=f"Tag{n % 5}")
        self.send("compressed", "plain", 0, b"compress me " * 500, COMPRESSED, keys="packed")
        self.batch(1, 10)
        self.send("delay-1s", "delayed", 1, b"level 1, delivered", DELAY=1)
        self.send("delay-2h", "delayed", 2, b"level 18, pending", DELAY=18)
        self.transactions()
        for queue in range(4):
            self._request(15, {"consumerGroup": GROUP, "topic": "plain", "queueId": str(queue), "commitOffset": str(10 + queue)})
        time.sleep(3)  # level 1 comes, the open transaction is checked, offsets are written
        self.retries()


def quiet_logging(cluster_home):
    """4.9 doesn't start without these."""
    for daemon in ("namesrv", "broker"):
        conf = cluster_home / daemon / "conf"
        conf.mkdir(parents=True)
        (conf / f"logback_{daemon}.xml").write_text('<configuration><root level="OFF"/></configuration>')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lib", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--kill", action="store_true", help="end the broker with SIGKILL instead of SIGTERM")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        quiet_logging(pathlib.Path(folder) / "golden")
        cluster = Cluster(pathlib.Path(folder), "golden", Apache(pathlib.Path(options.lib).resolve()), **PROPS).start()
        try:
            for topic in TOPICS:
                cluster.create_topic(topic, 4)
            recorder = Recorder(cluster.broker_port)
            recorder.all_kinds(150 if options.kill else 400)
            cluster.stop_broker("kill" if options.kill else "clean")
        finally:
            cluster.stop()
        subprocess.run(["tar", "czf", str(HERE / f"{options.out}.tar.gz"), "-C", str(cluster.store.parent), "store"], check=True)
    (HERE / f"{options.out}.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in recorder.lines))


if __name__ == "__main__":
    main()
