package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** What clients see of masters and slaves when a master goes and comes back, and when they are slow. */
final class ReplicaCases {
  private ReplicaCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("consumer_goes_to_slave_and_back", ReplicaCases::consumerGoesToSlaveAndBack);
    cases.put("consumer_that_lags_reads_from_slave", ReplicaCases::consumerThatLagsReadsFromSlave);
    cases.put("two_masters", ReplicaCases::twoMasters);
  }

  /** A consumer in the middle of a topic, one that starts only then, look-ups and commits, all while there is only the slave. */
  private static void consumerGoesToSlaveAndBack(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String slave = address(lab.ask("slave"));
    String runningGroup = lab.unique("running");
    List<String> running = new CopyOnWriteArrayList<>();
    CountDownLatch masterIsGone = new CountDownLatch(1);
    halting(lab, runningGroup, topic, 12, masterIsGone, m -> running.add(Lab.text(m)));
    SendResult first = null;
    for (int i = 0; i < 60; i++) {
      SendResult sent = lab.sendOk(new Message(topic, "", "key" + i, body(i)));
      if (first == null) first = sent;
    }
    until("12 messages with the master", () -> running.size() >= 12, () -> "seen " + running.size());
    lab.ask("slave-caught-up");
    until("the topic at the slave", 90_000, () -> knows(lab, slave, topic), () -> "");  // Apache's copies it once a minute
    lab.ask("stop-master");
    long slaveGave = given(lab, slave);
    masterIsGone.countDown();

    // The one that runs goes on where it was; a group that starts only now has nobody but the slave.
    List<String> late = new CopyOnWriteArrayList<>();
    lab.push(lab.unique("late"), "a", topic, "*", m -> late.add(Lab.text(m)));
    until("all 60 at the running consumer", 60_000, () -> new TreeSet<>(running).size() == 60, () -> "seen " + new TreeSet<>(running).size());
    until("60 messages from the slave", 60_000, () -> late.size() >= 60, () -> "seen " + late.size());
    equal(names("m", 0, 60), new TreeSet<>(late), "what the slave gave");
    equal(60, running.size(), "messages at the running consumer: none twice");
    check(given(lab, slave) - slaveGave >= 60 + 60 - 12 - 4 * 2, "the slave gave only " + (given(lab, slave) - slaveGave) + " messages");

    // Look-ups and commits.
    String unique = first.getMsgId();
    until("message m7 by its key", 60_000, () -> keyed(lab, topic, "key7").equals(Set.of("m7")), () -> "found " + keyed(lab, topic, "key7"));
    until("message m0 by its id", 60_000, () -> identified(lab, topic, unique).equals("m0"), () -> "found " + identified(lab, topic, unique));
    for (String group : List.of(runningGroup, lab.unique("late"))) {
      until("the commits of " + group + " at the slave", 60_000, () -> committed(lab, group, topic) == 60, () -> "sum " + committed(lab, group, topic));
    }

    lab.ask("start-master");
    until("the commits at the master", 60_000, () -> committed(lab, runningGroup, topic) == 60, () -> "sum " + committed(lab, runningGroup, topic));
    for (int i = 60; i < 100; i++) sendAtLast(lab.producer(), new Message(topic, body(i)));
    until("all messages at both groups", 60_000, () -> new TreeSet<>(running).size() == 100 && new TreeSet<>(late).size() == 100,
        () -> "seen " + new TreeSet<>(running).size() + " and " + new TreeSet<>(late).size());
    until("reads from the master again", () -> given(lab, lab.broker()) >= 1, () -> "it gave none");
  }

  /** On a master that finds everything old: what it gives comes with the advice to read on at the slave. */
  private static void consumerThatLagsReadsFromSlave(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String slave = address(lab.ask("slave"));
    lab.send(topic, 200);
    lab.ask("slave-caught-up");
    until("the topic at the slave", 90_000, () -> knows(lab, slave, topic), () -> "");
    long masterGave = given(lab, lab.broker());
    long slaveGave = given(lab, slave);
    List<String> seen = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("slow"), "a");
    consumer.setPullBatchSize(4);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> seen.add(Lab.text(m)));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    until("200 messages", 60_000, () -> seen.size() >= 200, () -> "seen " + seen.size());
    equal(names("m", 0, 200), new TreeSet<>(seen), "what came");
    equal(200, seen.size(), "messages: none twice");
    check(given(lab, lab.broker()) > masterGave, "the master gave nothing");
    check(given(lab, slave) > slaveGave, "the slave gave nothing: nobody was sent there");
  }

  /** A producer spreads over two masters, goes on with one when the other is killed, and uses it again when it is back. */
  private static void twoMasters(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String other = address(lab.ask("other-master"));
    lab.admin().createAndUpdateTopicConfig(other, new TopicConfig(topic, 4, 4, 6));
    until("both masters in the route", () -> lab.admin().examineTopicRouteInfo(topic).getBrokerDatas().size() == 2);
    List<String> seen = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.setPollNameServerInterval(1_000);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> seen.add(Lab.text(m)));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    DefaultMQProducer producer = new DefaultMQProducer(lab.unique("producer"));
    producer.setNamesrvAddr(lab.namesrv());
    producer.setInstanceName(lab.unique("producer"));
    producer.setPollNameServerInterval(1_000);
    producer.setSendMsgTimeout(3_000);
    producer.start();
    lab.onClose(producer::shutdown);

    Set<String> both = new TreeSet<>(List.of("broker-a", "broker-b"));
    equal(both, places(producer, topic, 0, 40), "where 40 messages went");
    lab.ask("stop-other");
    equal(Set.of("broker-a"), places(producer, topic, 40, 80), "where messages went with one master");
    until("the route without the lost master", () -> lab.admin().examineTopicRouteInfo(topic).getBrokerDatas().size() == 1);
    lab.ask("start-other");
    int[] sent = {80};
    until("a message at the master that is back", 60_000, () -> places(producer, topic, sent[0]++, sent[0]).contains("broker-b"), () -> sent[0] + " were sent");
    equal(both, places(producer, topic, sent[0], sent[0] + 40), "where messages went then");
    Set<String> all = names("m", 0, sent[0] + 40);
    until("everything at the consumer", 60_000, () -> new TreeSet<>(seen).equals(all), () -> "seen " + new TreeSet<>(seen).size() + " of " + all.size());
  }

  /** A consumer that reads in small steps and stands at message number `halt` until `go`. */
  static void halting(Lab lab, String group, String topic, int halt, CountDownLatch go, Consumer<MessageExt> sink) throws Exception {
    AtomicInteger seen = new AtomicInteger();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.setPullBatchSize(1);
    consumer.setPullThresholdForQueue(1);
    consumer.setConsumeThreadMin(1);
    consumer.setConsumeThreadMax(1);
    consumer.setPersistConsumerOffsetInterval(500);
    consumer.setPollNameServerInterval(1_000);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(sink);
      try {
        if (seen.addAndGet(messages.size()) >= halt) go.await();
      } catch (InterruptedException e) {
        return ConsumeConcurrentlyStatus.RECONSUME_LATER;
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
  }

  /** Sends what must arrive sooner or later, while a master comes back. */
  static SendResult sendAtLast(DefaultMQProducer producer, Message message) throws Exception {
    long end = System.currentTimeMillis() + 60_000;
    while (true) {
      try {
        SendResult result = producer.send(message);
        equal(SendStatus.SEND_OK, result.getSendStatus(), "send status after the master came back");
        return result;
      } catch (AssertionError e) {
        throw e;
      } catch (Exception e) {
        if (System.currentTimeMillis() > end) throw e;
        Thread.sleep(100);
      }
    }
  }

  /** Sends messages `from` to `to`, which must all be taken; the brokers that took them. */
  private static Set<String> places(DefaultMQProducer producer, String topic, int from, int to) throws Exception {
    Set<String> brokers = new TreeSet<>();
    for (int i = from; i < to; i++) {
      SendResult result = producer.send(new Message(topic, body(i)));
      equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
      brokers.add(result.getMessageQueue().getBrokerName());
    }
    return brokers;
  }

  static boolean knows(Lab lab, String broker, String topic) {
    try {
      return lab.admin().examineTopicConfig(broker, topic) != null;
    } catch (Exception e) {
      return false;
    }
  }

  private static byte[] body(int number) {
    return ("m" + number).getBytes(StandardCharsets.UTF_8);
  }

  static String address(String answer) {
    return answer.substring("ok ".length());
  }

  /** Messages that a broker has given to consumers since it started. */
  static long given(Lab lab, String broker) throws Exception {
    return Long.parseLong(lab.admin().fetchBrokerRuntimeStats(broker).getTable().get("msgGetTotalTodayNow"));
  }

  private static Set<String> keyed(Lab lab, String topic, String key) {
    try {
      Set<String> bodies = new TreeSet<>();
      for (MessageExt message : lab.admin().queryMessage(topic, key, 32, 0, Long.MAX_VALUE).getMessageList()) bodies.add(Lab.text(message));
      return bodies;
    } catch (Exception e) {
      return Set.of(e.getClass().getSimpleName());
    }
  }

  private static String identified(Lab lab, String topic, String unique) {
    try {
      return Lab.text(lab.admin().viewMessage(topic, unique));
    } catch (Exception e) {
      return e.toString();
    }
  }

  /** Sum of the group's committed offsets, as whoever answers has them; -1 if nobody does. */
  private static long committed(Lab lab, String group, String topic) {
    try {
      return lab.admin().examineConsumeStats(group, topic).getOffsetTable().values().stream().mapToLong(w -> w.getConsumerOffset()).sum();
    } catch (Exception e) {
      return -1;
    }
  }
}
