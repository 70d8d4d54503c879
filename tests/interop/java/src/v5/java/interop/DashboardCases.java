package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.RollbackStats;
import org.apache.rocketmq.remoting.protocol.admin.TopicOffset;
import org.apache.rocketmq.remoting.protocol.body.BrokerStatsData;
import org.apache.rocketmq.remoting.protocol.body.CMResult;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.body.ConsumeMessageDirectlyResult;
import org.apache.rocketmq.remoting.protocol.body.ConsumerConnection;
import org.apache.rocketmq.remoting.protocol.body.ConsumerRunningInfo;
import org.apache.rocketmq.remoting.protocol.body.ProducerConnection;
import org.apache.rocketmq.remoting.protocol.body.SubscriptionGroupWrapper;
import org.apache.rocketmq.remoting.protocol.body.TopicConfigSerializeWrapper;
import org.apache.rocketmq.remoting.protocol.body.TopicList;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.admin.api.MessageTrack;
import org.apache.rocketmq.tools.admin.api.TrackType;

/** What the official dashboard asks, page by page, on the channel that it uses: the broker's port minus 2. */
final class DashboardCases {
  private static DefaultMQAdminExt vip;

  private DashboardCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("cluster_page", DashboardCases::clusterPage);
    cases.put("broker_config_page", DashboardCases::brokerConfig);
    cases.put("topic_list_page", DashboardCases::topicList);
    cases.put("topic_page", DashboardCases::topicPage);
    cases.put("topic_create_and_delete", DashboardCases::createAndDelete);
    cases.put("consumer_page", DashboardCases::consumerPage);
    cases.put("consumer_group_config", DashboardCases::groupConfig);
    cases.put("consumer_running_info", DashboardCases::runningInfo);
    cases.put("consume_message_directly", DashboardCases::consumeDirectly);
    cases.put("reset_offset", DashboardCases::resetOffset);
    cases.put("producer_page", DashboardCases::producerPage);
    cases.put("message_by_topic_page", DashboardCases::messageByTopic);
    cases.put("message_by_key_page", DashboardCases::messageByKey);
    cases.put("message_by_id_page", DashboardCases::messageById);
    cases.put("fast_channel", DashboardCases::fastChannel);
    cases.put("statistics", DashboardCases::statistics);
  }

  private static synchronized DefaultMQAdminExt admin(Lab lab) throws Exception {
    if (vip == null) {
      vip = new DefaultMQAdminExt("dashboard_admin", 5000);
      vip.setNamesrvAddr(lab.namesrv());
      vip.setInstanceName("dashboard_admin");
      vip.setVipChannelEnabled(true);
      vip.start();
    }
    return vip;
  }

  private static DefaultMQPushConsumer online(Lab lab, String group, String topic, Set<String> seen) throws Exception {
    DefaultMQPushConsumer consumer = lab.push(group, "a", topic, "*", m -> seen.add(Lab.text(m)));
    until("the group to be online", () -> {
      try {
        return !admin(lab).examineConsumerConnectionInfo(group).getConnectionSet().isEmpty();
      } catch (Exception e) {
        return false;
      }
    });
    return consumer;
  }

  private static void clusterPage(Lab lab) throws Exception {
    ClusterInfo cluster = admin(lab).examineBrokerClusterInfo();
    equal("{DefaultCluster=[broker-a]}", cluster.getClusterAddrTable(), "clusters");
    for (var broker : cluster.getBrokerAddrTable().values()) {
      for (String address : broker.getBrokerAddrs().values()) {
        Map<String, String> table = admin(lab).fetchBrokerRuntimeStats(address).getTable();
        for (String key : List.of("brokerVersionDesc", "putTps", "getTransferredTps", "getTotalTps", "msgPutTotalYesterdayMorning", "msgPutTotalTodayMorning",
            "msgPutTotalTodayNow", "msgGetTotalYesterdayMorning", "msgGetTotalTodayMorning", "msgGetTotalTodayNow", "commitLogDiskRatio", "runtime", "bootTimestamp")) {
          check(table.containsKey(key), "the runtime table has no " + key + ": " + table.keySet());
        }
        for (String key : List.of("msgPutTotalTodayNow", "msgGetTotalTodayNow", "msgPutTotalYesterdayMorning")) Long.parseLong(table.get(key));
        for (String window : table.get("getTotalTps").trim().split(" +")) if (!window.isEmpty()) Double.parseDouble(window);
        check(table.get("brokerVersionDesc").startsWith("V5_3_"), table.get("brokerVersionDesc"));
      }
    }
  }

  private static void brokerConfig(Lab lab) throws Exception {
    Properties config = admin(lab).getBrokerConfig(lab.broker());
    equal("broker-a", config.getProperty("brokerName"), "brokerName");
    equal("ASYNC_MASTER", config.getProperty("brokerRole"), "brokerRole");
    equal(lab.broker().split(":")[1], config.getProperty("listenPort"), "listenPort");
    check(config.size() > 100, config.size() + " keys");
  }

  private static void topicList(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    check(admin(lab).fetchAllTopicList().getTopicList().contains(topic), "all topics");
    Set<String> system = admin(lab).getDefaultMQAdminExtImpl().getMqClientInstance().getMQClientAPIImpl().getSystemTopicList(5000).getTopicList();
    for (String name : List.of("TBW102", "SCHEDULE_TOPIC_XXXX", "broker-a", "DefaultCluster", "rmq_sys_wheel_timer")) check(system.contains(name), name + " is not among the system topics " + system);
    check(!system.contains(topic), "an ordinary topic is called a system topic");
    TopicConfigSerializeWrapper all = admin(lab).getAllTopicConfig(lab.broker(), 5000);
    TopicConfig config = all.getTopicConfigTable().get(topic);
    equal("2/2/6/false", config.getReadQueueNums() + "/" + config.getWriteQueueNums() + "/" + config.getPerm() + "/" + config.isOrder(), "the topic's configuration");
    check(all.getDataVersion().getCounter().get() > 0, "data version " + all.getDataVersion());
    TopicList ofCluster = admin(lab).fetchTopicsByCLuster("DefaultCluster");
    check(ofCluster.getTopicList().contains(topic), "topics of the cluster");
    check(admin(lab).getUserTopicConfig(lab.broker(), false, 5000).getTopicConfigTable().containsKey(topic), "user topics");
  }

  private static void topicPage(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    lab.send(topic, 10);
    long now = System.currentTimeMillis();
    until("the statistics of ten messages", () -> admin(lab).examineTopicStats(topic).getOffsetTable().values().stream().mapToLong(TopicOffset::getMaxOffset).sum() == 10);
    Map<MessageQueue, TopicOffset> table = new TreeMap<>(admin(lab).examineTopicStats(topic).getOffsetTable());
    equal(2, table.size(), "queues");
    for (TopicOffset offset : table.values()) {
      equal("0/5", offset.getMinOffset() + "/" + offset.getMaxOffset(), "offsets");
      check(Math.abs(now - offset.getLastUpdateTimestamp()) < 20_000, "last update " + offset.getLastUpdateTimestamp());
    }
    TopicRouteData route = admin(lab).examineTopicRouteInfo(topic);
    equal(lab.broker(), route.getBrokerDatas().get(0).getBrokerAddrs().get(0L), "address");
    TopicConfig config = admin(lab).examineTopicConfig(lab.broker(), topic);
    equal(topic + "/2/2/6", config.getTopicName() + "/" + config.getReadQueueNums() + "/" + config.getWriteQueueNums() + "/" + config.getPerm(), "configuration");
    Exception e = Lab.refused("the configuration of an absent topic", () -> admin(lab).examineTopicConfig(lab.broker(), topic + "_absent"));
    equal(17, Lab.code(e), "TOPIC_NOT_EXIST, in " + e);
  }

  private static void createAndDelete(Lab lab) throws Exception {
    String topic = lab.unique("");
    TopicConfig config = new TopicConfig(topic, 3, 3, 6);
    config.setAttributes(new HashMap<>(Map.of("+message.type", "FIFO")));
    admin(lab).createAndUpdateTopicConfig(lab.broker(), config);
    until("the route", () -> lab.routeQueues(topic) == 3);
    equal("{message.type=FIFO}", admin(lab).examineTopicConfig(lab.broker(), topic).getAttributes(), "attributes");
    config.setAttributes(new HashMap<>(Map.of("+message.type", "NORMAL")));
    config.setWriteQueueNums(5);
    config.setReadQueueNums(5);
    admin(lab).createAndUpdateTopicConfig(lab.broker(), config);
    until("the new route", () -> lab.routeQueues(topic) == 5);
    equal("{message.type=NORMAL}", admin(lab).examineTopicConfig(lab.broker(), topic).getAttributes(), "attributes after the update");
    config.setAttributes(new HashMap<>(Map.of("+no.such.key", "x")));
    Lab.refused("an unknown attribute", () -> {
      admin(lab).createAndUpdateTopicConfig(lab.broker(), config);
      return "";
    });
    admin(lab).deleteTopicInBroker(Set.of(lab.broker()), topic);
    admin(lab).deleteTopicInNameServer(Set.of(lab.namesrv()), topic);
    equal(-1, lab.routeQueues(topic), "route of the deleted topic");
  }

  private static void consumerPage(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    lab.send(topic, 20);
    DefaultMQPushConsumer consumer = online(lab, group, topic, seen);
    until("the messages", () -> seen.size() == 20);
    ConsumerConnection connection = admin(lab).examineConsumerConnectionInfo(group, lab.broker());
    equal(1, connection.getConnectionSet().size(), "connections");
    equal("CONSUME_PASSIVELY", connection.getConsumeType(), "consume type");
    consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
    until("the lag to be 0", () -> admin(lab).examineConsumeStats(group).computeTotalDiff() == 0);
    ConsumeStats stats = admin(lab).examineConsumeStats(group, topic);
    equal(2, stats.getOffsetTable().size(), "queues");
    stats.getOffsetTable().forEach((queue, offset) -> {
      equal("10/10", offset.getBrokerOffset() + "/" + offset.getConsumerOffset(), "offsets of " + queue);
      check(System.currentTimeMillis() - offset.getLastTimestamp() < 60_000, "time of the last consumed message " + offset.getLastTimestamp());
    });
    ConsumeStats byAddress = admin(lab).getDefaultMQAdminExtImpl().getMqClientInstance().getMQClientAPIImpl().getConsumeStats(lab.broker(), group, topic, 3000);
    equal(0, byAddress.computeTotalDiff(), "lag by address");
    until("the group among the topic's consumers", () -> admin(lab).queryTopicConsumeByWho(topic).getGroupList().contains(group));
    check(admin(lab).queryTopicsByConsumer(group).getTopicList().contains(topic), "topics of the group");
    equal("*", admin(lab).querySubscription(group, topic).getSubString(), "subscription");
    check(!admin(lab).queryConsumeTimeSpan(topic, group).isEmpty(), "consume time span");
  }

  private static void groupConfig(Lab lab) throws Exception {
    String group = lab.unique("group");
    SubscriptionGroupConfig config = new SubscriptionGroupConfig();
    config.setGroupName(group);
    config.setRetryMaxTimes(5);
    config.setConsumeMessageOrderly(true);
    config.setAttributes(Collections.emptyMap());
    admin(lab).createAndUpdateSubscriptionGroupConfig(lab.broker(), config);
    SubscriptionGroupConfig back = admin(lab).examineSubscriptionGroupConfig(lab.broker(), group);
    equal("5/true/true/1", back.getRetryMaxTimes() + "/" + back.isConsumeMessageOrderly() + "/" + back.isConsumeEnable() + "/" + back.getRetryQueueNums(), "configuration");
    SubscriptionGroupWrapper all = admin(lab).getAllSubscriptionGroup(lab.broker(), 5000);
    check(all.getSubscriptionGroupTable().containsKey(group), "all groups");
    check(all.getSubscriptionGroupTable().containsKey("TOOLS_CONSUMER"), "system groups");
    check(!admin(lab).getUserSubscriptionGroup(lab.broker(), 5000).getSubscriptionGroupTable().containsKey("TOOLS_CONSUMER"), "user groups hold a system group");
    config.setConsumeEnable(false);
    admin(lab).createAndUpdateSubscriptionGroupConfig(lab.broker(), config);
    equal(false, admin(lab).examineSubscriptionGroupConfig(lab.broker(), group).isConsumeEnable(), "consumeEnable");
    admin(lab).deleteSubscriptionGroup(lab.broker(), group, true);
    check(!admin(lab).getAllSubscriptionGroup(lab.broker(), 5000).getSubscriptionGroupTable().containsKey(group), "the deleted group is listed");
  }

  private static void runningInfo(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = online(lab, group, topic, seen);
    lab.send(topic, 10);
    until("the messages", () -> seen.size() == 10);
    ConsumerRunningInfo info = admin(lab).getConsumerRunningInfo(group, consumer.buildMQClientId(), false);
    equal(consumer.getConsumeFromWhere(), info.getProperties().getProperty("PROP_CONSUMEFROMWHERE", String.valueOf(consumer.getConsumeFromWhere())), "property");
    check(info.getSubscriptionSet().stream().anyMatch(s -> s.getTopic().equals(topic)), "subscriptions " + info.getSubscriptionSet());
    equal(2, info.getMqTable().keySet().stream().filter(q -> q.getTopic().equals(topic)).count(), "queues");
    check(info.getJstack() == null || info.getJstack().isEmpty(), "a stack was not asked for");
    check(!admin(lab).getConsumerRunningInfo(group, consumer.buildMQClientId(), true).getJstack().isEmpty(), "the stack that was asked for");
    Lab.refused("a client that is not there", () -> admin(lab).getConsumerRunningInfo(group, "192.0.2.1@nobody", false));
  }

  private static void consumeDirectly(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    List<String> seen = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.push(group, "a", topic, "*", m -> seen.add(Lab.text(m)));
    SendResult sent = lab.send(topic, 1).get(0);
    until("the message", () -> seen.size() == 1);
    until("the index", () -> {
      try {
        return admin(lab).viewMessage(topic, sent.getMsgId()) != null;
      } catch (Exception e) {
        return false;
      }
    });
    ConsumeMessageDirectlyResult result = admin(lab).consumeMessageDirectly(group, consumer.buildMQClientId(), topic, sent.getMsgId());
    equal(CMResult.CR_SUCCESS, result.getConsumeResult(), "result");
    equal("[m0, m0]", seen, "the client consumed it again");
  }

  private static void resetOffset(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    lab.send(topic, 10);
    DefaultMQPushConsumer consumer = online(lab, group, topic, seen);
    until("the messages", () -> seen.size() == 10);
    consumer.shutdown();
    until("the committed offset", () -> admin(lab).examineConsumeStats(group, topic).computeTotalDiff() == 0);
    Map<MessageQueue, Long> back = new HashMap<>();
    try {
      back.putAll(admin(lab).resetOffsetByTimestamp(topic, group, System.currentTimeMillis() - 3_600_000, true));
    } catch (Exception e) {
      // A broker that resets in the clients says that none is online; the dashboard then writes the offsets itself.
      equal(206, Lab.code(e), "CONSUMER_NOT_ONLINE, in " + e);
      for (RollbackStats one : admin(lab).resetOffsetByTimestampOld(group, topic, System.currentTimeMillis() - 3_600_000, true)) equal(0, one.getRollbackOffset(), "offset");
    }
    for (long offset : back.values()) equal(0, offset, "new offset");
    Set<String> again = new ConcurrentSkipListSet<>();
    lab.push(group, "b", topic, "*", m -> again.add(Lab.text(m)));
    until("the messages again", () -> again.size() == 10, () -> "seen " + again);
  }

  private static void producerPage(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    DefaultMQProducer producer = lab.newProducer(group);
    producer.send(new Message(topic, new byte[] {1}));
    until("the producer's connection", () -> {
      try {
        return !admin(lab).examineProducerConnectionInfo(group, topic).getConnectionSet().isEmpty();
      } catch (Exception e) {
        return false;
      }
    });
    ProducerConnection connection = admin(lab).examineProducerConnectionInfo(group, topic);
    equal("JAVA", connection.getConnectionSet().iterator().next().getLanguage(), "language");
    check(admin(lab).getAllProducerInfo(lab.broker()).getData().containsKey(group), "all producers");
  }

  private static void messageByTopic(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    lab.send(topic, 20);
    lab.readAll(topic, 20);
    MessageQueue queue = lab.queue(topic, 0);
    equal(0, admin(lab).searchLowerBoundaryOffset(queue, System.currentTimeMillis() - 600_000), "begin");
    // Behind the last message the lower boundary is the end, the upper one the last message itself.
    equal(10, admin(lab).searchLowerBoundaryOffset(queue, System.currentTimeMillis() + 1000), "lower boundary of the end");
    equal(9, admin(lab).searchUpperBoundaryOffset(queue, System.currentTimeMillis() + 1000), "end");
  }

  private static void messageByKey(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    for (int i = 0; i < 3; i++) lab.sendOk(new Message(topic, "T", "page", ("m" + i).getBytes(StandardCharsets.UTF_8)));
    until("the index", () -> {
      try {
        return admin(lab).queryMessage(topic, "page", 64, 0, System.currentTimeMillis() + 1000).getMessageList().size() == 3;
      } catch (Exception e) {
        return false;
      }
    });
  }

  private static void messageById(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    SendResult sent = lab.send(topic, 1).get(0);
    DefaultMQPushConsumer consumer = online(lab, group, topic, seen);
    until("the message", () -> seen.size() == 1);
    consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
    List<MessageExt> found = new ArrayList<>();
    until("the index", () -> {
      try {
        found.add(admin(lab).viewMessage(topic, sent.getMsgId()));
        return true;
      } catch (Exception e) {
        return false;
      }
    });
    equal("m0", Lab.text(found.get(0)), "body");
    until("the group to be tracked as having consumed it", () -> {
      for (MessageTrack track : admin(lab).messageTrackDetail(found.get(0))) {
        if (track.getConsumerGroup().equals(group) && track.getTrackType() == TrackType.CONSUMED) return true;
      }
      return false;
    }, () -> "tracks " + admin(lab).messageTrackDetail(found.get(0)));
  }

  private static void fastChannel(Lab lab) throws Exception {
    // Sends through the port minus 2, as clients with the VIP channel do.
    String topic = lab.topic("", 1);
    DefaultMQProducer producer = new DefaultMQProducer(lab.unique("producer"));
    producer.setNamesrvAddr(lab.namesrv());
    producer.setVipChannelEnabled(true);
    producer.setSendMsgTimeout(10_000);
    producer.start();
    lab.onClose(producer::shutdown);
    SendResult result = producer.send(new Message(topic, "m0".getBytes(StandardCharsets.UTF_8)));
    equal("[m0]", Lab.bodies(lab.readAll(topic, 1)), "bodies");
    MessageExt stored = lab.admin().viewMessage(topic, result.getOffsetMsgId());
    equal("/" + lab.broker(), stored.getStoreHost().toString(), "the store host is the ordinary port");
  }

  private static void statistics(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    lab.send(topic, 5);
    online(lab, group, topic, seen);
    until("the messages", () -> seen.size() == 5);
    for (String[] item : new String[][] {{"TOPIC_PUT_NUMS", topic}, {"GROUP_GET_NUMS", topic + "@" + group}}) {
      BrokerStatsData data = admin(lab).viewBrokerStatsData(lab.broker(), item[0], item[1]);
      check(data.getStatsMinute() != null && data.getStatsHour() != null && data.getStatsDay() != null, "windows of " + item[0]);
      check(data.getStatsMinute().getSum() >= 0 && data.getStatsMinute().getTps() >= 0, "figures of " + item[0]);
    }
    Exception e = Lab.refused("statistics that are not there", () -> admin(lab).viewBrokerStatsData(lab.broker(), "TOPIC_PUT_NUMS", topic + "_absent"));
    check(String.valueOf(e.getMessage()).contains("not exist"), "remark: " + e);
    equal(lab.broker(), admin(lab).fetchConsumeStatsInBroker(lab.broker(), false, 5000).getBrokerAddr(), "address in the broker's consume stats");
    equal(new TreeSet<>(Set.of("DefaultCluster")), new TreeSet<>(admin(lab).getTopicClusterList(topic)), "clusters of the topic");
  }
}
