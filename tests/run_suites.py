#!/usr/bin/env python3
"""Runs the suites of a build, prints seconds per suite, and ends with `N passed, N failed, N skipped`.

A suite is a ctest test: a Catch2 program (its cases are counted) or a script (one case), then tests/interop/run.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONG_TIMES = {"property": 12, "e2e": 8}  # how much longer the long forms of these suites may take
TALLY = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
CATCH_ALL = re.compile(r"All tests passed \(.*?(\d+) test cases?\)")
CATCH_SOME = re.compile(r"^test cases:\s*(\d+)(?:.*?(\d+) passed)?(?:.*?(\d+) failed)?", re.M)


def listed(build, label):
    listing = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        labels = properties.get("LABELS", [])
        if label is None or label in labels:
            # A test whose program wasn't built has no command; it fails, by name.
            yield {"name": test["name"], "command": test.get("command", [sys.executable, "-c", "raise SystemExit('not built')"]),
                   "labels": labels, "timeout": properties.get("TIMEOUT", 300)}


def counts(output, returncode):
    """(passed, failed, skipped) of a finished suite; a suite that died counts as one failure."""
    if found := TALLY.findall(output):
        passed, failed, skipped = (int(x or 0) for x in found[-1])
    elif found := list(CATCH_SOME.finditer(output)):
        passed, failed, skipped = int(found[-1].group(2) or 0), int(found[-1].group(3) or 0), 0
    elif found := CATCH_ALL.findall(output):
        passed, failed, skipped = int(found[-1]), 0, 0
    else:
        passed, failed, skipped = (1, 0, 0) if returncode == 0 else (0, 1, 0)
    return passed, max(failed, 1) if returncode != 0 else failed, skipped


def run(suite):
    started = time.monotonic()
    try:
        done = subprocess.run(suite["command"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=suite["timeout"], cwd=ROOT, stdin=subprocess.DEVNULL)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"\nstopped after {suite['timeout']} s"
        code = 1
    return suite, counts(output, code), time.monotonic() - started, output


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--label", help="only suites with this label")
    parser.add_argument("--quick", action="store_true", help="leave out the suites of official clients")
    parser.add_argument("--long", action="store_true", help="the long forms of random and crash tests")
    options = parser.parse_args()
    if options.long:
        os.environ["COMETMQ_LONG"] = "1"
    suites = list(listed(options.build, options.label))
    if options.long:
        for suite in suites:
            suite["timeout"] *= LONG_TIMES.get(next(iter(suite["labels"]), ""), 1)
    alone = [s for s in suites if "e2e" in s["labels"]]  # real processes and time bounds: one at a time
    beside = [s for s in suites if s not in alone]
    if options.label is None and not options.quick:
        alone.append({"name": "interop", "timeout": 1500, "labels": ["interop"],
                      "command": [sys.executable, "tests/interop/run", "--build", str(options.build)]})
    total = [0, 0, 0]

    def report(result):
        suite, (passed, failed, skipped), seconds, output = result
        for i, n in enumerate((passed, failed, skipped)):
            total[i] += n
        if failed or suite["name"] == "interop":
            print(output, flush=True)
        word = "FAIL" if failed else "ok"
        print(f"{word:4} {suite['name']:28} {passed:5} passed {failed:3} failed {skipped:3} skipped {seconds:7.1f} s", flush=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, s) for s in beside]):
            report(done.result())
    for suite in alone:
        report(run(suite))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    sys.exit(1 if total[1] or not total[0] else 0)


if __name__ == "__main__":
    main()
