"""What Apache's mqadmin must print against a broker: the columns and the values in them, not only that it ends well."""
import json
import re
import subprocess
import time

CASES = {}
ALONE = []
# Started first, because they wait for a held pull or for a consumer's next commit.
SLOW = ("reset_offset_by_time", "message_track", "broker_consume_stats", "consumer_progress", "stats_all")
BASE, GROUP, PRODUCERS = "adm_base", "adm_group", "adm_producers"


def case(function):
    CASES[function.__name__] = function
    return function


def alone(function):
    """A case that changes what all others see."""
    ALONE.append(function.__name__)
    return case(function)


def has(text, *parts):
    for part in parts:
        assert part in text, f"no '{part}' in: {text[-900:]}"


def lacks(text, *parts):
    for part in parts:
        assert part not in text, f"'{part}' in: {text[-900:]}"


def equal(expected, actual, what):
    assert expected == actual, f"{what}: expected {expected!r}, got {actual!r}"


def rows(text, first_column):
    """The lines whose first word is `first_column`, split into words."""
    return [line.split() for line in text.splitlines() if line.split() and line.split()[0] == first_column]


def send(admin, topic, body, *more):
    """Sends with mqadmin and returns (queue id, unique id)."""
    row = rows(admin.run("sendMessage", "-t", topic, "-p", body, *more), "broker-a")[0]
    equal("SEND_OK", row[2], "result")
    return int(row[1]), row[3]


def prepare(admin):
    """A topic with messages, a consumer group that reads it, a producer group."""
    b = admin.cluster.broker
    admin.run("updateTopic", "-b", b, "-t", BASE, "-r", "4", "-w", "4")
    admin.cluster.await_route(BASE, 4)
    admin.sent = [send(admin, BASE, f"body {i}", "-k", f"key{i}", "-c", "TagA" if i % 2 == 0 else "TagC", "-b", "broker-a", "-i", str(i % 4)) for i in range(4)]
    admin.run("@producer", PRODUCERS, BASE)
    admin.run("@consumer", GROUP, BASE)


@case
def update_topic(admin):
    b = admin.cluster.broker
    text = admin.run("updateTopic", "-b", b, "-t", "adm_update", "-r", "3", "-w", "5", "-p", "6")
    has(text, f"create topic to {b} success.", "topicName=adm_update", "readQueueNums=3", "writeQueueNums=5", "perm=RW-")
    admin.cluster.await_route("adm_update", 5)
    text = admin.run("updateTopic", "-c", "DefaultCluster", "-t", "adm_update", "-p", "4")
    has(text, f"create topic to {b} success.", "readQueueNums=8", "writeQueueNums=8", "perm=R--")
    admin.cluster.await_route("adm_update", 8)
    has(admin.run("topicRoute", "-t", "adm_update"), '"perm":4')
    _, error = admin.try_run("updateTopic", "-b", b, "-t", "TBW102")
    has(error, "conflict with system topic")


@case
def order_topic(admin):
    text = admin.run("updateTopic", "-c", "DefaultCluster", "-t", "adm_order", "-r", "4", "-w", "4", "-o", "true")
    has(text, "set cluster orderConf. isOrder=true, orderConf=[broker-a:4]", "order=true")
    has(admin.run("updateOrderConf", "-t", "adm_order", "-m", "get"), "get orderConf success. topic=[adm_order], orderConf=[broker-a:4]")
    has(admin.run("updateOrderConf", "-t", "adm_order", "-m", "put", "-v", "broker-a:2"), "update orderConf success. topic=[adm_order], orderConf=[broker-a:2]")
    has(admin.run("updateOrderConf", "-t", "adm_order", "-m", "delete"), "delete orderConf success. topic=[adm_order]")


@case
def delete_topic(admin):
    admin.run("updateTopic", "-b", admin.cluster.broker, "-t", "adm_delete", "-r", "2", "-w", "2")
    admin.cluster.await_route("adm_delete", 2)
    send(admin, "adm_delete", "gone")
    text = admin.run("deleteTopic", "-t", "adm_delete", "-c", "DefaultCluster")
    has(text, "delete topic [adm_delete] from cluster [DefaultCluster] success.", "delete topic [adm_delete] from NameServer success.")
    equal(False, "adm_delete" in admin.run("topicList").split(), "the topic is still listed")
    _, error = admin.try_run("topicStatus", "-t", "adm_delete")
    admin.refused(error, 17)
    # Made anew it is empty.
    admin.run("updateTopic", "-b", admin.cluster.broker, "-t", "adm_delete", "-r", "2", "-w", "2")
    admin.cluster.await_route("adm_delete", 2)
    equal([["broker-a", "0", "0", "0"], ["broker-a", "1", "0", "0"]], [r[:4] for r in rows(admin.run("topicStatus", "-t", "adm_delete"), "broker-a")], "status of the topic made anew")


@case
def update_topic_perm(admin):
    b = admin.cluster.broker
    admin.run("updateTopic", "-b", b, "-t", "adm_perm", "-r", "2", "-w", "2")
    admin.cluster.await_route("adm_perm", 2)
    has(admin.run("updateTopicPerm", "-b", b, "-t", "adm_perm", "-p", "4"), f"update topic perm from 6 to 4 in {b} success.")
    admin.until("the new permission in the route", lambda: '"perm":4' in admin.run("topicRoute", "-t", "adm_perm"))


@case
def topic_list(admin):
    topics = admin.run("topicList").split()
    for topic in (BASE, "TBW102", "SELF_TEST_TOPIC", "BenchmarkTest", "OFFSET_MOVED_EVENT", "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC",
                  "RMQ_SYS_TRANS_OP_HALF_TOPIC", "rmq_sys_wheel_timer", "DefaultCluster", "broker-a", "DefaultCluster_REPLY_TOPIC"):
        assert topic in topics, f"{topic} is not in {topics}"

    def with_clusters():
        found = [r for r in rows(admin.run("topicList", "-c"), "DefaultCluster") if r[1] == BASE]
        return any(GROUP in r for r in found)

    admin.until("the topic with its cluster and group", with_clusters)


@case
def topic_route(admin):
    text = admin.run("topicRoute", "-t", BASE)
    has(text, '"brokerName":"broker-a"', '"cluster":"DefaultCluster"', admin.cluster.broker, '"readQueueNums":4', '"writeQueueNums":4', '"perm":6')
    if admin.version.startswith("5"):
        equal(["broker-a", "4", "4", "6"], [w for w in rows(admin.run("topicRoute", "-t", BASE, "-l"), "DefaultCluster")[0][1:] if "=" not in w], "the table's row")
    _, error = admin.try_run("topicRoute", "-t", "adm_absent")
    admin.refused(error, 17)
    has(error, "adm_absent")


@case
def topic_status(admin):
    table = rows(admin.run("topicStatus", "-t", BASE), "broker-a")
    equal(["0", "1", "2", "3"], [r[1] for r in table], "queues")
    equal(["0"] * 4, [r[2] for r in table], "min offsets")
    equal(5, sum(int(r[3]) for r in table), "sum of max offsets: 4 of mqadmin and 1 of the producer")
    for row in table:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row[4]), f"last updated: {row}"


@case
def topic_cluster_list(admin):
    equal(["DefaultCluster"], admin.run("topicClusterList", "-t", BASE).split(), "clusters")


@case
def cluster_list(admin):
    text = admin.run("clusterList")
    has(text, "#Cluster Name", "#Broker Name", "#BID", "#Addr", "#Version", "#InTPS(LOAD)", "#OutTPS(LOAD)", "#PCWait(ms)", "#Hour", "#SPACE")
    row = rows(text, "DefaultCluster")[0]
    equal(["broker-a", "0", admin.cluster.broker], row[1:4], "name, id, address")
    assert re.fullmatch(r"V5_3_\d+", row[4]), f"version {row[4]}"
    assert re.fullmatch(r"[\d.]+\(\d+,\d+ms\)", row[5]), f"in {row[5]}"
    assert re.match(r"[\d.]+\(\d+,\d+ms", row[6]), f"out {row[6]}"
    if admin.version.startswith("5"):
        has(text, "#Timer(Progress)", "#ACTIVATED")
        equal("true", row[-1], "activated")
        assert 0 < float(row[-2]) < 1, f"disk ratio {row[-2]}"
    more = rows(admin.run("clusterList", "-m"), "DefaultCluster")[0]
    equal("broker-a", more[1], "broker name")
    assert len(more) == 6 and all(n.isdigit() for n in more[2:]) and int(more[4]) >= 5, f"totals {more}"


@case
def broker_status(admin):
    text = admin.run("brokerStatus", "-b", admin.cluster.broker)
    table = dict(re.split(r"\s*: ", line, maxsplit=1) for line in text.splitlines() if ": " in line)
    keys = """bootTimestamp brokerActive brokerVersion brokerVersionDesc commitLogDirCapacity commitLogDiskRatio commitLogMaxOffset commitLogMinOffset
        consumeQueueDiskRatio dispatchBehindBytes dispatchMaxBuffer earliestMessageTimeStamp getFoundTps getMessageEntireTimeMax getMissTps getTotalTps
        getTransferredTps msgGetTotalTodayMorning msgGetTotalTodayNow msgGetTotalYesterdayMorning msgPutTotalTodayMorning msgPutTotalTodayNow
        msgPutTotalYesterdayMorning pageCacheLockTimeMills pullThreadPoolQueueCapacity pullThreadPoolQueueHeadWaitTimeMills pullThreadPoolQueueSize
        putLatency99 putLatency999 putMessageAverageSize putMessageDistributeTime putMessageEntireTimeMax putMessageFailedTimes putMessageSizeTotal
        putMessageTimesTotal putTps queryThreadPoolQueueSize remainHowManyDataToFlush remainTransientStoreBufferNumbs runtime sendThreadPoolQueueCapacity
        sendThreadPoolQueueHeadWaitTimeMills sendThreadPoolQueueSize startAcceptSendRequestTimeStamp timerCongestNum timerDequeueTps timerEnqueueTps
        timerOffsetBehind timerReadBehind EndTransactionQueueSize EndTransactionThreadPoolQueueCapacity ackThreadPoolQueueSize litePullThreadPoolQueueSize""".split()
    equal([], [k for k in keys if k not in table], "missing keys")
    assert int(table["commitLogMaxOffset"]) > 500 and table["commitLogMinOffset"] == "0", f"log {table['commitLogMinOffset']}..{table['commitLogMaxOffset']}"
    assert int(table["putMessageTimesTotal"]) >= 5, f"puts {table['putMessageTimesTotal']}"
    assert re.fullmatch(r"\[ 0 days, 0 hours, \d+ minutes, \d+ seconds \]", table["runtime"]), table["runtime"]
    assert re.fullmatch(r"[\d.E\- ]*", table["putTps"]), f"putTps '{table['putTps']}'"
    assert abs(int(table["bootTimestamp"]) / 1000 - time.time()) < 600, table["bootTimestamp"]
    equal([], [line for line in admin.run("brokerStatus", "-c", "DefaultCluster").splitlines() if line.strip() and not line.startswith(admin.cluster.broker)], "lines without address")


def _offset_id(admin, unique_id):
    text = admin.run("queryMsgByUniqueKey", "-t", BASE, "-i", unique_id)
    physical = int(re.search(r"CommitLog Offset:\s+(\d+)", text).group(1))
    ip, port = admin.cluster.broker.split(":")
    return "".join(f"{int(part):02X}" for part in ip.split(".")) + f"{int(port):08X}{physical:016X}"


def _message(admin, text, number):
    unique_id = admin.sent[number][1]
    for line in (f"Topic: +{BASE}", f"Tags: +\\[Tag{'A' if number % 2 == 0 else 'C'}\\]", f"Keys: +\\[key{number}\\]", f"Queue ID: +{admin.sent[number][0]}",
                 "Queue Offset: +0", r"CommitLog Offset: +\d+", "Reconsume Times: +0", r"Born Host: +127\.0\.0\.1:\d+", f"Store Host: +{admin.cluster.broker}", "System Flag: +0"):
        assert re.search(line, text), f"no '{line}' in: {text}"
    has(text, f"UNIQ_KEY={unique_id}", f"KEYS=key{number}", "CLUSTER=DefaultCluster", "MSG_REGION=DefaultRegion", "TRACE_ON=true")


@case
def query_msg_by_id(admin):
    unique_id = admin.sent[2][1]
    offset_id = admin.until("the index", lambda: _offset_id(admin, unique_id))
    topic = ["-t", BASE] if admin.version.startswith("5") else []
    text = admin.run("queryMsgById", *topic, "-i", offset_id)
    _message(admin, text, 2)
    has(text, offset_id)
    _, error = admin.try_run("queryMsgById", *topic, "-i", offset_id[:16] + "0000000FFFFFFFF0")
    assert error, "an id behind the log was found"


@case
def query_msg_by_key(admin):
    table = admin.until("the index", lambda: rows(admin.run("queryMsgByKey", "-t", BASE, "-k", "key3"), admin.sent[3][1]))
    equal([[admin.sent[3][1], "3", "0"]], table, "id, queue, offset")
    _, error = admin.try_run("queryMsgByKey", "-t", BASE, "-k", "nobody")
    admin.refused(error, 208)


@case
def query_msg_by_unique_key(admin):
    text = admin.until("the index", lambda: admin.run("queryMsgByUniqueKey", "-t", BASE, "-i", admin.sent[1][1]))
    _message(admin, text, 1)


@case
def message_track(admin):
    def consumed():
        text = admin.run("queryMsgByUniqueKey", "-t", BASE, "-i", admin.sent[0][1])
        return f"consumerGroup={GROUP}, trackType=CONSUMED," in text

    admin.until("the message to be tracked as consumed", consumed)


@case
def query_msg_by_offset(admin):
    _message(admin, admin.run("queryMsgByOffset", "-t", BASE, "-b", "broker-a", "-i", "3", "-o", "0"), 3)


@case
def send_message(admin):
    admin.run("updateTopic", "-b", admin.cluster.broker, "-t", "adm_send", "-r", "2", "-w", "2")
    admin.cluster.await_route("adm_send", 2)
    text = admin.run("sendMessage", "-t", "adm_send", "-p", "größe", "-k", "k1", "-c", "T1", "-b", "broker-a", "-i", "1")
    has(text, "#Broker Name", "#QID", "#Send Result", "#MsgId")
    equal(["broker-a", "1", "SEND_OK"], rows(text, "broker-a")[0][:3], "row")
    text = admin.until("the message", lambda: admin.run("queryMsgByOffset", "-t", "adm_send", "-b", "broker-a", "-i", "1", "-o", "0"))
    has(text, "Tags:                [T1]", "Keys:                [k1]")
    has(admin.run("printMsg", "-t", "adm_send"), "BODY: größe")


@case
def consume_message(admin):
    text = admin.run("consumeMessage", "-t", BASE)
    has(text, "Consume ok", "BODY: body 0", "BODY: body 3")
    text = admin.run("consumeMessage", "-t", BASE, "-b", "broker-a", "-i", "2", "-o", "0", "-c", "1")
    has(text, "BODY: body 2")
    lacks(text, "BODY: body 1")


@case
def print_msg(admin):
    text = admin.run("printMsg", "-t", BASE)
    for number in range(4):
        has(text, f"BODY: body {number}", f"MSGID: {admin.sent[number][1]}")
    has(text, "minOffset=0, maxOffset=")
    lacks(admin.run("printMsg", "-t", BASE, "-s", "TagA"), "BODY: body 1")


@case
def consumer_progress(admin):
    def done():
        text = admin.run("consumerProgress", "-g", GROUP)
        table = [r for r in rows(text, BASE) if r[1] == "broker-a"]
        return text if len(table) == 4 and all(r[3] == r[4] for r in table) else None

    text = admin.until("the group to catch up", done)
    has(text, "#Topic", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset", "#Diff", "#LastTime", "Consume TPS:")
    equal(5, sum(int(r[4]) for r in rows(text, BASE)), "sum of consumer offsets")
    assert re.search(r"Diff Total: 0", text), text[-300:]
    overview = rows(admin.run("consumerProgress"), GROUP)
    equal(["1", "PUSH", "CLUSTERING"], [overview[0][1], overview[0][3], overview[0][4]], "overview row")
    _, error = admin.try_run("consumerProgress", "-g", "adm_nobody")
    admin.refused(error, 17)


@case
def sub_group(admin):
    b = admin.cluster.broker
    text = admin.run("updateSubGroup", "-b", b, "-g", "adm_made", "-r", "7", "-q", "2", "-d", "true")
    has(text, f"create subscription group to {b} success.", "groupName=adm_made", "retryMaxTimes=7", "retryQueueNums=2", "consumeBroadcastEnable=true")
    text = admin.run("getConsumerConfig", "-g", "adm_made")
    has(text, "DefaultCluster:broker-a")
    for key, value in (("groupName", "adm_made"), ("retryMaxTimes", "7"), ("retryQueueNums", "2"), ("consumeBroadcastEnable", "true"), ("consumeEnable", "true"), ("brokerId", "0")):
        assert re.search(rf"^{key}\s+=\s+{value}$", text, re.M), f"{key}={value} is not in {text}"
    has(admin.run("deleteSubGroup", "-b", b, "-g", "adm_made"), f"delete subscription group [adm_made] from broker [{b}] success.")
    assert "groupName" not in admin.try_run("getConsumerConfig", "-g", "adm_made")[0], "the deleted group is still there"


@case
def broker_config(admin):
    b = admin.cluster.broker

    def config():
        text = admin.run("getBrokerConfig", "-b", b)
        return dict(re.split(r"\s*=  ", line, maxsplit=1) for line in text.splitlines() if re.search(r"\s=  ", line))

    before = config()
    for key, value in (("brokerName", "broker-a"), ("brokerClusterName", "DefaultCluster"), ("brokerId", "0"), ("listenPort", str(admin.cluster.broker_port)),
                       ("brokerRole", "ASYNC_MASTER"), ("flushDiskType", "ASYNC_FLUSH"), ("maxMessageSize", "4194304"), ("autoCreateTopicEnable", "true"),
                       ("fileReservedTime", "48"), ("deleteWhen", "04"), ("namesrvAddr", admin.cluster.namesrv), ("brokerPermission", "6")):
        equal(value, before.get(key), key)
    has(admin.run("updateBrokerConfig", "-b", b, "-k", "fileReservedTime", "-v", "36"), f"update broker config success, {b}")
    equal("36", config()["fileReservedTime"], "fileReservedTime afterwards")
    equal(True, "fileReservedTime=36" in (admin.cluster.home / "broker" / "broker.conf").read_text().replace(" ", ""), "the file holds the new value")
    _, error = admin.try_run("updateBrokerConfig", "-b", b, "-k", "brokerConfigPath", "-v", "/tmp/x")
    admin.refused(error, 16)
    has(admin.run("getBrokerConfig", "-c", "DefaultCluster"), f"============Master: {b}============")


@case
def namesrv_config(admin):
    text = admin.run("getNamesrvConfig", "-n", admin.cluster.namesrv)
    has(text, f"============{admin.cluster.namesrv}============")
    for key, value in (("listenPort", str(admin.cluster.namesrv_port)), ("orderMessageEnable", "true")):
        assert re.search(rf"^{key}\s+=\s+{value}\s*$", text, re.M), f"{key}={value} is not in {text[:600]}"
    for value in ("false", "true"):
        has(admin.run("updateNamesrvConfig", "-n", admin.cluster.namesrv, "-k", "orderMessageEnable", "-v", value), "update name server config success!")
        assert re.search(rf"^orderMessageEnable\s+=\s+{value}", admin.run("getNamesrvConfig", "-n", admin.cluster.namesrv), re.M), "the new value is not shown"


@case
def kv_config(admin):
    has(admin.run("updateKvConfig", "-s", "adm_space", "-k", "adm_key", "-v", "v1"), "create or update kv config to namespace success.")
    has(admin.run("deleteKvConfig", "-s", "adm_space", "-k", "adm_key"), "delete kv config from namespace success.")


@case
def allocate_mq(admin):
    text = admin.run("allocateMQ", "-t", BASE, "-i", "10.0.0.1,10.0.0.2")
    table = json.loads(text)["result"]
    equal(["10.0.0.1", "10.0.0.2"], sorted(table), "addresses")
    equal([2, 2], [len(table[ip]) for ip in sorted(table)], "queues each")
    equal([0, 1, 2, 3], sorted(q["queueId"] for queues in table.values() for q in queues), "queues")


@case
def stats_all(admin):
    def mine():
        found = [r for r in rows(admin.run("statsAll", "-t", BASE), BASE) if GROUP in r]
        return found[0] if found and found[0][2] == "0" else None

    row = admin.until("the topic's row without accumulation", mine)
    equal(7, len(row), f"columns of {row}")
    has(admin.run("statsAll", "-t", BASE), "#Topic", "#Consumer Group", "#Accumulation", "#InTPS", "#OutTPS", "#InMsg24Hour", "#OutMsg24Hour")


@case
def broker_consume_stats(admin):
    def table():
        text = admin.run("brokerConsumeStats", "-b", admin.cluster.broker)
        mine = [r for r in rows(text, BASE) if r[1] == GROUP]
        return (text, mine) if len(mine) == 4 and all(r[6] == "0" for r in mine) else None

    text, mine = admin.until("the group's four rows", table)
    has(text, "#Topic", "#Group", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset", "#Diff", "#LastTime", "Diff Total:")
    equal(["broker-a"] * 4, [r[2] for r in mine], "broker names")
    equal(5, sum(int(r[4]) for r in mine), "sum of broker offsets")


@case
def consumer_connection(admin):
    text = admin.until("the connection", lambda: admin.run("consumerConnection", "-g", GROUP))
    has(text, "#ClientId", "#ClientAddr", "#Language", "#Version", f"@{GROUP}", "JAVA", "ConsumeType: CONSUME_PASSIVELY", "MessageModel: CLUSTERING", "ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET")
    equal(["TagA", "||", "TagB"], [r for r in rows(text, BASE)][0][1:], "expression")
    equal("*", rows(text, f"%RETRY%{GROUP}")[0][1], "expression of the retry topic")
    _, error = admin.try_run("consumerConnection", "-g", "adm_nobody")
    assert error, "the connection of an absent group"


@case
def producer_connection(admin):
    text = admin.until("the connection", lambda: admin.run("producerConnection", "-g", PRODUCERS, "-t", BASE))
    assert re.search(r"0001 +\S+ +127\.0\.0\.1:\d+ +JAVA +V", text), text
    has(admin.run("producer", "-b", admin.cluster.broker), f"producer group ({PRODUCERS}) instance", "language=JAVA")


@case
def consumer_status(admin):
    text = admin.until("the running information", lambda: admin.run("consumerStatus", "-g", GROUP))
    has(text, "#Index", "#ClientId", "#Version", f"@{GROUP}")
    client = rows(admin.run("consumerConnection", "-g", GROUP), rows(text, "1")[0][1])[0][0]
    text = admin.run("consumerStatus", "-g", GROUP, "-i", client)
    has(text, "#Consumer Properties#", "#Consumer Subscription#", "#Consumer Offset#", f"Topic: {BASE}")


@case
def query_cq(admin):
    text = admin.run("queryCq", "-t", BASE, "-q", "2", "-i", "0", "-c", "1", "-b", admin.cluster.broker)
    has(text, "Queue data:", "idx: 0")
    assert re.search(r"max: [12], min: 0", text), text
    code = hash_code("TagA")
    assert re.search(rf"physicOffset=\d+, physicSize=\d+, tagsCode={code},", text), text
    has(admin.run("queryCq", "-t", BASE, "-q", "0", "-i", "0", "-c", "5", "-b", admin.cluster.broker, "-g", GROUP), '"subString":"TagA || TagB"')


def hash_code(text):
    value = 0
    for unit in text:
        value = (value * 31 + ord(unit)) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


@case
def reset_offset_by_time(admin):
    b, topic, group = admin.cluster.broker, "adm_reset", "adm_reset_group"
    admin.run("updateTopic", "-b", b, "-t", topic, "-r", "1", "-w", "1")
    admin.cluster.await_route(topic, 1)
    for i in range(3):
        send(admin, topic, f"r{i}", "-c", "TagA")
    admin.run("@consumer", group, topic)

    def offset():
        return [int(r[4]) for r in rows(admin.run("consumerProgress", "-g", group), topic)]

    admin.until("the group to catch up", lambda: offset() == [3])
    text = admin.run("resetOffsetByTime", "-g", group, "-t", topic, "-s", "0" if admin.version.startswith("4") else "1000")
    equal(["broker-a", "0", "0"], rows(text, "broker-a")[0], "broker, queue, new offset")
    # The online group reads the three messages again.
    got = lambda: int(re.search(r"msgGetTotalTodayNow\s*: (\d+)", admin.run("brokerStatus", "-b", b)).group(1))  # noqa: E731
    admin.until("the group to catch up again", lambda: offset() == [3])
    assert got() >= 6, f"messages delivered: {got()}"


@alone
def reset_in_clients(admin):
    """useServerSideResetOffset=false: the broker tells the online consumer, which moves itself and reads again."""
    b, topic, group = admin.cluster.broker, "adm_reset_in", "adm_reset_in_group"
    admin.run("updateTopic", "-b", b, "-t", topic, "-r", "1", "-w", "1")
    admin.cluster.await_route(topic, 1)
    for i in range(3):
        send(admin, topic, f"c{i}", "-c", "TagA")
    admin.run("@consumer", group, topic)
    offset = lambda: [int(r[4]) for r in rows(admin.run("consumerProgress", "-g", group), topic)]  # noqa: E731
    got = lambda: int(re.search(r"msgGetTotalTodayNow\s*: (\d+)", admin.run("brokerStatus", "-b", b)).group(1))  # noqa: E731
    admin.until("the group to catch up", lambda: offset() == [3])
    before = got()
    admin.run("updateBrokerConfig", "-b", b, "-k", "useServerSideResetOffset", "-v", "false")
    try:
        text = admin.run("resetOffsetByTime", "-g", group, "-t", topic, "-s", "0" if admin.version.startswith("4") else "1000", "-f", "true")
        equal(["broker-a", "0", "0"], rows(text, "broker-a")[0], "broker, queue, new offset")
        admin.until("the three messages to be read again", lambda: got() >= before + 3, seconds=40)
        admin.until("the group to catch up again", lambda: offset() == [3])
    finally:
        admin.run("updateBrokerConfig", "-b", b, "-k", "useServerSideResetOffset", "-v", "true")


@case
def skip_accumulated(admin):
    b, topic, group = admin.cluster.broker, "adm_skip", "adm_skip_group"
    admin.run("updateTopic", "-b", b, "-t", topic, "-r", "1", "-w", "1")
    admin.run("updateSubGroup", "-b", b, "-g", group)
    admin.cluster.await_route(topic, 1)
    for i in range(3):
        send(admin, topic, f"s{i}")
    text, error = admin.try_run("skipAccumulatedMessage", "-g", group, "-t", topic, "-f", "true")
    equal("", error[:300], "error")
    equal(["broker-a", "0", "3"], rows(text, "broker-a")[0][:3], "broker, queue, offset")


@case
def errors(admin):
    for command, words, code in (("topicStatus", ["-t", "adm_absent"], 17), ("producerConnection", ["-g", "adm_nobody", "-t", BASE], 1)):
        admin.refused(admin.try_run(command, *words)[1], code)
    assert admin.try_run("sendMessage", "-t", "%illegal name", "-p", "x")[1], "a send to an illegal topic name"
    text, error = admin.try_run("deleteTopic", "-t", "adm_absent", "-c", "NoSuchCluster")
    if admin.own:
        has(error, "NoSuchCluster")
    else:
        has(text, "[error] Make sure the specified clusterName exists")


@case
def own_process(admin):
    """mqadmin as its script starts it: a process of its own, exit status 0."""
    conf = admin.log.parent / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "logback_tools.xml").write_text("<configuration/>\n")
    done = subprocess.run([*admin.argv, "-cp", admin.class_path, "org.apache.rocketmq.tools.command.MQAdminStartup", "clusterList", "-n", admin.cluster.namesrv],
                          capture_output=True, text=True, timeout=60, check=False, cwd=admin.log.parent, env={**admin.env, "ROCKETMQ_HOME": str(admin.log.parent)})
    equal(0, done.returncode, "exit status")
    equal(["broker-a", "0", admin.cluster.broker], rows(done.stdout, "DefaultCluster")[0][1:4], "name, id, address")


@alone
def write_perm(admin):
    ns = admin.cluster.namesrv
    text = admin.run("wipeWritePerm", "-b", "broker-a")
    count = int(re.search(rf"wipe write perm of broker\[broker-a\] in name server\[{ns}\] OK, (\d+)", text).group(1))
    assert count >= 10, text
    has(admin.run("topicRoute", "-t", BASE), '"perm":4')
    text = admin.run("addWritePerm", "-b", "broker-a")
    equal(count, int(re.search(rf"add write perm of broker\[broker-a\] in name server\[{ns}\] OK, (\d+)", text).group(1)), "topics")
    has(admin.run("topicRoute", "-t", BASE), '"perm":6')
    send(admin, BASE, "after", "-c", "TagC")


@alone
def clean_ups(admin):
    b = admin.cluster.broker
    for command in ("cleanExpiredCQ", "cleanUnusedTopic", "deleteExpiredCommitLog"):
        equal("success", admin.run(command, "-b", b).strip(), command)
        equal("success", admin.run(command, "-c", "DefaultCluster").strip(), f"{command} -c")
    # Nothing that was in use is gone.
    equal(True, "BODY: body 0" in admin.run("printMsg", "-t", BASE), "the base topic's messages are there")


@alone
def ha_status(admin):
    """With a slave that comes and goes."""
    cluster = admin.cluster
    text = admin.run("haStatus", "-b", cluster.broker)
    has(text, f"#MasterAddr\t{cluster.broker}", "#SlaveNum\t0", "#InSyncSlaveNum\t0")
    cluster.start_slave()
    try:
        def slave_row():
            text = admin.run("haStatus", "-b", cluster.broker)
            end = rows(text, "#MasterCommitLogMaxOffset")[0][1]
            found = [line.split() for line in text.splitlines() if line.startswith(("127.0.0.1:", "/127.0.0.1:")) and line.split()[1] == end]
            return "#SlaveNum\t1" in text and "#InSyncSlaveNum\t1" in text and found and (end, found[0])

        end, row = admin.until("the slave to have everything", slave_row)
        equal([end, "0", "OK"], [row[1], row[2], row[4]], "what the slave has, lacks, and is called")
        of_slave = admin.run("haStatus", "-b", f"127.0.0.1:{cluster.slave_port}")
        has(of_slave, f"#MasterAddr\t127.0.0.1:{cluster.broker_port + 1}", f"#CommitLogMaxOffset\t{end}", "#TransferSpeed(KB/s)", "#LastReadTime", "#LastWriteTime")
        has(admin.run("haStatus", "-c", cluster.cluster_name), f"#MasterAddr\t{cluster.broker}")
    finally:
        cluster.stop_slave("kill")
    admin.until("the slave to be gone", lambda: "#SlaveNum\t0" in admin.run("haStatus", "-b", cluster.broker))
