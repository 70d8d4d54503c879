package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Push consumers: concurrent, orderly, rebalancing, broadcasting, filtered, and what a group remembers. */
final class PushCases {
  private PushCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("push_concurrent", PushCases::concurrent);
    cases.put("push_orderly", PushCases::orderly);
    cases.put("push_rebalance", PushCases::rebalance);
    cases.put("push_orderly_rebalance", PushCases::orderlyRebalance);
    cases.put("push_broadcasting", PushCases::broadcasting);
    cases.put("push_tags", PushCases::tags);
    cases.put("push_offsets_survive_restart", PushCases::offsetsSurvive);
    cases.put("push_new_group_start", PushCases::newGroupStart);
    cases.put("push_large_bodies", PushCases::largeBodies);
    cases.put("push_long_poll_latency", PushCases::latency);
    cases.put("push_reconsume_later", PushCases::reconsumeLater);
    cases.put("push_subscribe_later", PushCases::subscribeLater);
    cases.put("reset_while_consuming", PushCases::resetWhileConsuming);
    cases.put("push_sql_refused", PushCases::sqlRefused);
    cases.put("message_trace", PushCases::trace);
  }

  private static void concurrent(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    CopyOnWriteArrayList<String> seen = new CopyOnWriteArrayList<>();
    lab.send(topic, 50);
    lab.push(lab.unique("group"), "a", topic, "*", m -> seen.add(Lab.text(m)));
    for (int i = 50; i < 200; i++) lab.sendOk(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
    until("200 messages", () -> new HashSet<>(seen).size() >= 200, () -> "seen " + seen.size());
    equal(names("m", 0, 200), new TreeSet<>(seen), "consumed");
    equal(200, seen.size(), "each once");
  }

  /** A group that is reset (222) while it consumes gets everything once more. */
  private static void resetWhileConsuming(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    CopyOnWriteArrayList<String> seen = new CopyOnWriteArrayList<>();
    lab.send(topic, 6);
    lab.push(group, "a", topic, "*", message -> seen.add(Lab.text(message)));
    until("6 messages", () -> seen.size() == 6, () -> "seen " + seen);
    lab.ask("reset " + group + " " + topic);
    until("all of it again, which takes 4.9 ten seconds and a rebalance", 60_000, () -> seen.size() >= 12, () -> "seen " + seen);
    Thread.sleep(500);
    equal(12, seen.size(), "messages: " + seen);
    for (String body : names("m", 0, 6)) equal(2, Collections.frequency(seen, body), "times that " + body + " came");
  }

  private static void orderly(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    Map<Integer, List<String>> perQueue = new ConcurrentHashMap<>();
    AtomicInteger total = new AtomicInteger();
    AtomicBoolean suspended = new AtomicBoolean();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      for (MessageExt message : messages) {
        // One local retry: the queue must stand still meanwhile.
        if (Lab.text(message).equals("q1-5") && suspended.compareAndSet(false, true)) {
          context.setSuspendCurrentQueueTimeMillis(200);
          return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
        }
        perQueue.computeIfAbsent(message.getQueueId(), q -> Collections.synchronizedList(new ArrayList<>())).add(Lab.text(message));
        total.incrementAndGet();
      }
      return ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    List<MessageQueue> queues = lab.queues(topic);
    for (int i = 0; i < 25; i++) for (MessageQueue queue : queues) lab.sendTo(queue, "q" + queue.getQueueId() + "-" + i);
    until("100 messages", () -> total.get() >= 100, () -> "consumed " + total.get());
    check(suspended.get(), "the suspended message was seen");
    for (int q = 0; q < 4; q++) {
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 25; i++) expected.add("q" + q + "-" + i);
      equal(expected, perQueue.get(q), "order in queue " + q);
    }
  }

  private static Set<Integer> owned(DefaultMQPushConsumer consumer, String topic) {
    Set<Integer> owned = new TreeSet<>();
    consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().forEach((queue, process) -> {
      if (queue.getTopic().equals(topic) && !process.isDropped()) owned.add(queue.getQueueId());
    });
    return owned;
  }

  private static void untilShared(String topic, DefaultMQPushConsumer a, DefaultMQPushConsumer b) throws Exception {
    until("both members to own half of the queues", () -> {
      Set<Integer> left = owned(a, topic);
      Set<Integer> right = owned(b, topic);
      return left.size() == 4 && right.size() == 4 && Collections.disjoint(left, right);
    }, () -> "a owns " + owned(a, topic) + ", b owns " + owned(b, topic));
  }

  /** Sends "m0", "m1", … every few milliseconds until told to stop; `sent` holds what was acknowledged. */
  private static final class Stream implements AutoCloseable {
    final Set<String> sent = new ConcurrentSkipListSet<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Thread thread;
    private volatile Exception failure;

    Stream(DefaultMQProducer producer, List<MessageQueue> queues) {
      thread = new Thread(() -> {
        try {
          for (int i = 0; !stop.get(); i++) {
            MessageQueue queue = queues.get(i % queues.size());
            SendResult result = producer.send(new Message(queue.getTopic(), ("m" + i).getBytes(StandardCharsets.UTF_8)), queue);
            if (result.getSendStatus() == SendStatus.SEND_OK) sent.add("m" + i);
            Thread.sleep(4);
          }
        } catch (Exception e) {
          failure = e;
        }
      });
      thread.setDaemon(true);
      thread.start();
    }

    @Override
    public void close() throws Exception {
      stop.set(true);
      thread.join(15_000);
      if (failure != null) throw failure;
    }
  }

  private static void rebalance(Lab lab) throws Exception {
    String topic = lab.topic("", 8);
    String group = lab.unique("group");
    Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();
    AtomicInteger byB = new AtomicInteger();
    DefaultMQPushConsumer a = lab.push(group, "a", topic, "*", m -> seen.computeIfAbsent(Lab.text(m), k -> new AtomicInteger()).incrementAndGet());
    until("the first member to own all queues", () -> owned(a, topic).size() == 8);
    Stream stream = new Stream(lab.producer(), lab.queues(topic));
    DefaultMQPushConsumer b = lab.push(group, "b", topic, "*", m -> {
      byB.incrementAndGet();
      seen.computeIfAbsent(Lab.text(m), k -> new AtomicInteger()).incrementAndGet();
    });
    untilShared(topic, a, b);
    int before = byB.get();
    until("messages at the second member", () -> byB.get() >= before + 50);
    b.shutdown();
    until("the first member to own all queues again", () -> owned(a, topic).size() == 8, () -> "it owns " + owned(a, topic));
    int soFar = stream.sent.size();
    until("more messages after the second left", () -> stream.sent.size() > soFar + 50);
    stream.close();
    until("all messages", () -> seen.keySet().containsAll(stream.sent), () -> missing(stream.sent, seen.keySet()));
    int twice = seen.values().stream().mapToInt(n -> n.get() - 1).sum();
    check(twice <= stream.sent.size() / 5, twice + " of " + stream.sent.size() + " messages were consumed again");
  }

  private static String missing(Set<String> expected, Set<String> seen) {
    Set<String> missing = new TreeSet<>(expected);
    missing.removeAll(seen);
    return missing.size() + " of " + expected.size() + " missing";
  }

  private static void orderlyRebalance(Lab lab) throws Exception {
    String topic = lab.topic("", 8);
    String group = lab.unique("group");
    Map<Integer, List<Long>> perQueue = new ConcurrentHashMap<>();
    Map<Integer, AtomicInteger> inside = new ConcurrentHashMap<>();
    AtomicInteger overlaps = new AtomicInteger();
    AtomicInteger byB = new AtomicInteger();
    Set<String> seen = new ConcurrentSkipListSet<>();
    List<DefaultMQPushConsumer> members = new ArrayList<>();
    for (String member : List.of("a", "b")) {
      DefaultMQPushConsumer consumer = lab.newPush(group, member);
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
        for (MessageExt message : messages) {
          AtomicInteger busy = inside.computeIfAbsent(message.getQueueId(), q -> new AtomicInteger());
          if (busy.incrementAndGet() > 1) overlaps.incrementAndGet();
          perQueue.computeIfAbsent(message.getQueueId(), q -> Collections.synchronizedList(new ArrayList<>())).add(message.getQueueOffset());
          seen.add(Lab.text(message));
          if (member.equals("b")) byB.incrementAndGet();
          Thread.yield();  // room for another to come in
          busy.decrementAndGet();
        }
        return ConsumeOrderlyStatus.SUCCESS;
      });
      members.add(consumer);
    }
    members.get(0).start();
    until("the first member to own all queues", () -> owned(members.get(0), topic).size() == 8);
    Stream stream = new Stream(lab.producer(), lab.queues(topic));
    until("messages at the first member", () -> seen.size() > 30);
    members.get(1).start();
    untilShared(topic, members.get(0), members.get(1));
    until("messages at the second member", () -> byB.get() >= 30);
    members.get(1).shutdown();
    until("the first member to own all queues again", () -> owned(members.get(0), topic).size() == 8, () -> "it owns " + owned(members.get(0), topic));
    stream.close();
    until("all messages", () -> seen.containsAll(stream.sent), () -> missing(stream.sent, seen));
    equal(0, overlaps.get(), "two members inside one queue at once");
    for (Map.Entry<Integer, List<Long>> queue : perQueue.entrySet()) {
      // A hand-over may repeat messages, but each jump back goes over what follows again, in order and without a hole.
      long highest = -1;
      long last = -1;
      for (long offset : queue.getValue()) {
        check(offset == last + 1 || offset <= highest, "queue " + queue.getKey() + " jumped from " + last + " to " + offset);
        last = offset;
        highest = Math.max(highest, offset);
      }
    }
  }

  private static void broadcasting(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    Map<String, List<String>> seen = new HashMap<>();
    for (String member : List.of("a", "b")) {
      List<String> mine = new CopyOnWriteArrayList<>();
      seen.put(member, mine);
      DefaultMQPushConsumer consumer = lab.newPush(group, member);
      consumer.setMessageModel(Enum.valueOf(consumer.getMessageModel().getDeclaringClass(), "BROADCASTING"));
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> {
        messages.forEach(m -> mine.add(Lab.text(m)));
        return org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      });
      consumer.start();
      until("the member to own all queues", () -> owned(consumer, topic).size() == 4);
    }
    lab.send(topic, 40);
    for (String member : seen.keySet()) {
      until("all messages at member " + member, () -> seen.get(member).size() >= 40, () -> "it has " + seen.get(member).size());
      equal(names("m", 0, 40), new TreeSet<>(seen.get(member)), "member " + member);
      equal(40, seen.get(member).size(), "each once at member " + member);
    }
  }

  private static void tags(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    // "Aa" and "BB" have the same hash code: the broker lets both pass, the client must see its own only.
    String[] tags = {"A", "B", "C", "Aa", "BB", null};
    Map<String, Set<String>> seen = new HashMap<>();
    for (String expression : List.of("A || B", "*", "Aa", "C||", "nobody")) {
      Set<String> mine = new ConcurrentSkipListSet<>();
      seen.put(expression, mine);
      lab.push(lab.unique("group" + seen.size()), "a", topic, expression, m -> mine.add(Lab.text(m)));
    }
    for (int i = 0; i < 60; i++) lab.sendOk(new Message(topic, tags[i % 6], ("m" + i).getBytes(StandardCharsets.UTF_8)));
    for (Map.Entry<String, Set<String>> group : seen.entrySet()) {
      Set<String> expected = new TreeSet<>();
      for (int i = 0; i < 60; i++) {
        if (group.getKey().equals("*") || matches(group.getKey(), tags[i % 6])) expected.add("m" + i);
      }
      until("messages of '" + group.getKey() + "'", () -> group.getValue().size() >= expected.size(), () -> "has " + group.getValue().size() + " of " + expected.size());
      equal(expected, new TreeSet<>(group.getValue()), "messages of '" + group.getKey() + "'");
    }
  }

  private static boolean matches(String expression, String tag) {
    for (String one : expression.split("\\|\\|")) if (one.trim().equals(tag)) return true;
    return false;
  }

  private static void offsetsSurvive(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    Set<String> first = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer before = lab.push(group, "a", topic, "*", m -> first.add(Lab.text(m)));
    lab.send(topic, 80);
    until("80 messages", () -> first.size() == 80, () -> "seen " + first.size());
    before.shutdown();
    for (int i = 80; i < 120; i++) lab.sendOk(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
    List<String> second = new CopyOnWriteArrayList<>();
    lab.push(group, "b", topic, "*", m -> second.add(Lab.text(m)));
    until("40 messages", () -> second.size() >= 40, () -> "seen " + second.size());
    Thread.sleep(300);
    equal(names("m", 80, 120), new TreeSet<>(second), "only what came after the first member left");
    equal(40, second.size(), "each once");
  }

  private static void newGroupStart(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    lab.send(topic, 20);
    Map<ConsumeFromWhere, Set<String>> seen = new HashMap<>();
    for (ConsumeFromWhere from : List.of(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET)) {
      Set<String> mine = new ConcurrentSkipListSet<>();
      seen.put(from, mine);
      DefaultMQPushConsumer consumer = lab.newPush(lab.unique(from.name()), "a");
      consumer.setConsumeFromWhere(from);
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> {
        messages.forEach(m -> mine.add(Lab.text(m)));
        return org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      });
      consumer.start();
    }
    // The broker answers 0 for a queue whose first entry is still there, so even "last" starts a young queue at its beginning.
    for (Map.Entry<ConsumeFromWhere, Set<String>> one : seen.entrySet()) {
      until("the messages of " + one.getKey(), () -> one.getValue().size() == 20, () -> "seen " + one.getValue().size());
    }
  }

  private static void largeBodies(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    Map<String, Integer> seen = new ConcurrentHashMap<>();
    lab.push(lab.unique("group"), "a", topic, "*", m -> seen.put(m.getKeys(), java.util.Arrays.hashCode(m.getBody())));
    Map<String, Integer> sent = new HashMap<>();
    java.util.Random random = new java.util.Random(11);
    for (int size : new int[] {1, 4095, 4096, 5000, 65_536, 300_000, 1 << 20}) {
      byte[] noise = new byte[size];
      random.nextBytes(noise);
      byte[] text = "abcdefghij".repeat(size / 10 + 1).getBytes(StandardCharsets.UTF_8);
      lab.sendOk(new Message(topic, "t", "noise" + size, noise));
      lab.sendOk(new Message(topic, "t", "text" + size, text));
      sent.put("noise" + size, java.util.Arrays.hashCode(noise));
      sent.put("text" + size, java.util.Arrays.hashCode(text));
    }
    until("all bodies", () -> seen.size() == sent.size(), () -> "seen " + seen.keySet());
    equal(new java.util.TreeMap<>(sent), new java.util.TreeMap<>(seen), "hashes of bodies");
  }

  private static void latency(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Map<String, Long> seen = new ConcurrentHashMap<>();
    DefaultMQPushConsumer consumer = lab.push(lab.unique("group"), "a", topic, "*", m -> seen.put(Lab.text(m), System.nanoTime()));
    until("the member to own its queue", () -> owned(consumer, topic).size() == 1);
    lab.send(topic, 1);
    until("the first message", () -> seen.containsKey("m0"));
    List<Long> took = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      Thread.sleep(150);
      String body = "m" + i;
      long begin = System.nanoTime();
      lab.sendOk(new Message(topic, body.getBytes(StandardCharsets.UTF_8)));
      until(body, () -> seen.containsKey(body));
      took.add((seen.get(body) - begin) / 1_000_000);
    }
    Collections.sort(took);
    // The median, because other suites share the machine; a broker that polls by a timer has all of them high.
    check(took.get(4) < 500, "send to consume took (ms) " + took);
  }

  private static void reconsumeLater(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Map<String, AtomicInteger> tries = new ConcurrentHashMap<>();
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> {
      int tried = tries.computeIfAbsent(Lab.text(messages.get(0)), k -> new AtomicInteger()).incrementAndGet();
      context.setDelayLevelWhenNextConsume(1);
      return Lab.text(messages.get(0)).equals("m1") && tried == 1 ? org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.RECONSUME_LATER
          : org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    lab.send(topic, 3);
    until("the message that was not consumed to come again", () -> tries.containsKey("m1") && tries.get("m1").get() >= 2, () -> "tries " + tries);
    equal(3, tries.size(), "messages");
    equal(2, tries.get("m0").get() + tries.get("m2").get(), "tries of the others");
  }

  private static void subscribeLater(Lab lab) throws Exception {
    String first = lab.topic("first", 2);
    String second = lab.topic("second", 2);
    Set<String> seen = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = lab.push(lab.unique("group"), "a", first, "*", m -> seen.add(m.getTopic() + Lab.text(m)));
    lab.send(first, 4);
    until("the first topic's messages", () -> seen.size() == 4);
    lab.send(second, 4);
    consumer.subscribe(second, "*");
    until("the second topic's messages", () -> seen.size() == 8, () -> "seen " + seen);
    consumer.unsubscribe(first);
    until("the first topic's queues to be left", () -> owned(consumer, first).isEmpty(), () -> "owns " + owned(consumer, first));
  }

  private static void sqlRefused(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique("group"), "a");
    consumer.subscribe(topic, org.apache.rocketmq.client.consumer.MessageSelector.bySql("a > 1"));
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> null);
    Exception e = Lab.refused("an SQL filter on a broker without enablePropertyFilter", () -> {
      consumer.start();
      return consumer;
    });
    equal(1, Lab.code(e), "SYSTEM_ERROR, in " + e);
    check(e.getMessage().contains("filter message by SQL92"), "remark: " + e);
  }

  private static void trace(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    DefaultMQProducer producer = new DefaultMQProducer(lab.unique("producer"), (org.apache.rocketmq.remoting.RPCHook) null, true, null);
    producer.setNamesrvAddr(lab.namesrv());
    producer.setSendMsgTimeout(10_000);
    producer.start();
    lab.onClose(producer::shutdown);
    String id = producer.send(new Message(topic, "m0".getBytes(StandardCharsets.UTF_8))).getMsgId();
    List<MessageExt> traces = new ArrayList<>();
    until("the trace message", () -> {
      try {
        traces.addAll(lab.admin().queryMessage("RMQ_SYS_TRACE_TOPIC", id, 32, 0, Long.MAX_VALUE).getMessageList());
        return true;
      } catch (Exception e) {
        return false;
      }
    });
    String[] fields = Lab.text(traces.get(0)).split("[\u0001\u0002]");
    equal("Pub", fields[0], "kind");
    equal(topic, fields[4], "topic");
    equal(id, fields[5], "message id");
    equal(lab.broker(), fields[8], "store host");
  }
}
