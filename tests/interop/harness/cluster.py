"""Name servers and brokers as child processes, ours or Apache's, on free loopback ports in a temporary folder."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from . import wire

_ports_lock = threading.Lock()
_next_port = 22000 + os.getpid() % 600 * 10


class StartError(Exception):
    pass


def free_port():
    """A port P with P-2 (fast channel) and P+1 (HA) free too; never given twice by this process."""
    global _next_port
    with _ports_lock:
        for _ in range(1000):
            _next_port = _next_port + 10 if _next_port < 31000 else 22000
            try:
                for port in (_next_port - 2, _next_port, _next_port + 1):
                    with socket.socket() as probe:
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        probe.bind(("127.0.0.1", port))
                return _next_port
            except OSError:
                continue
    raise StartError("no free ports on 127.0.0.1")


class Daemon:
    """One child process with its log. stop() always ends it: SIGTERM, then SIGKILL."""

    def __init__(self, name, argv, home):
        self.name, self.argv, self.home = name, argv, home
        self.log = home / f"{name}.out"
        self.process = None

    def start_only(self):
        env = dict(os.environ, ROCKETMQ_HOME=str(self.home), HOME=str(self.home))
        env.pop("NAMESRV_ADDR", None)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.home, env=env,
                                            start_new_session=True)

    def start(self, port, seconds=60):
        """Starts it and returns when it listens on `port`."""
        self.start_only()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StartError(f"{self.name} stopped at start with {self.process.returncode}: {self.tail(6)}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                return
            except OSError:
                time.sleep(0.02)
        raise StartError(f"{self.name} does not listen on {port}: {self.tail(6)}")

    def stop(self, how=signal.SIGTERM, seconds=30):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def tail(self, lines=30):
        """The last lines of everything this daemon logged."""
        texts = []
        for path in [self.log, *sorted(self.home.rglob("*.log"))]:
            if path.name in ("broker.log", "namesrv.log") or path == self.log:
                try:
                    texts += [f"{path.name}: {line}" for line in path.read_text(errors="replace").splitlines()[-lines:] if "|-INFO" not in line]
                except OSError:
                    pass
        return "\n".join(texts)


class Apache:
    """How Apache's daemons are started: from the jars in `lib`, with small heaps."""

    kind = "apache"

    def __init__(self, lib):
        self._lib = lib

    def argv(self, what, conf, home):
        main = {"mqnamesrv": "org.apache.rocketmq.namesrv.NamesrvStartup", "mqbroker": "org.apache.rocketmq.broker.BrokerStartup"}[what]
        heap = {"mqnamesrv": "128m", "mqbroker": "384m"}[what]
        opens = [x for m in ("java.nio", "sun.nio.ch", "jdk.internal.ref") for x in ("--add-opens", f"java.base/{m}=ALL-UNNAMED")]
        return ["java", "-Xms128m", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=512m", *opens,
                "--add-exports", "java.base/jdk.internal.ref=ALL-UNNAMED", f"-Duser.home={home}", f"-Drocketmq.home.dir={home}",
                "-Drocketmq.broker.diskSpaceWarningLevelRatio=0.99", "-cp", f"{self._lib}/*", main, "-c", str(conf)]


class Ours:
    """How our daemons are started: from bin/ of a build or installed folder."""

    kind = "ours"

    def __init__(self, build):
        self._build = pathlib.Path(build).resolve()

    def argv(self, what, conf, home):
        return [str(self.binary(what)), "-c", str(conf)]

    def binary(self, what):
        direct = self._build / "bin" / what
        if direct.is_file():
            return direct
        for found in sorted(self._build.rglob(what)):
            if found.is_file() and os.access(found, os.X_OK):
                return found
        raise StartError(f"no {what} under {self._build}")


class Cluster:
    """One name server and one broker. `maker` makes both; `broker_maker` may differ for mixed clusters."""

    broker_name = "broker-a"
    cluster_name = "DefaultCluster"

    def __init__(self, root, name, maker, broker_maker=None, namesrv_props=None, **props):
        self.name, self.home, self._namesrv_props = name, root / name, namesrv_props or {}
        self._maker, self._broker_maker, self._props = maker, broker_maker or maker, props
        self.kind = self._broker_maker.kind
        self.daemons = []

    @property
    def namesrv(self):
        return f"127.0.0.1:{self.namesrv_port}"

    @property
    def broker(self):
        return f"127.0.0.1:{self.broker_port}"

    @property
    def store(self):
        return self.home / "broker" / "store"

    def start(self):
        self.namesrv_port, self.broker_port = free_port(), free_port()
        self._namesrv = self._daemon("namesrv", "mqnamesrv", self._maker, {"listenPort": self.namesrv_port, "bindAddress": "127.0.0.1",
                                                                            "orderMessageEnable": "true", **self._namesrv_props})
        self._namesrv.start(self.namesrv_port)
        self._broker = self._daemon("broker", "mqbroker", self._broker_maker, {
            "brokerClusterName": self.cluster_name, "brokerName": self.broker_name, "brokerId": 0, "namesrvAddr": self.namesrv,
            "brokerIP1": "127.0.0.1", "brokerIP2": "127.0.0.1", "listenPort": self.broker_port, "haListenPort": self.broker_port + 1, "brokerRole": "ASYNC_MASTER",
            "flushDiskType": "ASYNC_FLUSH", "storePathRootDir": self.store, "storePathCommitLog": self.store / "commitlog",
            "mappedFileSizeCommitLog": 64 << 20, "deleteWhen": "04", "fileReservedTime": 48, "diskMaxUsedSpaceRatio": 95, **self._props})
        self.start_broker()
        return self

    def start_broker(self):
        """Starts the broker (again) and returns when the name server lists it."""
        self._broker.start(self.broker_port)
        end = time.monotonic() + 40
        while time.monotonic() < end:
            try:
                if self.broker_name.encode() in wire.request(self.namesrv_port, 106)[1]:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise StartError(f"the broker never registered: {self._broker.tail(8)}")

    def start_slave(self, maker=None, **props):
        """Another broker with the first one's name, as its slave, of `maker`; it serves reads."""
        self.slave_port = free_port()
        self._slave = self._daemon("slave", "mqbroker", maker or self._broker_maker, {
            "brokerClusterName": self.cluster_name, "brokerName": self.broker_name, "brokerId": 1, "namesrvAddr": self.namesrv,
            "brokerIP1": "127.0.0.1", "brokerIP2": "127.0.0.1", "listenPort": self.slave_port, "haListenPort": self.slave_port + 1,
            "brokerRole": "SLAVE", "slaveReadEnable": "true", "flushDiskType": "ASYNC_FLUSH", "storePathRootDir": self.home / "slave" / "store",
            "storePathCommitLog": self.home / "slave" / "store" / "commitlog", "mappedFileSizeCommitLog": 64 << 20, "deleteWhen": "04",
            "fileReservedTime": 48, "diskMaxUsedSpaceRatio": 95, **props})
        self.restart_slave()

    def start_other_master(self, maker=None, **props):
        """A second master, broker-b, of `maker`, with a store of its own."""
        self.other_port = free_port()
        self.other = self._daemon("other", "mqbroker", maker or self._broker_maker, {
            "brokerClusterName": self.cluster_name, "brokerName": "broker-b", "brokerId": 0, "namesrvAddr": self.namesrv, "brokerIP1": "127.0.0.1",
            "listenPort": self.other_port, "haListenPort": self.other_port + 1, "storePathRootDir": self.home / "other" / "store",
            "storePathCommitLog": self.home / "other" / "store" / "commitlog", "mappedFileSizeCommitLog": 64 << 20, "diskMaxUsedSpaceRatio": 95, **props})
        self.other.start(self.other_port)

    def restart_slave(self):
        self._slave.start(self.slave_port)

    def stop_slave(self, how="clean"):
        self._slave.stop(signal.SIGKILL if how == "kill" else signal.SIGTERM)

    def stop_broker(self, how="clean"):
        self._broker.stop(signal.SIGKILL if how == "kill" else signal.SIGTERM)

    def stop(self):
        """Ends all at once: Apache's broker would take ten seconds to stop by itself, and nobody waits for what it writes."""
        for daemon in reversed(self.daemons):
            daemon.stop(signal.SIGKILL if self.kind == "apache" else signal.SIGTERM, seconds=15)

    def daemon(self, name):
        return next(d for d in self.daemons if d.name == name)

    def second_broker(self):
        """Another broker process, not started, with the first one's store and other ports."""
        home = self.home / "second"
        home.mkdir()
        port = free_port()
        text = (self.home / "broker" / "broker.conf").read_text()
        text = re.sub(r"^listenPort=.*$", f"listenPort={port}", text, flags=re.M)
        text = re.sub(r"^haListenPort=.*$", f"haListenPort={port + 1}", text, flags=re.M)
        (home / "second.conf").write_text(text)
        daemon = Daemon("second", self._broker_maker.argv("mqbroker", home / "second.conf", home), home)
        self.daemons.append(daemon)
        return daemon

    def second_namesrv(self):
        """Starts another name server and the broker anew with both; returns the other's port."""
        port = free_port()
        daemon = self._daemon("namesrv2", "mqnamesrv", self._maker, {"listenPort": port, "bindAddress": "127.0.0.1"})
        daemon.start(port)
        self.stop_broker()
        conf = self.home / "broker" / "broker.conf"
        conf.write_text(re.sub(r"^namesrvAddr=.*$", f"namesrvAddr={self.namesrv};127.0.0.1:{port}", conf.read_text(), flags=re.M))
        self.start_broker()
        return port

    def create_topic(self, topic, queues):
        self.create_topic_only(topic, queues)
        self.await_route(topic, queues)

    def create_topic_only(self, topic, queues, port=None):
        answer, _ = wire.request(port or self.broker_port, 17, {
            "topic": topic, "defaultTopic": "TBW102", "readQueueNums": str(queues), "writeQueueNums": str(queues), "perm": "6",
            "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false"})
        if answer["code"] != 0:
            raise StartError(f"topic {topic} was not created: {answer}")

    def await_route(self, topic, queues, seconds=20):
        """Waits until the name server routes the topic with so many queues."""
        end = time.monotonic() + seconds
        answer = body = None
        while time.monotonic() < end:
            answer, body = wire.request(self.namesrv_port, 105, {"topic": topic})
            if answer["code"] == 0 and f'"writeQueueNums":{queues}'.encode() in body.replace(b" ", b""):
                return
            time.sleep(0.02)
        raise StartError(f"no route of {topic} with {queues} queues: {answer} {body}")

    def tails(self):
        return "\n".join(f"--- {self.name}/{d.name}\n{d.tail()}" for d in self.daemons)

    def persisted_offset(self, group):
        """Sum of the offsets that the broker's consumerOffset.json holds for `group`; -1 while it has none."""
        try:
            text = (self.store / "config" / "consumerOffset.json").read_text()
        except OSError:
            return -1
        # Apache writes integer keys without quotes.
        try:
            table = json.loads(re.sub(r"([{,]\s*)(\d+)\s*:", r'\1"\2":', text))["offsetTable"]
        except (ValueError, KeyError):
            return -1
        sums = [sum(queues.values()) for key, queues in table.items() if key.endswith("@" + group) and not key.startswith("%RETRY%")]
        return sum(sums) if sums else -1

    def _daemon(self, name, what, maker, props):
        home = self.home / name
        home.mkdir(parents=True, exist_ok=True)
        conf = home / f"{name}.conf"
        props = {**props, "rocketmqHome": home} if what == "mqnamesrv" else props
        conf.write_text("".join(f"{key}={value}\n" for key, value in props.items()))
        daemon = Daemon(name, maker.argv(what, conf, home), home)
        self.daemons.append(daemon)
        return daemon
