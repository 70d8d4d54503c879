package interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What a case works with: clients that end with the case, and the verbs that cases share. */
@SuppressWarnings("deprecation")
final class Lab {
  static final long WAIT_MS = 30_000;
  private final Shared shared;
  private final String name;
  private final Deque<Runnable> closers = new ArrayDeque<>();

  Lab(Shared shared, String name) {
    this.shared = shared;
    this.name = name;
  }

  /** The clients that all cases of this process use, and the way to the harness. */
  static final class Shared {
    final String namesrv;
    final String broker;
    final String prefix;
    private final PrintStream results;
    private final BufferedReader answers = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private DefaultMQAdminExt admin;
    private DefaultMQProducer producer;
    private DefaultMQPullConsumer reader;

    Shared(String namesrv, String broker, String prefix, PrintStream results) {
      this.namesrv = namesrv;
      this.broker = broker;
      this.prefix = prefix;
      this.results = results;
    }

    synchronized DefaultMQAdminExt admin() throws Exception {
      if (admin == null) {
        admin = new DefaultMQAdminExt(10_000);
        admin.setNamesrvAddr(namesrv);
        admin.setInstanceName(prefix + "_admin");
        admin.start();
      }
      return admin;
    }

    synchronized DefaultMQProducer producer() throws Exception {
      if (producer == null) producer = startProducer(namesrv, prefix + "_producer");
      return producer;
    }

    synchronized DefaultMQPullConsumer reader() throws Exception {
      if (reader == null) {
        reader = new DefaultMQPullConsumer(prefix + "_reader");
        reader.setNamesrvAddr(namesrv);
        reader.setInstanceName(prefix + "_reader");
        reader.start();
      }
      return reader;
    }

    synchronized void result(String name, double seconds, String reason) {
      StringBuilder escaped = new StringBuilder();
      for (char c : reason.toCharArray()) {
        if (c == '"' || c == '\\') escaped.append('\\').append(c);
        else if (c < ' ') escaped.append(' ');
        else escaped.append(c);
      }
      results.printf("{\"case\":\"%s\",\"ok\":%s,\"seconds\":%.3f,\"reason\":\"%s\"}%n", name, reason.isEmpty(), seconds, escaped);
      results.flush();
    }

    /** Asks the harness to do something (restart the broker, wait for a file) and waits until it has. */
    synchronized String ask(String what) throws IOException {
      results.println("{\"ask\":\"" + what + "\"}");
      results.flush();
      String answer = answers.readLine();
      check(answer != null && answer.startsWith("ok"), "the harness answered " + answer + " to " + what);
      return answer;
    }

    void close() {
      for (Runnable one : List.<Runnable>of(() -> producer.shutdown(), () -> reader.shutdown(), () -> admin.shutdown())) {
        try {
          one.run();
        } catch (RuntimeException e) {
          // not started, or already gone
        }
      }
    }
  }

  static DefaultMQProducer startProducer(String namesrv, String group) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer(group);
    producer.setNamesrvAddr(namesrv);
    producer.setSendMsgTimeout(10_000);
    producer.start();
    return producer;
  }

  String namesrv() {
    return shared.namesrv;
  }

  String broker() {
    return shared.broker;
  }

  DefaultMQAdminExt admin() throws Exception {
    return shared.admin();
  }

  DefaultMQProducer producer() throws Exception {
    return shared.producer();
  }

  DefaultMQPullConsumer reader() throws Exception {
    return shared.reader();
  }

  String ask(String what) throws IOException {
    return shared.ask(what);
  }

  /** A name that no other case and no other process of this run uses. */
  String unique(String suffix) {
    return shared.prefix + "_" + name + (suffix.isEmpty() ? "" : "_" + suffix);
  }

  void onClose(Runnable closer) {
    synchronized (closers) {
      closers.push(closer);
    }
  }

  void close() {
    synchronized (closers) {
      for (Runnable closer : closers) {
        try {
          closer.run();
        } catch (RuntimeException e) {
          System.err.println("close: " + e);
        }
      }
      closers.clear();
    }
  }

  /** Creates a topic of this case with `queues` queues and waits until the name server routes it. */
  String topic(String suffix, int queues) throws Exception {
    String topic = unique(suffix);
    createTopic(topic, queues);
    return topic;
  }

  void createTopic(String topic, int queues) throws Exception {
    admin().createAndUpdateTopicConfig(broker(), new TopicConfig(topic, queues, queues, 6));
    until("route of " + topic, () -> routeQueues(topic) == queues);
  }

  int routeQueues(String topic) {
    try {
      return admin().examineTopicRouteInfo(topic).getQueueDatas().get(0).getWriteQueueNums();
    } catch (Exception e) {
      return -1;
    }
  }

  DefaultMQProducer newProducer(String group) throws Exception {
    DefaultMQProducer producer = startProducer(namesrv(), group);
    onClose(producer::shutdown);
    return producer;
  }

  /** A push consumer, not yet started, that starts at the beginning of its queues. */
  DefaultMQPushConsumer newPush(String group, String member) {
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
    consumer.setNamesrvAddr(namesrv());
    consumer.setInstanceName(group + "_" + member);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    // A client whose heartbeats collide skips one; at the default 30 s its pulls would meanwhile be refused as "not latest".
    consumer.setHeartbeatBrokerInterval(2000);
    consumer.setConsumeThreadMin(2);
    consumer.setConsumeThreadMax(4);
    onClose(consumer::shutdown);
    return consumer;
  }

  /** A push consumer that hands each message to `sink` and is started. */
  DefaultMQPushConsumer push(String group, String member, String topic, String tags, Consumer<MessageExt> sink) throws Exception {
    DefaultMQPushConsumer consumer = newPush(group, member);
    consumer.subscribe(topic, tags);
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(sink);
      return org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }

  /** Sends bodies "m0".."m<n-1>" round robin over the queues. */
  List<SendResult> send(String topic, int count) throws Exception {
    List<SendResult> sent = new ArrayList<>();
    for (int i = 0; i < count; i++) sent.add(sendOk(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8))));
    return sent;
  }

  SendResult sendOk(Message message) throws Exception {
    SendResult result = producer().send(message);
    equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
    return result;
  }

  SendResult sendTo(MessageQueue queue, String body) throws Exception {
    SendResult result = producer().send(new Message(queue.getTopic(), body.getBytes(StandardCharsets.UTF_8)), queue);
    equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
    return result;
  }

  List<MessageQueue> queues(String topic) throws Exception {
    List<MessageQueue> queues = new ArrayList<>(reader().fetchSubscribeMessageQueues(topic));
    Collections.sort(queues);
    return queues;
  }

  MessageQueue queue(String topic, int id) throws Exception {
    return queues(topic).stream().filter(q -> q.getQueueId() == id).findFirst().orElseThrow();
  }

  /** Everything in the topic, once it holds at least `count` messages; ordered by queue, then offset. */
  List<MessageExt> readAll(String topic, int count) throws Exception {
    List<MessageExt> all = new ArrayList<>();
    until(count + " messages in " + topic, () -> {
      all.clear();
      for (MessageQueue queue : queues(topic)) {
        long offset = 0;
        while (true) {
          PullResult result = reader().pull(queue, "*", offset, 32, 10_000);
          if (result.getPullStatus() == PullStatus.FOUND) all.addAll(result.getMsgFoundList());
          else if (result.getPullStatus() != PullStatus.NO_MATCHED_MSG) break;
          offset = result.getNextBeginOffset();
        }
      }
      return all.size() >= count;
    }, () -> "has " + all.size());
    all.sort(Comparator.comparingInt(MessageExt::getQueueId).thenComparingLong(MessageExt::getQueueOffset));
    return all;
  }

  static Set<String> bodies(List<MessageExt> messages) {
    Set<String> bodies = new TreeSet<>();
    messages.forEach(m -> bodies.add(text(m)));
    return bodies;
  }

  static Set<String> names(String prefix, int from, int to) {
    Set<String> names = new TreeSet<>();
    for (int i = from; i < to; i++) names.add(prefix + i);
    return names;
  }

  static String text(MessageExt message) {
    return new String(message.getBody(), StandardCharsets.UTF_8);
  }

  static void until(String what, Callable<Boolean> condition) throws Exception {
    until(what, condition, () -> "");
  }

  /** Waits, bounded, until the condition holds. */
  static void until(String what, Callable<Boolean> condition, Callable<String> state) throws Exception {
    until(what, WAIT_MS, condition, state);
  }

  static void until(String what, long waitMs, Callable<Boolean> condition, Callable<String> state) throws Exception {
    long end = System.nanoTime() + waitMs * 1_000_000;
    while (!condition.call()) {
      if (System.nanoTime() > end) throw new AssertionError("waited " + waitMs + " ms for " + what + " " + state.call());
      Thread.sleep(25);
    }
  }

  static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  static void equal(Object expected, Object actual, String what) {
    if (!String.valueOf(expected).equals(String.valueOf(actual))) {
      throw new AssertionError(what + ": expected " + shorten(expected) + ", got " + shorten(actual));
    }
  }

  private static String shorten(Object value) {
    String text = String.valueOf(value);
    return text.length() > 400 ? text.substring(0, 400) + "…" : text;
  }

  /** Runs `action`, which must throw, and returns what it threw. */
  static Exception refused(String what, Callable<?> action) {
    try {
      Object got = action.call();
      throw new AssertionError(what + " was accepted: " + shorten(got));
    } catch (Exception e) {
      return e;
    }
  }

  /** The response code inside a client's exception, or -1. */
  static int code(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof org.apache.rocketmq.client.exception.MQBrokerException) {
        return ((org.apache.rocketmq.client.exception.MQBrokerException) t).getResponseCode();
      }
      if (t instanceof org.apache.rocketmq.client.exception.MQClientException) {
        int code = ((org.apache.rocketmq.client.exception.MQClientException) t).getResponseCode();
        if (code != -1) return code;
      }
    }
    return -1;
  }
}
