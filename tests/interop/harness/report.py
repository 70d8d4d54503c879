"""Collects what each case came to and prints one line for it at once."""
import sys
import threading
import time


class Report:
    """Thread-safe. A case is (suite, name); the first result wins, so a suite may report twice without harm."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen = {}
        self.passed = self.failed = self.skipped = 0

    def ok(self, suite, name, seconds):
        self._put(suite, name, "passed", f"ok {suite} {name} {seconds:.2f}s")

    def run(self, suite, name, case):
        """Runs a case and says what it came to; whatever it raises fails it."""
        begin = time.monotonic()
        try:
            case()
            self.ok(suite, name, time.monotonic() - begin)
        except Exception as failure:  # pylint: disable=broad-except
            self.fail(suite, name, f"{type(failure).__name__} {failure}")

    def fail(self, suite, name, reason):
        self._put(suite, name, "failed", f"FAIL {suite} {name} : {' '.join(str(reason).split())[:1200]}")

    def skip(self, suite, name, reason):
        self._put(suite, name, "skipped", f"skip {suite} {name} : {reason}")

    def has(self, suite, name):
        with self._lock:
            return (suite, name) in self._seen

    def note(self, text):
        with self._lock:
            print(text, flush=True)

    def _put(self, suite, name, kind, line):
        with self._lock:
            if (suite, name) in self._seen:
                return
            self._seen[(suite, name)] = kind
            setattr(self, kind, getattr(self, kind) + 1)
            print(line, flush=True)

    def finish(self):
        """Prints the closing line; the exit code is 1 if anything failed."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.stdout.flush()
        return 1 if self.failed else 0
