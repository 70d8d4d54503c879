"""Runs one client program against a cluster and turns its result lines into the report's.

A program gets --namesrv, --broker, --prefix and --cases and prints one JSON line per case to standard output:
{"case": …, "ok": …, "seconds": …, "reason": …}. A line {"ask": …} wants something done: the answer goes to its standard input.
"""
import json
import signal
import subprocess
import threading
import time

from . import replication_cases, wire


def run_program(report, suite, argv, cluster, cases, log, prefix, extra=(), env=None, seconds=200, all_or_fail=True):
    """Runs `argv`; each of `cases` gets exactly one result, also if the program dies or hangs.

    With all_or_fail=False those that a program killed by a signal did not report stay without one.
    """
    argv = [*argv, "--namesrv", cluster.namesrv, "--broker", cluster.broker, "--prefix", prefix, "--cases", ",".join(cases), *extra]
    with open(log, "ab") as errors:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env, cwd=log.parent, start_new_session=True)
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        for raw in process.stdout:
            line = raw.decode(errors="replace").strip()
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if not isinstance(message, dict):
                continue
            if "ask" in message:
                process.stdin.write((_answer(cluster, message["ask"]) + "\n").encode())
                process.stdin.flush()
            elif message.get("case") in cases:
                if message["ok"]:
                    report.ok(suite, message["case"], message["seconds"])
                else:
                    report.fail(suite, message["case"], message["reason"] or "no reason given")
            elif message.get("end"):
                break
    except OSError as broken:
        report.note(f"{suite}: {broken}")
    finally:
        timer.cancel()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close()
    if process.returncode < 0 and not all_or_fail:
        report.note(f"# {suite}: the client died of signal {-process.returncode}")
        return
    for case in cases:
        if not report.has(suite, case):
            tail = log.read_text(errors="replace")[-500:]
            report.fail(suite, case, f"no result; the program ended with {process.returncode}; it wrote: {tail}")


def _answer(cluster, ask):
    """Does what a program asks for.

    topic T N         creates topic T with N queues
    route T N         waits until the name server routes it so
    persisted G N     waits until the broker's file holds offsets of group G that sum up to N
    reset G T         resets the group's offsets of T to the beginning
    restart-clean, restart-kill: stops the broker so and starts it
    stop-master, start-master: kills it, starts it
    slave-caught-up   waits until the slave has the master's log
    slave-knows T     waits until it has the topic (Apache's copies topics once a minute)
    slave, other-master: tell their addresses
    stop-other, start-other: kills that one, starts it
    """
    words = ask.split()
    try:
        if words[0] in ("restart-clean", "restart-kill"):
            cluster.stop_broker("kill" if words[0] == "restart-kill" else "clean")
            cluster.start_broker()
            return "ok"
        if words[0] == "reset":
            answer, _ = wire.request(cluster.broker_port, 222, {"group": words[1], "topic": words[2], "timestamp": "1", "isForce": "true"}, language="JAVA")
            return "ok" if answer["code"] == 0 else f"refused: {answer}"
        if words[0] == "stop-master":
            cluster.stop_broker("kill")
            return "ok"
        if words[0] == "start-master":
            cluster.start_broker()
            return "ok"
        if words[0] == "slave-caught-up":
            replication_cases.caught_up(cluster)
            return "ok"
        if words[0] == "slave-knows":
            replication_cases.knows(cluster, words[1])
            return "ok"
        if words[0] == "slave":
            return f"ok 127.0.0.1:{cluster.slave_port}"
        if words[0] == "other-master":
            return f"ok 127.0.0.1:{cluster.other_port}"
        if words[0] == "stop-other":
            cluster.other.stop(signal.SIGKILL)
            return "ok"
        if words[0] == "start-other":
            cluster.other.start(cluster.other_port)
            return "ok"
        if words[0] == "topic":
            cluster.create_topic(words[1], int(words[2]))
            return "ok"
        if words[0] == "route":
            cluster.await_route(words[1], int(words[2]))
            return "ok"
        if words[0] == "persisted":
            end = time.monotonic() + 30
            while cluster.persisted_offset(words[1]) != int(words[2]):
                if time.monotonic() > end:
                    return f"timeout: consumerOffset.json holds {cluster.persisted_offset(words[1])} for {words[1]}"
                time.sleep(0.1)
            return "ok"
    except Exception as failure:  # pylint: disable=broad-except
        return f"failed: {failure}".replace("\n", " ")
    return f"unknown request {ask}"
