#!/usr/bin/env bash
# Two masters with a slave each on this machine, as conf/2m-2s-sync has them, and messages that flow while one master is killed and
# comes back. Everything it makes is in ./var/cluster; it stops what it started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh

BIN=$PWD/build/release/bin ROOT=$PWD/var/cluster NAMESRV=127.0.0.1:19876
declare -A PORT=([broker-a]=21911 [broker-a-s]=21921 [broker-b]=21931 [broker-b-s]=21941) PID=()

# start NAME PROGRAM ARGUMENTS…
start() {
  local name=$1
  shift
  ROCKETMQ_HOME=$ROOT/$name HOME=$ROOT/$name "$BIN/$@" >>"$ROOT/$name/out" 2>&1 </dev/null &
  PID[$name]=$!
}
start_broker() { start "$1" mqbroker -c "$ROOT/$1/broker.conf"; }
stop_all() {
  for pid in "${PID[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}

setup
say "building (Release)"
build release mqnamesrv mqbroker mqadmin mqbench
python3 scripts/port_owner.py 19876 $(for port in "${PORT[@]}"; do echo $((port - 2)) "$port" $((port + 1)); done) ||
  die "free the port, then run ./dev quickstart --cluster again"
rm -rf "$ROOT"
trap stop_all EXIT
mkdir -p "$ROOT/namesrv"
printf 'listenPort=19876\nkvConfigPath=%s\n' "$ROOT/namesrv/kvConfig.json" >"$ROOT/namesrv/namesrv.conf"
start namesrv mqnamesrv -c "$ROOT/namesrv/namesrv.conf"
for name in "${!PORT[@]}"; do
  mkdir -p "$ROOT/$name"
  # The sample as it is; what one machine needs stands behind it.
  { cat "conf/2m-2s-sync/$name.properties"
    printf '\nnamesrvAddr=%s\nbrokerIP1=127.0.0.1\nbrokerIP2=127.0.0.1\nlistenPort=%s\nstorePathRootDir=%s\nmappedFileSizeCommitLog=67108864\n' \
      "$NAMESRV" "${PORT[$name]}" "$ROOT/$name/store"; } >"$ROOT/$name/broker.conf"
  start_broker "$name"
done
say "a name server and four brokers are starting: two masters (inSyncReplicas=2), a slave each"
for _ in $(seq 300); do
  [ "$("$BIN/mqadmin" clusterList -n "$NAMESRV" 2>/dev/null | grep -c broker-)" = 4 ] && break
  sleep 0.05
done
slaves() { "$BIN/mqadmin" haStatus -n "$NAMESRV" -c DefaultCluster 2>/dev/null | awk '/^#InSyncSlaveNum/ { n += $2 } END { print n + 0 }'; }
for _ in $(seq 200); do
  [ "$(slaves)" = 2 ] && break
  sleep 0.05
done
"$BIN/mqadmin" clusterList -n "$NAMESRV"
"$BIN/mqadmin" updateTopic -n "$NAMESRV" -c DefaultCluster -t Quickstart -r 4 -w 4 >/dev/null
for _ in $(seq 100); do
  "$BIN/mqadmin" topicRoute -n "$NAMESRV" -t Quickstart 2>/dev/null | grep -q broker-b && break
  sleep 0.05
done

say "a producer sends and a consumer reads; every message is answered when two brokers have it"
"$BIN/mqbench" watch -n "$NAMESRV" -t Quickstart --seconds 15 &
watch=$!
sleep 4
say "kill -9 of the master of broker-a (process ${PID[broker-a]}): sends go to broker-b, reads to its slave"
kill -9 "${PID[broker-a]}"
wait "${PID[broker-a]}" 2>/dev/null || true
sleep 5
say "the master of broker-a starts again and goes on where it was"
start_broker broker-a
wait "$watch"

say "mqadmin haStatus"
"$BIN/mqadmin" haStatus -n "$NAMESRV" -c DefaultCluster
say "nothing that was acknowledged is missing; logs and data are in var/cluster"
