"""Runs Apache's own mqadmin commands (interop.AdminDriver) and the cases that judge what they print."""
import base64
import concurrent.futures
import os
import re
import subprocess
import threading
import time

from . import admin_cases
from .cluster import Ours


class CommandFailed(Exception):
    pass


class Admin:
    """One JVM with all commands; run() may be called from several threads."""

    own = False

    def __init__(self, class_path, cluster, version, log):
        self.cluster, self.version, self.log, self.class_path = cluster, version, log, class_path
        self.argv = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={log.parent}", f"-Djava.io.tmpdir={log.parent}"]
        self.env = {k: v for k, v in os.environ.items() if k not in ("NAMESRV_ADDR", "ROCKETMQ_HOME")}
        with open(log, "ab") as errors:
            self._process = subprocess.Popen([*self.argv, "-cp", class_path, "interop.AdminDriver", cluster.namesrv], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=errors, text=True, cwd=log.parent, env=self.env, start_new_session=True)
        self._lock, self._pending, self._count = threading.Lock(), {}, 0
        threading.Thread(target=self._read, daemon=True).start()

    def run(self, command, *words, seconds=60):
        """What the command prints; CommandFailed with its stack trace if it threw."""
        output, error = self.try_run(command, *words, seconds=seconds)
        if error:
            raise CommandFailed(f"{command} {' '.join(words)}: {' | '.join(l for l in error.splitlines() if not l.startswith(chr(9)))[:600]}")
        return output

    def try_run(self, command, *words, seconds=60):
        """(what it prints, its stack trace or "")."""
        output, error = self._ask(command, words, seconds)
        # Two commands that named their client after the same millisecond.
        collided = "has created already" in error or "has been created before" in error
        return self._ask(command, words, seconds) if collided else (output, error)

    def _ask(self, command, words, seconds):
        future = concurrent.futures.Future()
        with self._lock:
            self._count += 1
            self._pending[str(self._count)] = future
            line = "\t".join([str(self._count), command, *(base64.b64encode(str(w).encode()).decode() for w in words)])
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        return future.result(seconds)

    @staticmethod
    def refused(error, code):
        """Checks that the command failed with this response code."""
        assert f"CODE: {code} " in error, f"no code {code} in: {error[:600]}"

    def until(self, what, probe, seconds=25):
        """Calls probe() until it returns something true, and returns that."""
        end = time.monotonic() + seconds
        while True:
            try:
                value, state = probe(), ""
                if value:
                    return value
            except (CommandFailed, AssertionError) as failure:
                state = str(failure)
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what}: {state}")
            time.sleep(0.3)

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def _read(self):
        for line in self._process.stdout:
            number, _, rest = line.rstrip("\n").partition("\t")
            output, _, error = rest.partition("\t")
            future = self._pending.pop(number, None)
            if future:
                future.set_result(tuple(base64.b64decode(part).decode(errors="replace") for part in (output, error)))
        for future in self._pending.values():
            future.set_exception(CommandFailed("the driver ended"))


class OwnAdmin(Admin):
    """Our mqadmin, a process for each command; only the clients that cases look at come from the JVM."""

    own = True

    def __init__(self, class_path, cluster, version, log, binary):
        super().__init__(class_path, cluster, version, log)
        self._binary = binary

    def _ask(self, command, words, seconds):
        if command.startswith("@"):
            return super()._ask(command, words, seconds)
        argv = [str(self._binary), command, *map(str, words)]
        if "-n" not in words:
            argv += ["-n", self.cluster.namesrv]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds, check=False, cwd=self.log.parent, env=self.env)
        return done.stdout, "" if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    @staticmethod
    def refused(error, code):
        """Ours says what is wrong in a sentence of its own, on standard error, and exits with 1."""
        assert re.match(r"exit 1: .{15,}", error, re.S), f"no sentence for code {code} in: {error!r}"


def run_admin(lab, name, cases, version, own=False):
    """Prepares the topic and clients that most cases look at, then runs the cases; those that disturb others come last, alone."""
    class_path = lab.tools.java_classes(version)
    cluster = lab.cluster(name)
    log = lab.log(name)
    admin = OwnAdmin(class_path, cluster, version, log, Ours(lab.options.build).binary("mqadmin")) if own else Admin(class_path, cluster, version, log)
    try:
        admin_cases.prepare(admin)

        def one(case):
            lab.report.run(name, case, lambda: admin_cases.CASES[case](admin))

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(one, sorted((c for c in cases if c not in admin_cases.ALONE), key=lambda c: c not in admin_cases.SLOW)))
        for case in (c for c in cases if c in admin_cases.ALONE):
            one(case)
    finally:
        admin.close()
        cluster.stop()
