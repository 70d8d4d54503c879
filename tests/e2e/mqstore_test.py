#!/usr/bin/env python3
"""mqstore as people run it: exit codes, options, several log folders, JSON, and a progress bar for terminals only."""
import argparse
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tarfile
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden/store"
SIZES = ["--maxHashSlotNum=500", "--maxIndexNum=2000"]  # as the store was written with


def equal(expected, actual, what):
    assert expected == actual, f"{what}: expected {expected!r}, got {actual!r}"


def inside(part, text, what):
    assert part in text, f"{what}: no {part!r} in {text!r}"


class Tool:
    def __init__(self, program, store):
        self._program, self.store = program, store

    def run(self, command, *options):
        return self.run_words(command, str(self.store), *options)

    def run_words(self, *words):
        done = subprocess.run([self._program, *words], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def on_terminal(self, command, *options):
        """What standard error shows when it is a terminal."""
        ours, its = pty.openpty()
        with subprocess.Popen([self._program, command, str(self.store), *options], stdout=subprocess.DEVNULL, stderr=its) as process:
            os.close(its)
            shown = b""
            try:
                while part := os.read(ours, 4096):
                    shown += part
            except OSError:
                pass  # its end was closed
            process.wait(60)
        os.close(ours)
        return shown.decode()


def check_verify(tool):
    code, out, err = tool.run("verify", *SIZES)
    equal(0, code, "verify of a sound store")
    assert "\r" not in err and err.count("\n") <= 1, f"a bar where no terminal is: {err!r}"
    inside(": 0 faults\n", out, "its last line")
    inside("\rverified", tool.on_terminal("verify", *SIZES), "the bar on a terminal")
    code, _, err = tool.run("verify", "--maxHashSlotNum=999", "--maxIndexNum=2000")
    equal(1, code, "verify with wrong sizes of the index")


def check_faults(tool):
    queue = next((tool.store / "consumequeue/plain/0").iterdir())
    good = queue.read_bytes()
    queue.write_bytes(good[:27] + bytes([good[27] ^ 1]) + good[28:])
    code, out, _ = tool.run("verify", *SIZES)
    equal(1, code, "verify of a damaged queue")
    inside(f"{queue} byte 20", out, "its fault")
    code, out, _ = tool.run("rebuild", *SIZES)
    equal(0, code, "rebuild")
    inside("queues and the key index were made from the log 0 to ", out, "what it says")
    equal(0, tool.run("verify", *SIZES)[0], "verify after that")


def check_dump(tool):
    code, out, _ = tool.run("dump", "--topic=plain", "--queue=0", "--limit=3", "--json")
    equal(0, code, "dump")
    lines = [json.loads(line) for line in out.splitlines()]
    equal(3, len(lines), "its lines")
    equal({("plain", 0)}, {(line["topic"], line["queueId"]) for line in lines}, "what they show")
    later = tool.run("dump", f"--from={lines[1]['commitLogOffset']}", f"--to={lines[2]['commitLogOffset'] + 1}", "--topic=plain", "--queue=0", "--json")[1]
    equal([line["commitLogOffset"] for line in lines[1:]], [json.loads(line)["commitLogOffset"] for line in later.splitlines()], "a range")
    code, out, _ = tool.run("dump", "--limit=2")
    equal((0, 2), (code, len([line for line in out.splitlines() if line.startswith("MessageExt [")])), "two as text")


def check_several_paths(tool):
    whole = tool.run("verify", *SIZES)[1]
    here, there = tool.store / "commitlog", tool.store.parent / "other-disk"
    there.mkdir()
    last = sorted(here.iterdir())[-1]
    shutil.move(last, there / last.name)
    equal((0, whole), tool.run("verify", *SIZES, f"--storePathCommitLog={here},{there}")[:2], "verify over two folders")
    equal(1, tool.run("verify", *SIZES)[0], "verify of one of them")


def check_refusals(tool):
    for words in (["verify", "/nowhere"], ["verify"], [], ["mend", str(tool.store)], ["dump", str(tool.store), "--limit=many"]):
        code, _, err = tool.run_words(*words)
        equal(2, code, f"mqstore {' '.join(words)}")
        assert err, f"mqstore {' '.join(words)} says nothing"
    code, out, _ = tool.run_words("--help")
    equal(0, code, "mqstore --help")
    for command in ("verify", "dump", "rebuild"):
        inside(command, out, "its help")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bin", required=True, type=pathlib.Path)
    program = options.parse_args().bin / "mqstore"
    checks = [check_verify, check_faults, check_dump, check_several_paths, check_refusals]
    failed = 0
    for check in checks:
        with tempfile.TemporaryDirectory(prefix="cometmq-mqstore-") as folder:
            with tarfile.open(GOLDEN / "apache-5.3.3-clean.tar.gz") as archive:
                archive.extractall(folder)
            try:
                check(Tool(program, pathlib.Path(folder) / "store"))
            except AssertionError as wrong:
                failed += 1
                print(f"{check.__name__}: {wrong}")
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
