#!/usr/bin/env python3
"""Cuts the recorded frames, stores and expressions of tests/golden into seeds, one folder a fuzz target: make_corpus.py GOLDEN_DIR OUT_DIR."""
import hashlib
import json
import pathlib
import sys
import tarfile

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


def records(log):
    """The records of a CommitLog file, one by one, up to its unwritten or blank end."""
    at = 0
    while at + 8 <= len(log):
        size, magic = int.from_bytes(log[at:at + 4], "big"), log[at + 4:at + 8].hex()
        if size == 0 or magic not in ("daa320a7", "daa320ab"):
            return
        yield log[at:at + size]
        at += size


def greetings():
    """First bytes of a connection: PROXY headers of both versions, HTTP, TLS."""
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    v4 = bytes([203, 0, 113, 9, 10, 0, 0, 1, 0x30, 0x39, 0x2A, 0x9F])
    yield b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 10911\r\n"
    yield b"PROXY TCP6 2001:db8::8 ::1 4000 2\r\n"
    yield b"PROXY UNKNOWN\r\n"
    yield signature + bytes([0x21, 0x11, 0, 12]) + v4
    yield signature + bytes([0x21, 0x11, 0, 16]) + v4 + b"more"
    yield signature + bytes([0x21, 0x21, 0, 36]) + bytes(range(32)) + bytes([0, 80, 0, 81])
    yield signature + bytes([0x20, 0, 0, 0])
    yield b"GET / HTTP/1.1\r\n\r\n"
    yield bytes([0x16, 3, 1, 0, 200])
    yield bytes([0, 0, 0, 100, 0, 0, 0, 90])


def filters(table):
    """Each expression of the SQL92 truth table, with one of its messages behind a zero byte."""
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    messages = [row["message"] for row in rows if "message" in row]
    expressions = [row["expression"] for row in rows if "expression" in row]
    for n, expression in enumerate(expressions):
        properties = "".join(f"{name}\x01{value}\x02" for name, value in messages[n % len(messages)].items())
        yield f"{expression}\0{properties}".encode()


def write(out, target, data):
    if len(data) <= SEED_BYTES:
        folder = pathlib.Path(out) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def main(golden, out):
    for file in sorted(pathlib.Path(golden).glob("frames-*.jsonl")):
        for line in file.read_text().splitlines():
            for target, data in seeds(json.loads(line)):
                write(out, target, data)
    with tarfile.open(pathlib.Path(golden) / "store" / "apache-5.3.3-clean.tar.gz") as store:
        for member in store.getmembers():
            if member.isfile() and "/commitlog/" in member.name:
                for record in records(store.extractfile(member).read()):
                    write(out, "record", record)
    for data in filters(pathlib.Path(golden) / "sql" / "pairs.jsonl"):
        write(out, "sql", data)
    for greeting in greetings():
        write(out, "greeting", greeting)


main(*sys.argv[1:])
