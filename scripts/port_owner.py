#!/usr/bin/env python3
"""Says which of the given TCP ports are taken, and by whom; exit code 1 if one is."""
import pathlib
import sys

LISTEN = "0A"


def listeners():
    """Port → socket inode of everything that listens."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == LISTEN:
                found[int(columns[1].rsplit(":", 1)[1], 16)] = columns[9]
    return found


def owner(inode):
    for fd in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if fd.readlink() == pathlib.Path(f"socket:[{inode}]"):
                pid = fd.parts[2]
                return f"process {pid} ({pathlib.Path(f'/proc/{pid}/comm').read_text().strip()})"
        except OSError:
            continue
    return "a process of another user"


taken = [(int(port), inode) for port in sys.argv[1:] if (inode := listeners().get(int(port)))]
for port, inode in taken:
    print(f"port {port} is taken by {owner(inode)}", file=sys.stderr)
sys.exit(1 if taken else 0)
