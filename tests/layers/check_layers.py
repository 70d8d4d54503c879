#!/usr/bin/env python3
"""Holds every #include against the picture of rooms in docs/architecture.md: arrows only go down."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Room: what it may include besides itself.
MAY_INCLUDE = {
    "common": [],
    "remoting": ["common"],
    "store": ["common"],
    "replication": ["common", "remoting", "store"],
    "client": ["common", "remoting"],
    "namesrv": ["common", "remoting"],
    "broker": ["common", "remoting", "store", "replication", "client"],
    "tools": ["common", "remoting", "store", "client"],
    "bench": ["common", "remoting", "store", "client"],
}
# Room: what it must not know, and why.
MUST_NOT = {
    "store": [("nlohmann/", "the store knows no JSON"), ("uv.h", "the store knows no sockets"), ("sys/socket.h", "the store knows no sockets")],
    "remoting": [("common/files.h", "remoting opens no files"), ("fstream", "remoting opens no files")],
    "common": [("nlohmann/", "common stands on the standard library and small leaf libraries"), ("uv.h", "common knows no loops")],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)


def main():
    files = subprocess.run(["git", "ls-files", "*.h", "*.cc", "*.inc"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    problems, read = [], 0
    for name in files:
        room = name.split("/", 1)[0]
        if room not in MAY_INCLUDE:
            continue
        read += 1
        text = (ROOT / name).read_text()
        for included in INCLUDE.findall(text):
            target = included.split("/", 1)[0]
            if "/" in included and target in MAY_INCLUDE and target != room and target not in MAY_INCLUDE[room]:
                problems.append(f"{name}: {room} must not include {included}")
            for banned, why in MUST_NOT.get(room, []):
                if included.startswith(banned):
                    problems.append(f"{name}: includes {included}, but {why}")
        if name.endswith(".h") and not text.lstrip().startswith("#pragma once"):
            problems.append(f"{name}: a header starts with #pragma once")
    print("\n".join(problems))
    print(f"{read - len(set(p.split(':')[0] for p in problems))} passed, {len(problems)} failed, 0 skipped")
    return 1 if problems or not read else 0


if __name__ == "__main__":
    sys.exit(main())
