#!/usr/bin/env python3
"""Holds docs/COMPATIBILITY.md against what the daemons answer: every request code of RocketMQ has one row, and its yes or no is
what `--list-requests` of the broker and the name server say.

    check_compatibility.py BIN_FOLDER
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (\d+) \| (\w+) \| (yes|no) \| (yes|no) \| (.*) \|$", re.M)


def known_codes():
    text = (ROOT / "remoting/protocol/codes.inc").read_text()
    return {int(number): name for name, number in re.findall(r'^COMET_REQUEST_CODE\(\w+,\s*"(\w+)",\s*(\d+)\)', text, re.M)}


def answered(program):
    lines = subprocess.run([program, "--list-requests"], capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()
    return {int(line.split()[0]) for line in lines if line.strip()}


def main():
    folder = pathlib.Path(sys.argv[1])
    broker, name_server = answered(folder / "mqbroker"), answered(folder / "mqnamesrv")
    rows = {int(code): (name, b == "yes", n == "yes", note) for code, name, b, n, note in ROW.findall((ROOT / "docs/COMPATIBILITY.md").read_text())}
    problems = []
    for code, name in known_codes().items():
        if code not in rows:
            problems.append(f"{code} {name} has no row")
            continue
        said, by_broker, by_name_server, note = rows[code]
        if said != name:
            problems.append(f"{code} is called {said}, but its name is {name}")
        for who, says, does in (("broker", by_broker, code in broker), ("name server", by_name_server, code in name_server)):
            if says != does:
                problems.append(f"{code} {name}: the page says that the {who} {'answers' if says else 'does not answer'} it")
        if not by_broker and not by_name_server and not note.strip():
            problems.append(f"{code} {name} is answered by nobody, and the page doesn't say why")
    problems += [f"{code} is no request code of RocketMQ" for code in rows if code not in known_codes()]
    print("\n".join(problems))
    print(f"{len(rows) - len(problems)} passed, {len(problems)} failed, 0 skipped")
    return 1 if problems or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
