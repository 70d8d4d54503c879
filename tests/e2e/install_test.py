#!/usr/bin/env python3
"""`cmake --install`, the systemd units it makes, and mqshutdown: installs into a folder of its own, starts both daemons with the
command, environment and folder that their units name, and stops them with mqshutdown.

mqshutdown ends every daemon of its user, so the test runs where it sees no others: in process and user namespaces of its own. Where
the machine doesn't allow those it is skipped and says so.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
PATIENCE_S = 20


def equal(expected, actual, what):
    assert expected == actual, f"{what}: expected {expected!r}, got {actual!r}"


def until(what, condition):
    give_up = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < give_up, f"{what} did not come within {PATIENCE_S} s"
        time.sleep(0.02)
    return result


class Unit:
    """A .service file: its [Service] lines by name."""

    def __init__(self, path):
        self.path = path
        self.lines = [line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]

    def all(self, name):
        return [value for key, value in self.lines if key == name]

    def one(self, name):
        values = self.all(name)
        equal(1, len(values), f"{name} in {self.path.name}")
        return values[0]

    def check(self, home):
        state = "/var/lib/" + self.one("StateDirectory")
        environment = dict(value.split("=", 1) for value in self.all("Environment"))
        equal({"ROCKETMQ_HOME": str(home), "HOME": state}, environment, "the unit's environment")
        equal(state, self.one("WorkingDirectory"), "its folder")
        assert "@" not in self.path.read_text(), "a placeholder was not filled in"
        if shutil.which("systemd-analyze"):
            verified = subprocess.run(["systemd-analyze", "verify", str(self.path)], capture_output=True, text=True, check=False)
            complaints = [line for line in verified.stderr.splitlines() if self.path.name in line]
            equal([], complaints, "what systemd says of the unit")


class Daemon:
    """A daemon as its unit starts it, with a folder of the test's for its state."""

    def __init__(self, unit, state, marker):
        self.state = state
        state.mkdir()
        self.output = state / "output"
        environment = {"PATH": os.environ["PATH"], **dict(value.split("=", 1) for value in unit.all("Environment")), "HOME": str(state)}
        with self.output.open("w") as out:
            self.process = subprocess.Popen(unit.one("ExecStart").split(), cwd=state, env=environment, stdout=out, stderr=out)
        until(f"'{marker}'", lambda: marker in self.output.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, f"it ended at once: {self.output.read_text()}"

    def runs(self):
        return self.process.poll() is None


def on_free_ports(config):
    """Any port instead of the fixed one; loopback only."""
    text = re.sub(r"^listenPort=.*$", "listenPort=0", config.read_text(), flags=re.M)
    text = re.sub(r"^bindAddress=.*\n", "", text, flags=re.M)
    config.write_text(text + "\nbindAddress=127.0.0.1\n")


def shut_down(home, what):
    ran = subprocess.run([home / "bin/mqshutdown", *what], capture_output=True, text=True, timeout=70, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def check_shutdown(home, names, broker):
    equal((1, "", "usage: mqshutdown broker | namesrv\n"), shut_down(home, []), "mqshutdown without a word")
    equal((1, "", "usage: mqshutdown broker | namesrv\n"), shut_down(home, ["proxy"]), "mqshutdown with a wrong one")

    pid = broker.process.pid
    equal((0, f"The mqbroker({pid}) is running...\nSend shutdown request to mqbroker({pid}) OK\n", ""), shut_down(home, ["broker"]), "mqshutdown broker")
    equal(0, broker.process.wait(1), "the broker's exit code")
    assert not (broker.state / "store/abort").exists(), "the store was not closed cleanly"
    equal((1, "No mqbroker running.\n", ""), shut_down(home, ["broker"]), "mqshutdown broker again")
    assert names.runs(), "mqshutdown broker ended the name server"

    equal(0, shut_down(home, ["namesrv"])[0], "mqshutdown namesrv")
    equal(0, names.process.wait(1), "the name server's exit code")


def inside(build):
    with tempfile.TemporaryDirectory(prefix="cometmq-install-") as folder:
        home = pathlib.Path(folder) / "opt"
        subprocess.run(["cmake", "--install", build, "--prefix", str(home)], check=True, stdout=subprocess.DEVNULL)
        names_unit, broker_unit = (Unit(home / f"conf/systemd/{name}.service") for name in ("mqnamesrv", "mqbroker"))
        names_unit.check(home)
        broker_unit.check(home)
        for config in (home / "conf/namesrv.conf", home / "conf/broker.conf"):
            on_free_ports(config)
        for tool in ("mqadmin", "mqstore"):
            helped = subprocess.run([home / "bin" / tool, "--help"], capture_output=True, text=True, check=False)
            equal(0, helped.returncode, f"{tool} --help")
        started = []
        try:
            started.append(names := Daemon(names_unit, pathlib.Path(folder) / "names", "boot success"))
            started.append(broker := Daemon(broker_unit, pathlib.Path(folder) / "broker", "boot success"))
            assert (broker.state / "store/abort").exists(), "the store is not in the unit's HOME"
            check_shutdown(home, names, broker)
        finally:
            for daemon in started:
                if daemon.runs():
                    daemon.process.kill()
                    daemon.process.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--build", required=True)
    options.add_argument("--inside", action="store_true", help="the namespaces are there")
    given = options.parse_args()
    if given.inside:
        inside(given.build)
        print("1 passed, 0 failed, 0 skipped")
        return 0
    if shutil.which("unshare") is None or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode != 0:
        print("this machine allows no process namespaces, and without them mqshutdown would end other daemons")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    return subprocess.run([*UNSHARE, sys.executable, __file__, "--build", given.build, "--inside"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
