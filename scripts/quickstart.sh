#!/usr/bin/env bash
# A running broker on this machine and 10,000 messages through it; everything it makes is in ./var.
# NAMESRV_PORT and BROKER_PORT choose other ports; COMETMQ_BIN a folder of built programs, which are used as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh

NAMESRV_PORT=${NAMESRV_PORT:-9876} BROKER_PORT=${BROKER_PORT:-10911}
BIN=${COMETMQ_BIN:-build/release/bin}
running() { [ -f "var/$1.pid" ] && [ "$(cat "/proc/$(cat "var/$1.pid")/comm" 2>/dev/null)" = "$1" ]; }

stop_daemon() {
  running "$1" || { echo "$1 is not running"; return 0; }
  local pid
  pid=$(cat "var/$1.pid")
  kill "$pid"
  for _ in $(seq 100); do
    [ -d "/proc/$pid" ] || break
    sleep 0.05
  done
  [ ! -d "/proc/$pid" ] || die "$1 (process $pid) did not stop within 5 s; see var/logs"
  rm -f "var/$1.pid"
  echo "$1 stopped"
}

# start_daemon NAME ARGUMENTS…
start_daemon() {
  local name=$1
  shift
  if running "$name"; then
    echo "$name is running already (process $(cat "var/$name.pid"))"
    return 0
  fi
  mkdir -p var/logs
  ROCKETMQ_HOME=$PWD/var HOME=$PWD/var setsid "$BIN/$name" "$@" >"var/logs/$name.out" 2>&1 </dev/null &
  echo $! >"var/$name.pid"
}

wait_until_routable() {
  for _ in $(seq 200); do
    running mqbroker || { cat var/logs/mqbroker.out >&2; die "mqbroker stopped at start; the reason is above"; }
    "$BIN/mqadmin" clusterList -n "127.0.0.1:$NAMESRV_PORT" 2>/dev/null | grep -q broker-a && return 0
    sleep 0.05
  done
  cat var/logs/*.out >&2
  die "the broker was not routable within 10 s"
}

if [ "${1:-}" = --stop ]; then
  stop_daemon mqbroker
  stop_daemon mqnamesrv
  exit 0
fi
[ "${1:-}" != --cluster ] || exec scripts/quickstart_cluster.sh
[ $# -eq 0 ] || die "quickstart takes --cluster or nothing; ./dev stop stops what it started"

if [ -z "${COMETMQ_BIN:-}" ]; then
  setup
  say "building (Release)"
  build release mqnamesrv mqbroker mqadmin mqbench
fi

# Before anything is started, so that nothing is left behind if a port is taken.
ports=()
running mqnamesrv || ports+=("$NAMESRV_PORT")
running mqbroker || ports+=($((BROKER_PORT - 2)) "$BROKER_PORT" $((BROKER_PORT + 1)))
python3 scripts/port_owner.py "${ports[@]}" || die "free the port, or choose others with NAMESRV_PORT and BROKER_PORT, then run ./dev quickstart again"

mkdir -p var
cat >var/namesrv.conf <<CONF
listenPort=$NAMESRV_PORT
kvConfigPath=$PWD/var/namesrv/kvConfig.json
CONF
cat >var/broker.conf <<CONF
brokerClusterName=DefaultCluster
brokerName=broker-a
brokerId=0
namesrvAddr=127.0.0.1:$NAMESRV_PORT
brokerIP1=127.0.0.1
listenPort=$BROKER_PORT
storePathRootDir=$PWD/var/store
brokerRole=ASYNC_MASTER
flushDiskType=ASYNC_FLUSH
CONF
say "starting a name server on port $NAMESRV_PORT and a broker on port $BROKER_PORT"
start_daemon mqnamesrv -c var/namesrv.conf
start_daemon mqbroker -c var/broker.conf
wait_until_routable

say "creating topic Quickstart, sending and consuming 10,000 messages"
"$BIN/mqadmin" updateTopic -n "127.0.0.1:$NAMESRV_PORT" -c DefaultCluster -t Quickstart -r 8 -w 8 >/dev/null
for _ in $(seq 100); do  # the broker tells the name server right after it answered
  "$BIN/mqadmin" topicRoute -n "127.0.0.1:$NAMESRV_PORT" -t Quickstart >/dev/null 2>&1 && break
  sleep 0.05
done
"$BIN/mqbench" roundtrip -n "127.0.0.1:$NAMESRV_PORT" -t Quickstart --count 10000

say "mqadmin clusterList"
"$BIN/mqadmin" clusterList -n "127.0.0.1:$NAMESRV_PORT"
cat <<TEXT

What next
  A client of yours   set its name server address to 127.0.0.1:$NAMESRV_PORT. For other machines put an address of this one into
                      brokerIP1 in var/broker.conf, then ./dev stop and ./dev quickstart.
  Look around         export NAMESRV_ADDR=127.0.0.1:$NAMESRV_PORT
                      $BIN/mqadmin topicStatus -t Quickstart
                      $BIN/mqadmin help
  Your own broker     $BIN/mqbroker -c YOUR_BROKER.properties   reads RocketMQ's file and store as they are
  Logs and data       var/logs, var/store
  Stop                ./dev stop
TEXT
