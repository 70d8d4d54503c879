#!/usr/bin/env python3
"""Cuts the recorded frames of tests/golden into seeds, one folder a fuzz target: make_corpus.py GOLDEN_DIR OUT_DIR."""
import hashlib
import json
import pathlib
import sys

SEED_BYTES = 4096  # larger ones slow the fuzzer down and say nothing new


def seeds(record):
    """Pairs of target and input that one recorded frame gives."""
    frame = bytes.fromhex(record["frameHex"])
    mark = int.from_bytes(frame[4:8], "big")
    binary, header_bytes = mark >> 24 == 1, mark & 0xFFFFFF
    header, body = frame[8:8 + header_bytes], frame[8 + header_bytes:]
    yield "frame", frame
    yield "binary_header" if binary else "json_header", header
    request, code = record["kind"] == "request", record["requestCode"]
    if request and code == 34 and body:
        yield "heartbeat", body
    if request and code == 320:
        yield "batch", body
    if request and code == 103:
        yield "registration", bytes([6]) + body
    if not binary and request:
        fields = json.loads(header).get("extFields") or {}
        for name in ("i", "properties"):
            if isinstance(fields.get(name), str):
                yield "properties", fields[name].encode()


def main(golden, out):
    for file in sorted(pathlib.Path(golden).glob("frames-*.jsonl")):
        for line in file.read_text().splitlines():
            for target, data in seeds(json.loads(line)):
                folder = pathlib.Path(out) / target
                folder.mkdir(parents=True, exist_ok=True)
                if len(data) <= SEED_BYTES:
                    (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


main(*sys.argv[1:])
