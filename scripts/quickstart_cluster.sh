#!/usr/bin/env bash
# Two masters with a slave each on this machine, as conf/2m-2s-sync has them, and messages that flow while one master is killed and
# comes back. Everything it makes is in ./var/cluster; it stops what it started. Exit code 1 if an acknowledged message is missing.
# NAMESRV_PORT and BROKER_PORT choose other ports, of which it takes 33 from BROKER_PORT - 2 on; WATCH_SECONDS how long messages flow;
# COMETMQ_BIN a folder of built programs, which are used as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh

BIN=${COMETMQ_BIN:-$PWD/build/release/bin} ROOT=$PWD/var/cluster NAMESRV_PORT=${NAMESRV_PORT:-19876} FIRST=${BROKER_PORT:-21911}
NAMESRV=127.0.0.1:$NAMESRV_PORT WATCH_SECONDS=${WATCH_SECONDS:-15}
declare -A PORT=([broker-a]=$FIRST [broker-a-s]=$((FIRST + 10)) [broker-b]=$((FIRST + 20)) [broker-b-s]=$((FIRST + 30))) PID=()

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
# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
  local tries=$(($1 * 10)) what=$2
  shift 2
  until "$@"; do
    [ $((tries--)) -gt 0 ] || { tail -n 5 "$ROOT"/*/out >&2; die "$what did not come; see var/cluster"; }
    sleep 0.1
  done
}
brokers_are() { [ "$("$BIN/mqadmin" clusterList -n "$NAMESRV" 2>/dev/null | grep -c broker-)" = "$1" ]; }
ha_status() { "$BIN/mqadmin" haStatus -n "$NAMESRV" -c DefaultCluster; }
slaves_are() { [ "$(ha_status 2>/dev/null | awk '/^#InSyncSlaveNum/ { n += $2 } END { print n + 0 }')" = "$1" ]; }
routed_to_both() { [ "$("$BIN/mqadmin" topicRoute -n "$NAMESRV" -t Quickstart 2>/dev/null | grep -o 'broker-[ab]' | sort -u | wc -l)" = 2 ]; }

if [ -z "${COMETMQ_BIN:-}" ]; then
  setup
  say "building (Release)"
  build release mqnamesrv mqbroker mqadmin mqbench
fi
python3 scripts/port_owner.py "$NAMESRV_PORT" $(for port in "${PORT[@]}"; do echo $((port - 2)) "$port" $((port + 1)); done) ||
  die "free the port, or choose others with NAMESRV_PORT and BROKER_PORT, then run ./dev quickstart --cluster again"
rm -rf "$ROOT"
trap stop_all EXIT
mkdir -p "$ROOT/namesrv"
printf 'listenPort=%s\nkvConfigPath=%s\n' "$NAMESRV_PORT" "$ROOT/namesrv/kvConfig.json" >"$ROOT/namesrv/namesrv.conf"
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
wait_for 30 "all four brokers" brokers_are 4
wait_for 30 "a slave at each master" slaves_are 2
"$BIN/mqadmin" clusterList -n "$NAMESRV"
"$BIN/mqadmin" updateTopic -n "$NAMESRV" -c DefaultCluster -t Quickstart -r 4 -w 4 >/dev/null
wait_for 10 "the route of topic Quickstart to both masters" routed_to_both

say "a producer sends and a consumer reads; every message is answered when two brokers have it"
{ "$BIN/mqbench" watch -n "$NAMESRV" -t Quickstart --seconds "$WATCH_SECONDS" || echo "watch ended with $?"; } > >(tee "$ROOT/watch.out") 2>&1 &
watch=$!
sleep $((WATCH_SECONDS * 4 / 15))
say "kill -9 of the master of broker-a (process ${PID[broker-a]}): sends go to broker-b, reads to its slave"
kill -9 "${PID[broker-a]}"
wait "${PID[broker-a]}" 2>/dev/null || true
sleep $((WATCH_SECONDS / 3))
say "the master of broker-a starts again and goes on where it was"
start_broker broker-a
wait "$watch" || true
wait_for 30 "a slave at each master again" slaves_are 2

say "mqadmin haStatus"
ha_status
# The verdict is what the watcher counted, not that it came to its end.
counts=$(sed -n 's/^acknowledged \([0-9]*\), of which not consumed \([0-9]*\);.*/\1 \2/p' "$ROOT/watch.out" | tail -n 1)
read -r acknowledged missing <<<"${counts:-0 0}"
[ "$acknowledged" -gt 0 ] || die "nothing was acknowledged: no verdict; see var/cluster"
[ "$missing" = 0 ] || die "$missing of $acknowledged acknowledged messages are missing; logs and data are in var/cluster"
! grep -q '^watch ended with' "$ROOT/watch.out" || die "the watcher failed, see above; logs and data are in var/cluster"
say "all $acknowledged acknowledged messages were consumed; logs and data are in var/cluster"
