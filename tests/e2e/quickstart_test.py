#!/usr/bin/env python3
"""./dev quickstart and ./dev quickstart --cluster as a newcomer runs them, in a copy of what they need, with the programs of a build and
on free ports: taken ports, a second run, --stop; and that the cluster's verdict is what was counted.
"""
import argparse
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("mqnamesrv", "mqbroker", "mqadmin", "mqbench")


def equal(expected, actual, what):
    assert expected == actual, f"{what}: expected {expected!r}, got {actual!r}"


def has(text, *parts):
    for part in parts:
        assert part in text, f"no '{part}' in: {text[-1500:]}"


def free_ports(count):
    """The first of `count` neighbouring free ports."""
    for first in range(23_000 + os.getpid() % 200 * 40, 32_000, 40):
        probes = [socket.socket() for _ in range(count)]
        try:
            for port, probe in enumerate(probes, first):
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


class Checkout:
    """The part of the tree that quickstart reads, in a folder of its own, so that ./var is, too."""

    def __init__(self, folder, programs):
        self.folder, self.bin = folder, folder / "bin"
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        shutil.copytree(ROOT / "conf", folder / "conf")
        shutil.copy(ROOT / "dev", folder / "dev")
        self.bin.mkdir()
        for program in PROGRAMS:
            (self.bin / program).symlink_to(programs / program)
        self.namesrv = free_ports(40)
        self.broker = self.namesrv + 4

    def dev(self, *words, seconds=120, **variables):
        """(exit code, all that it printed)"""
        env = {**os.environ, "COMETMQ_BIN": str(self.bin), "NAMESRV_PORT": str(self.namesrv), "BROKER_PORT": str(self.broker), **variables}
        env.pop("NAMESRV_ADDR", None)
        with open(self.folder / "printed", "w+") as printed:  # a file: daemons that live on must not hold a pipe open
            done = subprocess.run([self.folder / "dev", *words], stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env,
                                  timeout=seconds, check=False)
            printed.seek(0)
            return done.returncode, printed.read()

    def daemons(self):
        """Processes of this checkout that are alive."""
        return [p.name for p in (self.folder / "var").glob("*.pid") if pathlib.Path(f"/proc/{p.read_text().strip()}").exists()]


def quickstart(checkout):
    """A first run, a second one on what runs, the stop, and a stop of nothing."""
    try:
        code, text = checkout.dev("quickstart")
        equal(0, code, f"the exit code; it printed {text[-800:]}")
        has(text, "10000", "broker-a", f"127.0.0.1:{checkout.namesrv}", f"127.0.0.1:{checkout.broker}", "./dev stop")
        equal({"mqnamesrv.pid", "mqbroker.pid"}, set(checkout.daemons()), "what runs")
        code, text = checkout.dev("quickstart")
        equal(0, code, "the exit code of a second run")
        has(text, "mqnamesrv is running already (process", "mqbroker is running already (process", "10000")
    finally:
        code, text = checkout.dev("stop")
    equal(0, code, "the exit code of stop")
    has(text, "mqbroker stopped", "mqnamesrv stopped")
    equal([], checkout.daemons(), "what still runs")
    code, text = checkout.dev("quickstart", "--stop")
    equal(0, code, "the exit code of a stop of nothing")
    has(text, "mqbroker is not running", "mqnamesrv is not running")


def taken_ports(checkout):
    """Who has the port is named, and nothing is started."""
    for port in (checkout.namesrv, checkout.broker, checkout.broker - 2, checkout.broker + 1):
        with socket.socket() as taker:
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taker.bind(("127.0.0.1", port))
            taker.listen()
            commands = [("quickstart",)] if port != checkout.broker else [("quickstart",), ("quickstart", "--cluster")]
            for command in commands:
                code, text = checkout.dev(*command)
                equal(1, code, f"the exit code with port {port} taken")
                comm = pathlib.Path("/proc/self/comm").read_text().strip()
                has(text, f"port {port} is taken by process {os.getpid()} ({comm})", "NAMESRV_PORT and BROKER_PORT")
                equal([], checkout.daemons(), "what runs then")


def cluster(checkout):
    """Its shape is a short one: a master is killed after two seconds and back two seconds later."""
    code, text = checkout.dev("quickstart", "--cluster", WATCH_SECONDS="8")
    equal(0, code, f"the exit code; it printed {text[-1500:]}")
    count = re.search(r"all (\d+) acknowledged messages were consumed", text)
    assert count and int(count.group(1)) > 500, f"no verdict over many messages in: {text[-800:]}"
    has(text, f"acknowledged {count.group(1)}, of which not consumed 0", "kill -9 of the master of broker-a", "broker-a: slave 1", "broker-a: master slave 1")


def cluster_that_loses(checkout):
    """The verdict comes from what was counted: a watcher that misses messages, that saw none, or that broke fails it."""
    bench = checkout.bin / "mqbench"
    for printed, status, verdict in (
            ("acknowledged 900, of which not consumed 3; 0 sends had no good answer and may have been stored", 0, "3 of 900 acknowledged messages are missing"),
            ("acknowledged 0, of which not consumed 0; 7 sends had no good answer and may have been stored", 0, "nothing was acknowledged"),
            ("acknowledged 900, of which not consumed 0; 0 sends had no good answer and may have been stored", 3, "the watcher failed"),
    ):
        bench.unlink()
        bench.write_text(f"#!/bin/sh\necho '{printed}'\nexit {status}\n")
        bench.chmod(0o755)
        code, text = checkout.dev("quickstart", "--cluster", WATCH_SECONDS="1")
        equal(1, code, f"the exit code after '{printed}'")
        has(text, verdict)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    programs = parser.parse_args().build.resolve() / "bin"
    passed = failed = 0
    for case in (quickstart, taken_ports, cluster, cluster_that_loses):
        with tempfile.TemporaryDirectory(prefix="cometmq-quickstart-") as folder:
            try:
                case(Checkout(pathlib.Path(folder), programs))
                passed += 1
                print(f"ok {case.__name__}")
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAIL {case.__name__}: {traceback.format_exc()}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
