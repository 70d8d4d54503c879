package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Offsets by time, messages by id and key, and who is connected. */
final class LookupCases {
  private LookupCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("offsets_and_times", LookupCases::offsets);
    cases.put("view_by_offset_id", LookupCases::viewById);
    cases.put("query_by_key", LookupCases::queryByKey);
    cases.put("query_by_unique_key", LookupCases::queryByUniqueKey);
    cases.put("connections", LookupCases::connections);
    cases.put("name_server_tables", LookupCases::nameServer);
  }

  private static void offsets(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue queue = lab.queue(topic, 1);
    MessageQueue empty = lab.queue(topic, 0);
    for (int i = 0; i < 6; i++) {
      lab.sendTo(queue, "m" + i);
      Thread.sleep(40);
    }
    List<MessageExt> stored = lab.readAll(topic, 6);
    equal(0, lab.admin().minOffset(queue), "min offset");
    equal(6, lab.admin().maxOffset(queue), "max offset");
    equal(stored.get(0).getStoreTimestamp(), lab.admin().earliestMsgStoreTime(queue), "earliest store time");
    equal(0, lab.admin().minOffset(empty), "min offset of the empty queue");
    equal(0, lab.admin().maxOffset(empty), "max offset of the empty queue");
    equal(-1, lab.admin().earliestMsgStoreTime(empty), "earliest store time of the empty queue");
    equal(0, lab.admin().searchOffset(empty, System.currentTimeMillis()), "search in the empty queue");
    for (int i = 0; i < 6; i++) {
      equal(i, lab.admin().searchOffset(queue, stored.get(i).getStoreTimestamp()), "search at the time of m" + i);
      equal(i, lab.admin().searchOffset(queue, stored.get(i).getStoreTimestamp() - 5), "search 5 ms before m" + i);
    }
    equal(0, lab.admin().searchOffset(queue, stored.get(0).getStoreTimestamp() - 100_000), "search before the first");
    equal(6, lab.admin().searchOffset(queue, stored.get(5).getStoreTimestamp() + 10), "search behind the last");
  }

  private static void same(MessageExt a, MessageExt b) {
    equal(Lab.text(a), Lab.text(b), "body");
    equal(a.getQueueId(), b.getQueueId(), "queue");
    equal(a.getQueueOffset(), b.getQueueOffset(), "queue offset");
    equal(a.getCommitLogOffset(), b.getCommitLogOffset(), "commit log offset");
    equal(a.getBodyCRC(), b.getBodyCRC(), "body CRC");
    equal(a.getStoreTimestamp(), b.getStoreTimestamp(), "store time stamp");
    equal(a.getStoreSize(), b.getStoreSize(), "store size");
    equal(a.getKeys(), b.getKeys(), "keys");
  }

  private static void viewById(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    List<SendResult> sent = new ArrayList<>();
    for (int i = 0; i < 6; i++) sent.add(lab.sendOk(new Message(topic, "T", "key" + i, ("m" + i).getBytes(StandardCharsets.UTF_8))));
    List<MessageExt> stored = lab.readAll(topic, 6);
    for (int i = 0; i < 6; i++) {
      String body = "m" + i;
      MessageExt byId = lab.admin().viewMessage(topic, sent.get(i).getOffsetMsgId());
      same(stored.stream().filter(m -> Lab.text(m).equals(body)).findFirst().orElseThrow(), byId);
      equal(topic, byId.getTopic(), "topic");
    }
    // An offset behind the end of the log, and one inside a record, is an error, not a wrong message.
    String last = sent.get(5).getOffsetMsgId();
    Lab.refused("an id far behind the log", () -> lab.admin().viewMessage(topic, last.substring(0, 16) + "0000000FFFFFFFF0"));
  }

  private static void queryByKey(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    long begin = System.currentTimeMillis();
    for (int i = 0; i < 10; i++) {
      lab.sendOk(new Message(topic, "T", "all each" + i + " odd" + i % 2, ("m" + i).getBytes(StandardCharsets.UTF_8)));
    }
    until("the index to hold the last key", () -> {
      try {
        return lab.admin().queryMessage(topic, "each9", 10, begin - 1000, System.currentTimeMillis() + 1000).getMessageList().size() == 1;
      } catch (Exception e) {
        return false;
      }
    });
    long end = System.currentTimeMillis() + 1000;
    equal(names("m", 0, 10), Lab.bodies(lab.admin().queryMessage(topic, "all", 64, begin - 1000, end).getMessageList()), "by a key of all");
    equal(new TreeSet<>(List.of("m1", "m3", "m5", "m7", "m9")), Lab.bodies(lab.admin().queryMessage(topic, "odd1", 64, begin - 1000, end).getMessageList()), "by a key of some");
    equal(3, lab.admin().queryMessage(topic, "all", 3, begin - 1000, end).getMessageList().size(), "at most 3");
    Exception none = Lab.refused("a key that no message has", () -> lab.admin().queryMessage(topic, "nobody", 64, begin - 1000, end));
    equal(208, Lab.code(none), "NO_MESSAGE, in " + none);
    Lab.refused("a time range before the messages", () -> lab.admin().queryMessage(topic, "all", 64, begin - 900_000, begin - 600_000));
  }

  private static void queryByUniqueKey(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    List<SendResult> sent = lab.send(topic, 5);
    for (int i = 0; i < 5; i++) {
      String id = sent.get(i).getMsgId();
      MessageExt[] found = new MessageExt[1];
      until("the index to hold " + id, () -> {
        try {
          found[0] = lab.admin().viewMessage(topic, id);
          return found[0] != null;
        } catch (Exception e) {
          return false;
        }
      });
      equal("m" + i, Lab.text(found[0]), "body");
      equal(sent.get(i).getQueueOffset(), found[0].getQueueOffset(), "queue offset");
      equal(id, found[0].getProperty("UNIQ_KEY"), "unique id");
    }
  }

  private static void connections(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    DefaultMQPushConsumer consumer = lab.push(group, "a", topic, "A || B", m -> { });
    until("the consumer's connection", () -> {
      try {
        return lab.admin().examineConsumerConnectionInfo(group).getSubscriptionTable().containsKey(topic);
      } catch (Exception e) {
        return false;
      }
    });
    var info = lab.admin().examineConsumerConnectionInfo(group);
    equal(1, info.getConnectionSet().size(), "connections");
    var connection = info.getConnectionSet().iterator().next();
    equal(consumer.buildMQClientId(), connection.getClientId(), "client id");
    equal("JAVA", connection.getLanguage(), "language");
    check(connection.getVersion() > 300, "version " + connection.getVersion());
    check(connection.getClientAddr().startsWith("127.0.0.1:"), "address " + connection.getClientAddr());
    equal("CONSUME_PASSIVELY", info.getConsumeType(), "consume type");
    equal("CLUSTERING", info.getMessageModel(), "message model");
    equal("CONSUME_FROM_FIRST_OFFSET", info.getConsumeFromWhere(), "consume from where");
    equal("A || B", info.getSubscriptionTable().get(topic).getSubString(), "expression");
    equal("[A, B]", new TreeSet<>(info.getSubscriptionTable().get(topic).getTagsSet()), "tags");
    check(info.getSubscriptionTable().containsKey("%RETRY%" + group), "the retry topic is subscribed");
    check(lab.admin().fetchAllTopicList().getTopicList().contains("%RETRY%" + group), "the retry topic was made");

    String producers = lab.unique("producer");
    var producer = lab.newProducer(producers);
    producer.send(new Message(topic, new byte[] {1}));
    until("the producer's connection", () -> {
      try {
        return lab.admin().examineProducerConnectionInfo(producers, topic).getConnectionSet().size() == 1;
      } catch (Exception e) {
        return false;
      }
    });
    consumer.shutdown();
    Exception e = Lab.refused("the connection of a group that left", () -> lab.admin().examineConsumerConnectionInfo(group));
    equal(206, Lab.code(e), "CONSUMER_NOT_ONLINE, in " + e);
  }

  private static void nameServer(Lab lab) throws Exception {
    String topic = lab.topic("", 3);
    var cluster = lab.admin().examineBrokerClusterInfo();
    equal("[broker-a]", new ArrayList<>(cluster.getClusterAddrTable().get("DefaultCluster")), "brokers of the cluster");
    equal(lab.broker(), cluster.getBrokerAddrTable().get("broker-a").getBrokerAddrs().get(0L), "the master's address");
    var route = lab.admin().examineTopicRouteInfo(topic);
    equal(1, route.getBrokerDatas().size(), "brokers in the route");
    equal(lab.broker(), route.getBrokerDatas().get(0).selectBrokerAddr(), "address in the route");
    equal("DefaultCluster", route.getBrokerDatas().get(0).getCluster(), "cluster in the route");
    equal("3/3/6", route.getQueueDatas().get(0).getReadQueueNums() + "/" + route.getQueueDatas().get(0).getWriteQueueNums() + "/" + route.getQueueDatas().get(0).getPerm(), "queues and permission");
    String namespace = lab.unique("namespace");
    lab.admin().createAndUpdateKvConfig(namespace, "key", "värde=1");
    equal("värde=1", lab.admin().getKVConfig(namespace, "key"), "value in the name server");
    equal("{key=värde=1}", lab.admin().getKVListByNamespace(namespace).getTable(), "list of the namespace");
    lab.admin().deleteKvConfig(namespace, "key");
    Exception e = Lab.refused("a deleted key", () -> lab.admin().getKVConfig(namespace, "key"));
    equal(22, Lab.code(e), "QUERY_NOT_FOUND, in " + e);
  }
}
