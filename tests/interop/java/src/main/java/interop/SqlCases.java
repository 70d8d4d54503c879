package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** SQL92 filters, on a broker with enablePropertyFilter. */
@SuppressWarnings("deprecation")
final class SqlCases {
  private SqlCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("sql_push", SqlCases::push);
    cases.put("sql_push_bad_text", SqlCases::badText);
    cases.put("sql_push_reconsume", SqlCases::reconsume);
    cases.put("sql_push_subscription_changes", SqlCases::changes);
    cases.put("sql_pull", SqlCases::pull);
    cases.put("sql_pull_held", SqlCases::held);
  }

  /** Message n: number n, odd or even, every third without a colour. */
  private static void send(Lab lab, String topic, int from, int to) throws Exception {
    for (int i = from; i < to; i++) {
      Message message = new Message(topic, i % 2 == 0 ? "even" : "odd", ("m" + i).getBytes(StandardCharsets.UTF_8));
      message.putUserProperty("number", String.valueOf(i));
      if (i % 3 != 0) message.putUserProperty("colour", i % 3 == 1 ? "red" : "it's blue");
      lab.sendOk(message);
    }
  }

  private static final Map<String, IntPredicate> FILTERS = Map.of(
      "number > 10 AND number <= 20", n -> n > 10 && n <= 20,
      "TAGS = 'even' AND colour IS NOT NULL", n -> n % 2 == 0 && n % 3 != 0,
      "colour IN ('red', 'green') OR number BETWEEN 0 AND 3", n -> n % 3 == 1 || n <= 3,
      "NOT (colour = 'it''s blue')", n -> n % 3 == 1,
      "colour = 'nobody'", n -> false);

  private static Set<String> wanted(IntPredicate filter, int to) {
    Set<String> names = new TreeSet<>();
    for (int i = 0; i < to; i++) {
      if (filter.test(i)) names.add("m" + i);
    }
    return names;
  }

  private static DefaultMQPushConsumer start(Lab lab, String group, String topic, String sql, Set<String> seen) throws Exception {
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, MessageSelector.bySql(sql));
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt message : messages) seen.add(Lab.text(message));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }

  private static void push(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    send(lab, topic, 0, 30);
    Map<String, Set<String>> seen = new java.util.HashMap<>();
    int group = 0;
    for (String sql : FILTERS.keySet()) {
      seen.put(sql, new ConcurrentSkipListSet<>());
      start(lab, lab.unique("group" + group++), topic, sql, seen.get(sql));
    }
    send(lab, topic, 30, 60);
    for (Map.Entry<String, IntPredicate> filter : FILTERS.entrySet()) {
      Set<String> wanted = wanted(filter.getValue(), 60);
      until("messages of " + filter.getKey(), () -> seen.get(filter.getKey()).size() >= wanted.size(), () -> "seen " + seen.get(filter.getKey()));
    }
    Thread.sleep(500);
    for (Map.Entry<String, IntPredicate> filter : FILTERS.entrySet()) {
      equal(wanted(filter.getValue(), 60), new TreeSet<>(seen.get(filter.getKey())), "messages of " + filter.getKey());
    }
  }

  private static void badText(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Exception e = Lab.refused("an expression that ends in AND", () -> start(lab, lab.unique("group"), topic, "number > 1 AND", new TreeSet<>()));
    equal(23, Lab.code(e), "SUBSCRIPTION_PARSE_FAILED, in " + e);
  }

  /** A message that matched and wasn't consumed comes again, though its retry topic isn't filtered by SQL. */
  private static void reconsume(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Set<String> first = new ConcurrentSkipListSet<>();
    Set<String> again = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.subscribe(topic, MessageSelector.bySql("number = 4"));
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      context.setDelayLevelWhenNextConsume(1);
      for (MessageExt message : messages) {
        if (message.getReconsumeTimes() > 0) again.add(Lab.text(message));
        else first.add(Lab.text(message));
      }
      return again.isEmpty() ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    send(lab, topic, 0, 8);
    until("the message's second delivery", () -> !again.isEmpty(), () -> "first " + first);
    equal("[m4]", first, "delivered first");
    equal("[m4]", again, "delivered again");
  }

  private static void changes(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    Set<String> before = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = start(lab, group, topic, "number < 5", before);
    send(lab, topic, 0, 10);
    until("five messages", () -> before.size() >= 5, () -> "seen " + before);
    consumer.shutdown();
    Set<String> after = new ConcurrentSkipListSet<>();
    start(lab, group, topic, "number >= 15", after);
    send(lab, topic, 10, 20);
    until("five other messages", () -> after.size() >= 5, () -> "seen " + after);
    equal(wanted(n -> n >= 15, 20), after, "by the new filter");
    equal(wanted(n -> n < 5, 20), before, "by the old filter");
  }

  private static void pull(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    send(lab, topic, 0, 30);
    lab.readAll(topic, 30);
    MessageQueue queue = lab.queue(topic, 0);
    DefaultMQPullConsumer reader = new DefaultMQPullConsumer(lab.unique("reader"));
    reader.setNamesrvAddr(lab.namesrv());
    reader.setInstanceName(lab.unique("reader"));
    reader.setHeartbeatBrokerInterval(500);
    reader.start();
    lab.onClose(reader::shutdown);
    reader.fetchSubscribeMessageQueues(topic);
    // The 4.x client pulls by SQL only when a heartbeat's answer has told it the broker's version.
    until("the broker's version at the client", () -> {
      try {
        return reader.pull(queue, MessageSelector.bySql("TRUE"), 0, 1).getPullStatus() == PullStatus.FOUND;
      } catch (MQClientException unknown) {
        return false;
      }
    });
    for (Map.Entry<String, IntPredicate> filter : FILTERS.entrySet()) {
      Set<String> got = new TreeSet<>();
      long offset = 0;
      while (offset < 30) {
        PullResult result = reader.pull(queue, MessageSelector.bySql(filter.getKey()), offset, 32);
        check(result.getNextBeginOffset() > offset, "progress of " + filter.getKey() + " at " + offset + ": " + result);
        if (result.getPullStatus() == PullStatus.FOUND) got.addAll(Lab.bodies(result.getMsgFoundList()));
        offset = result.getNextBeginOffset();
      }
      equal(wanted(filter.getValue(), 30), got, "messages of " + filter.getKey());
    }
  }

  private static void held(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Set<String> seen = new ConcurrentSkipListSet<>();
    CompletableFuture<Long> woken = new CompletableFuture<>();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.subscribe(topic, MessageSelector.bySql("number = 21"));
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> seen.add(Lab.text(m)));
      woken.complete(System.nanoTime());
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    send(lab, topic, 0, 20);
    Thread.sleep(2_000);
    check(!woken.isDone(), "nothing matches yet, but seen is " + seen);
    long begin = System.nanoTime();
    send(lab, topic, 20, 24);
    check(woken.get(10, TimeUnit.SECONDS) - begin < 3_000_000_000L, "the held pull woke late");
    equal("[m21]", seen, "seen");
  }
}
