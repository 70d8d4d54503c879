package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Messages that a consumer could not process: tried again behind a delay, and at last among the dead letters. */
@SuppressWarnings("deprecation")
final class RetryCases {
  private static final String WAITING = "SCHEDULE_TOPIC_XXXX";

  private RetryCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("retry_until_dead_letter", RetryCases::untilDeadLetter);
    cases.put("retry_levels", RetryCases::levels);
    cases.put("retry_sent_by_client", RetryCases::sentByClient);
    cases.put("retry_orderly_dead_letter", RetryCases::orderlyDeadLetter);
    cases.put("retry_batch_and_compressed", RetryCases::batchAndCompressed);
    cases.put("retry_survives_kill9", RetryCases::survivesKill);
  }

  private static Message message(String topic, String tags, String keys, String body) {
    Message message = new Message(topic, tags, keys, body.getBytes(StandardCharsets.UTF_8));
    message.putUserProperty("own", "value");
    return message;
  }

  /** The messages of `topic`'s queue `queue` that carry the unique key. */
  private static List<MessageExt> find(Lab lab, String topic, int queue, String uniqueKey) throws Exception {
    List<MessageExt> found = new ArrayList<>();
    MessageQueue where = new MessageQueue(topic, "broker-a", queue);
    long offset = lab.admin().minOffset(where);
    long end = lab.admin().maxOffset(where);
    while (offset < end) {
      org.apache.rocketmq.client.consumer.PullResult result = lab.reader().pull(where, "*", offset, 32, 10_000);
      if (result.getMsgFoundList() != null) {
        for (MessageExt message : result.getMsgFoundList()) if (uniqueKey.equals(message.getProperty("UNIQ_KEY"))) found.add(message);
      }
      offset = result.getNextBeginOffset();
    }
    return found;
  }

  private static MessageExt only(List<MessageExt> found, String what) {
    equal(1, found.size(), what);
    return found.get(0);
  }

  /** A group whose retry topic is there before its first consumer: else that one would find it some 20 s later only. */
  private static String group(Lab lab) throws Exception {
    String group = lab.unique("group");
    lab.createTopic("%RETRY%" + group, 1);
    return group;
  }

  private static void untilDeadLetter(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = group(lab);
    List<MessageExt> tries = new CopyOnWriteArrayList<>();
    Set<String> others = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.setMaxReconsumeTimes(2);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      if (!Lab.text(messages.get(0)).equals("fails")) {
        others.add(Lab.text(messages.get(0)));
        return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      }
      tries.add(messages.get(0));
      context.setDelayLevelWhenNextConsume(1);
      // An exception, null and RECONSUME_LATER mean the same.
      if (tries.size() == 1) throw new IllegalStateException("the case says no");
      return tries.size() == 2 ? null : ConsumeConcurrentlyStatus.RECONSUME_LATER;
    });
    consumer.start();
    SendResult sent = lab.sendOk(message(topic, "TagA", "k1 k2", "fails"));
    lab.sendOk(message(topic, "TagA", "k3", "works"));
    String dead = "%DLQ%" + group;
    until("the dead letter", () -> lab.routeQueues(dead) == 1 && !find(lab, dead, 0, sent.getMsgId()).isEmpty(), () -> "tries " + tries.size());
    equal("[works]", others, "the other message");
    equal(3, tries.size(), "tries");
    for (int i = 0; i < 3; i++) {
      MessageExt one = tries.get(i);
      equal(i, one.getReconsumeTimes(), "reconsumeTimes of try " + i);
      equal(topic, one.getTopic(), "topic that the listener sees");
      equal(sent.getMsgId(), one.getMsgId(), "unique id that the listener sees");
      equal("TagA/k1 k2/value", one.getTags() + "/" + one.getKeys() + "/" + one.getUserProperty("own"), "tag, keys, own property");
      if (i == 0) continue;
      equal(sent.getOffsetMsgId(), one.getProperty("ORIGIN_MESSAGE_ID"), "ORIGIN_MESSAGE_ID of try " + i);
      equal("1", one.getProperty("DELAY"), "DELAY of try " + i);
      equal("%RETRY%" + group, one.getProperty("REAL_TOPIC"), "REAL_TOPIC of try " + i);
      equal(tries.get(0).getBornTimestamp(), one.getBornTimestamp(), "born when it was sent first");
      check(one.getStoreTimestamp() - tries.get(i - 1).getStoreTimestamp() >= 1000, "try " + i + " came early");
    }
    MessageExt letter = only(find(lab, dead, 0, sent.getMsgId()), "dead letters");
    equal("fails", Lab.text(letter), "body");
    equal(dead, letter.getTopic(), "topic of the letter");
    equal(3, letter.getReconsumeTimes(), "reconsumeTimes of the letter");
    equal(topic, letter.getProperty("RETRY_TOPIC"), "RETRY_TOPIC of the letter");
    equal(sent.getOffsetMsgId(), letter.getProperty("ORIGIN_MESSAGE_ID"), "ORIGIN_MESSAGE_ID of the letter");
    equal("0", letter.getProperty("DELAY"), "DELAY of the letter");
    equal("TagA/k1 k2/value", letter.getTags() + "/" + letter.getKeys() + "/" + letter.getUserProperty("own"), "tag, keys, own property of the letter");
    equal(6, lab.admin().examineTopicRouteInfo(dead).getQueueDatas().get(0).getPerm(), "permission of the dead letters' topic");
    until("the letter in the key index", () -> {
      try {
        return lab.admin().queryMessage(dead, "k1", 8, 0, Long.MAX_VALUE).getMessageList().size() == 1;
      } catch (org.apache.rocketmq.client.exception.MQClientException e) {
        return false;
      }
    });
    until("committed offsets of topic and retry topic", () -> lab.admin().examineConsumeStats(group).computeTotalDiff() == 0);
    Set<String> topics = new ConcurrentSkipListSet<>();
    lab.admin().examineConsumeStats(group).getOffsetTable().keySet().forEach(q -> topics.add(q.getTopic()));
    equal("[%RETRY%" + group + ", " + topic + "]", topics, "topics of the group's progress");
  }

  /** A pull consumer of the group that knows where the topic is. */
  private static DefaultMQPullConsumer puller(Lab lab, String topic, String group) throws Exception {
    DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
    consumer.setNamesrvAddr(lab.namesrv());
    consumer.setInstanceName(group);
    consumer.start();
    lab.onClose(consumer::shutdown);
    consumer.maxOffset(new MessageQueue(topic, "broker-a", 0));
    return consumer;
  }

  /** Stores one message and gives it back; where it then waits, is looked up in the topic of delays. */
  private static MessageExt giveBack(Lab lab, DefaultMQPullConsumer consumer, String topic, int level, int waitsIn) throws Exception {
    SendResult sent = lab.sendOk(message(topic, "TagA", "k", "level " + level));
    MessageExt stored = lab.admin().viewMessage(topic, sent.getOffsetMsgId());
    consumer.sendMessageBack(stored, level, "broker-a");
    String where = level < 0 ? "%DLQ%" + consumer.getConsumerGroup() : WAITING;
    List<MessageExt> found = new ArrayList<>();
    until("the message in " + where, () -> {
      found.clear();
      found.addAll(find(lab, where, waitsIn, sent.getMsgId()));
      return !found.isEmpty();
    });
    MessageExt again = only(found, "copies in " + where);
    equal(sent.getOffsetMsgId(), again.getProperty("ORIGIN_MESSAGE_ID"), "ORIGIN_MESSAGE_ID");
    equal(topic, again.getProperty("RETRY_TOPIC"), "RETRY_TOPIC");
    return again;
  }

  private static void levels(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    DefaultMQPullConsumer consumer = puller(lab, topic, group);
    MessageExt byBroker = giveBack(lab, consumer, topic, 0, 2);
    equal("3", byBroker.getProperty("DELAY"), "the broker's choice for a first try");
    equal("%RETRY%" + group, byBroker.getProperty("REAL_TOPIC"), "REAL_TOPIC");
    equal("0", byBroker.getProperty("REAL_QID"), "REAL_QID");
    equal("false", byBroker.getProperty("WAIT"), "WAIT");
    org.apache.rocketmq.common.TopicConfig made = lab.admin().examineTopicConfig(lab.broker(), "%RETRY%" + group);
    equal("1/1/6/false", made.getReadQueueNums() + "/" + made.getWriteQueueNums() + "/" + made.getPerm() + "/" + made.isOrder(), "the retry topic");
    equal(1, byBroker.getReconsumeTimes(), "reconsumeTimes");
    equal("5", giveBack(lab, consumer, topic, 5, 4).getProperty("DELAY"), "the consumer's level");
    equal("18", giveBack(lab, consumer, topic, 40, 17).getProperty("DELAY"), "a level above the highest");
    MessageExt dead = giveBack(lab, consumer, topic, -1, 0);
    equal("0", dead.getProperty("DELAY"), "DELAY of a dead letter");
    equal(1, dead.getReconsumeTimes(), "reconsumeTimes of a dead letter");
  }

  /** What the broker can't find in its log the client sends to the retry topic by itself. */
  private static MessageExt sendBack(Lab lab, DefaultMQPullConsumer consumer, String topic, int reconsumeTimes, String where, int queue) throws Exception {
    SendResult sent = lab.sendOk(message(topic, "TagA", "k", "m0"));
    MessageExt stored = lab.admin().viewMessage(topic, sent.getOffsetMsgId());
    stored.setReconsumeTimes(reconsumeTimes);
    stored.setCommitLogOffset(1L << 50);
    until("the route of the retry topic, without which the client takes queues at random", () -> {
      try {
        return lab.admin().examineTopicRouteInfo("%RETRY%" + consumer.getConsumerGroup()) != null;
      } catch (MQClientException notYet) {
        return false;
      }
    });
    consumer.sendMessageBack(stored, 0, "broker-a");
    List<MessageExt> found = new ArrayList<>();
    until("the message in " + where, () -> {
      found.clear();
      found.addAll(find(lab, where, queue, sent.getMsgId()));
      return !found.isEmpty();
    });
    MessageExt again = only(found, "copies in " + where);
    equal(topic, again.getProperty("RETRY_TOPIC"), "RETRY_TOPIC");
    equal(reconsumeTimes + 1, again.getReconsumeTimes(), "reconsumeTimes");
    equal("TagA/k/value", again.getTags() + "/" + again.getKeys() + "/" + again.getUserProperty("own"), "tag, keys, own property");
    equal(reconsumeTimes + 1, again.getProperty(MessageConst.PROPERTY_RECONSUME_TIME), "RECONSUME_TIME");
    equal(16, again.getProperty(MessageConst.PROPERTY_MAX_RECONSUME_TIMES), "MAX_RECONSUME_TIMES");
    return again;
  }

  private static void sentByClient(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    DefaultMQPullConsumer consumer = puller(lab, topic, group);
    MessageExt waiting = sendBack(lab, consumer, topic, 2, WAITING, 4);
    equal("5", waiting.getProperty("DELAY"), "3 + tries");
    equal("%RETRY%" + group, waiting.getProperty("REAL_TOPIC"), "REAL_TOPIC");
    equal("16", sendBack(lab, consumer, topic, 15, WAITING, 17).getReconsumeTimes() + "", "the last try");
    equal("-1", sendBack(lab, consumer, topic, 16, "%DLQ%" + group, 0).getProperty("DELAY"), "DELAY of a dead letter");
  }

  private static void orderlyDeadLetter(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    List<String> seen = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.setMaxReconsumeTimes(2);
    consumer.setSuspendCurrentQueueTimeMillis(50);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      String text = Lab.text(messages.get(0));
      seen.add(text + "/" + messages.get(0).getReconsumeTimes());
      return text.equals("m1") ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    List<SendResult> sent = lab.send(topic, 3);
    String dead = "%DLQ%" + group;
    until("the message behind the one that fails", () -> seen.contains("m2/0"), () -> "seen " + seen);
    equal("[m0/0, m1/0, m1/1, m1/2, m2/0]", seen, "tries in order: the queue stands still meanwhile");
    until("the dead letter", () -> lab.routeQueues(dead) == 1 && !find(lab, dead, 0, sent.get(1).getMsgId()).isEmpty());
    MessageExt letter = only(find(lab, dead, 0, sent.get(1).getMsgId()), "dead letters");
    equal(topic, letter.getProperty("RETRY_TOPIC"), "RETRY_TOPIC");
    equal("-1", letter.getProperty("DELAY"), "DELAY");
    equal("m1", Lab.text(letter), "body");
  }

  private static void batchAndCompressed(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = group(lab);
    String large = "abcdefghij".repeat(2000);
    Map<String, AtomicInteger> tries = new ConcurrentHashMap<>();
    Map<String, String> again = new ConcurrentHashMap<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, "*");
    consumer.setConsumeMessageBatchMaxSize(8);
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      context.setDelayLevelWhenNextConsume(1);
      for (MessageExt one : messages) {
        tries.computeIfAbsent(one.getKeys(), k -> new AtomicInteger()).incrementAndGet();
        if (one.getReconsumeTimes() == 0) continue;
        again.put(one.getKeys(), Lab.text(one).equals(large) ? "large" : Lab.text(one));
      }
      // Of those that came first, the first one succeeds.
      context.setAckIndex(messages.get(0).getReconsumeTimes() == 0 ? 0 : messages.size());
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    List<Message> batch = new ArrayList<>();
    for (int i = 0; i < 4; i++) batch.add(new Message(topic, "t", "k" + i, ("b" + i).getBytes(StandardCharsets.UTF_8)));
    SendResult sent = lab.producer().send(batch);
    lab.sendOk(new Message(topic, "t", "zipped", large.getBytes(StandardCharsets.UTF_8)));
    consumer.start();
    until("second tries", () -> again.size() >= 3 && tries.containsKey("zipped"), () -> "again " + again);
    for (Map.Entry<String, String> one : again.entrySet()) {
      equal(one.getKey().equals("zipped") ? "large" : "b" + one.getKey().substring(1), one.getValue(), "body of " + one.getKey() + " at its second try");
      equal(2, tries.get(one.getKey()).get(), "tries of " + one.getKey());
    }
    equal(4, sent.getOffsetMsgId().split(",").length, "ids of the batch, " + Arrays.toString(sent.getOffsetMsgId().split(",")));
  }

  private static void survivesKill(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = group(lab);
    Set<String> first = new ConcurrentSkipListSet<>();
    List<String> again = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.setPersistConsumerOffsetInterval(500);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      MessageExt one = messages.get(0);
      if (one.getReconsumeTimes() > 0) {
        again.add(Lab.text(one) + "/" + one.getReconsumeTimes());
        return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      }
      first.add(Lab.text(one));
      context.setDelayLevelWhenNextConsume(4);  // long enough that none comes before the kill
      return ConsumeConcurrentlyStatus.RECONSUME_LATER;
    });
    consumer.start();
    lab.send(topic, 40);
    until("the first tries", () -> first.size() == 40, () -> "seen " + first.size());
    // The consumer has committed behind what it gave back: from here on only the broker knows of it.
    lab.ask("persisted " + group + " 40");
    check(again.size() < 40, "all second tries came before the restart");
    lab.ask("restart-kill");
    // What came right before the kill may come again: its offsets were not written yet.
    until("the second tries", 70_000, () -> new java.util.TreeSet<>(again).size() >= 40, () -> "seen " + new java.util.TreeSet<>(again));
    Set<String> expected = new java.util.TreeSet<>();
    for (int i = 0; i < 40; i++) expected.add("m" + i + "/1");
    equal(expected, new java.util.TreeSet<>(again), "second tries");
  }
}
