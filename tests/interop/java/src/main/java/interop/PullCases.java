package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The pull consumer's statuses and offsets, and the lite pull consumer. */
@SuppressWarnings("deprecation")
final class PullCases {
  private PullCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("pull_statuses", PullCases::statuses);
    cases.put("pull_tags", PullCases::tags);
    cases.put("pull_batch_limits", PullCases::batchLimits);
    cases.put("pull_block_if_not_found", PullCases::block);
    cases.put("pull_offsets_commit", PullCases::commit);
    cases.put("lite_pull_subscribe", PullCases::liteSubscribe);
    cases.put("lite_pull_assign", PullCases::liteAssign);
  }

  private static void result(PullResult result, PullStatus status, long next, long min, long max, String what) {
    equal(status, result.getPullStatus(), "status " + what);
    equal(next, result.getNextBeginOffset(), "next offset " + what);
    equal(min, result.getMinOffset(), "min offset " + what);
    equal(max, result.getMaxOffset(), "max offset " + what);
  }

  private static void statuses(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue full = lab.queue(topic, 0);
    MessageQueue empty = lab.queue(topic, 1);
    for (int i = 0; i < 10; i++) lab.sendTo(full, "m" + i);
    lab.readAll(topic, 10);
    DefaultMQPullConsumer reader = lab.reader();
    PullResult found = reader.pull(full, "*", 0, 32);
    result(found, PullStatus.FOUND, 10, 0, 10, "at 0");
    equal(10, found.getMsgFoundList().size(), "messages");
    equal("0", found.getMsgFoundList().get(0).getProperty("MIN_OFFSET"), "property MIN_OFFSET");
    result(reader.pull(full, "*", 3, 4), PullStatus.FOUND, 7, 0, 10, "at 3, 4 wanted");
    result(reader.pull(full, "*", 10, 32), PullStatus.NO_NEW_MSG, 10, 0, 10, "at the end");
    result(reader.pull(full, "*", 11, 32), PullStatus.OFFSET_ILLEGAL, 10, 0, 10, "one behind the end");
    result(reader.pull(full, "*", 500, 32), PullStatus.OFFSET_ILLEGAL, 10, 0, 10, "far behind the end");
    result(reader.pull(full, "nobody", 0, 32), PullStatus.NO_MATCHED_MSG, 10, 0, 10, "without a match");
    result(reader.pull(empty, "*", 0, 32), PullStatus.NO_NEW_MSG, 0, 0, 0, "of an empty queue");
    result(reader.pull(empty, "*", 5, 32), PullStatus.OFFSET_ILLEGAL, 0, 0, 0, "of an empty queue at 5");
    Exception e = Lab.refused("a queue that the topic hasn't", () -> reader.pull(new MessageQueue(topic, full.getBrokerName(), 9), "*", 0, 32));
    check(Lab.code(e) == 29 || Lab.code(e) == 1, "INVALID_PARAMETER, in " + e);
    Exception absent = Lab.refused("an absent topic", () -> reader.pull(new MessageQueue(topic + "_absent", full.getBrokerName(), 0), "*", 0, 32));
    equal(17, Lab.code(absent), "TOPIC_NOT_EXIST, in " + absent);
  }

  private static void tags(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String[] tags = {"A", "B", "C", null};
    for (int i = 0; i < 40; i++) lab.sendOk(new Message(topic, tags[i % 4], ("m" + i).getBytes(StandardCharsets.UTF_8)));
    lab.readAll(topic, 40);
    MessageQueue queue = lab.queue(topic, 0);
    for (String expression : List.of("A", "A || C", " B||C ", "*", "")) {
      Set<String> wanted = new TreeSet<>();
      Set<String> got = new TreeSet<>();
      for (int i = 0; i < 40; i++) {
        String tag = tags[i % 4];
        if (expression.equals("*") || expression.isEmpty() || (tag != null && List.of(expression.trim().split("\\s*\\|\\|\\s*")).contains(tag))) wanted.add("m" + i);
      }
      long offset = 0;
      while (offset < 40) {
        PullResult result = lab.reader().pull(queue, expression, offset, 32);
        check(result.getNextBeginOffset() > offset, "progress of '" + expression + "' at " + offset + ": " + result);
        if (result.getPullStatus() == PullStatus.FOUND) got.addAll(Lab.bodies(result.getMsgFoundList()));
        offset = result.getNextBeginOffset();
      }
      equal(wanted, got, "messages of '" + expression + "'");
    }
  }

  private static void batchLimits(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    MessageQueue queue = lab.queue(topic, 0);
    for (int i = 0; i < 40; i++) lab.sendTo(queue, "m" + i);
    byte[] noise = new byte[100_000];
    new java.util.Random(3).nextBytes(noise);
    for (int i = 0; i < 5; i++) lab.sendOk(new Message(topic, noise));
    lab.readAll(topic, 45);
    equal(1, lab.reader().pull(queue, "*", 0, 1).getMsgFoundList().size(), "1 wanted");
    equal(32, lab.reader().pull(queue, "*", 0, 100).getMsgFoundList().size(), "100 wanted: capped at 32");
    // 256 KiB a pull: two of 100 kB fit, the third passes the limit.
    PullResult large = lab.reader().pull(queue, "*", 40, 32);
    equal(2, large.getMsgFoundList().size(), "messages of 100 kB in one pull");
    equal(42, large.getNextBeginOffset(), "next offset");
  }

  private static void block(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    MessageQueue queue = lab.queue(topic, 0);
    // Another consumer on the same connection must not wait for a held pull.
    CompletableFuture<PullResult> held = CompletableFuture.supplyAsync(() -> {
      try {
        return lab.reader().pullBlockIfNotFound(queue, "*", 0, 32);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    Thread.sleep(600);
    check(!held.isDone(), "the pull is held");
    long begin = System.nanoTime();
    lab.reader().maxOffset(queue);
    check(System.nanoTime() - begin < 2_000_000_000L, "a request behind a held pull took " + (System.nanoTime() - begin) / 1_000_000 + " ms");
    lab.sendTo(queue, "m0");
    PullResult result = held.get(5, TimeUnit.SECONDS);
    equal(PullStatus.FOUND, result.getPullStatus(), "status of the woken pull");
    equal("[m0]", Lab.bodies(result.getMsgFoundList()), "bodies");
  }

  private static void commit(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    MessageQueue queue = lab.queue(topic, 0);
    String group = lab.unique("group");
    for (int i = 0; i < 10; i++) lab.sendTo(queue, "m" + i);
    DefaultMQPullConsumer first = new DefaultMQPullConsumer(group);
    first.setNamesrvAddr(lab.namesrv());
    first.setInstanceName(group + "_a");
    first.start();
    lab.onClose(first::shutdown);
    equal(0, Math.max(0, first.fetchConsumeOffset(queue, true)), "a new group's offset");
    first.pull(queue, "*", 0, 5);
    first.updateConsumeOffset(queue, 5);
    first.getOffsetStore().persist(queue);
    // The commit goes out one-way.
    until("the committed offset", () -> first.fetchConsumeOffset(queue, true) == 5);
    first.shutdown();
    DefaultMQPullConsumer second = new DefaultMQPullConsumer(group);
    second.setNamesrvAddr(lab.namesrv());
    second.setInstanceName(group + "_b");
    second.start();
    lab.onClose(second::shutdown);
    equal(5, second.fetchConsumeOffset(queue, true), "offset after a restart of the consumer");
    // The statistics look the group up by its retry topic, which the first heartbeat makes.
    until("the retry topic", () -> lab.routeQueues("%RETRY%" + group) > 0);
    var stats = lab.admin().examineConsumeStats(group, topic);
    equal(10, stats.getOffsetTable().get(queue).getBrokerOffset(), "broker offset in the consume stats");
    equal(5, stats.getOffsetTable().get(queue).getConsumerOffset(), "consumer offset in the consume stats");
  }

  private static DefaultLitePullConsumer lite(Lab lab, String group, String member) {
    DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(group);
    consumer.setNamesrvAddr(lab.namesrv());
    consumer.setInstanceName(group + member);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setPullThreadNums(2);
    consumer.setHeartbeatBrokerInterval(2000);
    lab.onClose(consumer::shutdown);
    return consumer;
  }

  private static List<MessageExt> poll(DefaultLitePullConsumer consumer, int count) throws Exception {
    List<MessageExt> got = new ArrayList<>();
    until(count + " polled messages", () -> {
      got.addAll(consumer.poll(500));
      return got.size() >= count;
    }, () -> "have " + got.size());
    return got;
  }

  private static void liteSubscribe(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    DefaultLitePullConsumer first = lite(lab, group, "a");
    first.setAutoCommit(false);
    first.subscribe(topic, "*");
    first.start();
    lab.send(topic, 60);
    equal(names("m", 0, 60), Lab.bodies(poll(first, 60)), "polled");
    first.commitSync();
    for (MessageQueue queue : lab.queues(topic)) until("the committed offset of " + queue, () -> first.committed(queue) == 15);
    first.shutdown();
    DefaultLitePullConsumer second = lite(lab, group, "b");
    second.subscribe(topic, "*");
    second.start();
    for (int i = 60; i < 80; i++) lab.sendOk(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
    equal(names("m", 60, 80), Lab.bodies(poll(second, 20)), "polled after the restart");
  }

  private static void liteAssign(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue queue = lab.queue(topic, 1);
    for (int i = 0; i < 20; i++) lab.sendTo(queue, "m" + i);
    DefaultLitePullConsumer consumer = lite(lab, lab.unique("group"), "a");
    consumer.setAutoCommit(false);
    consumer.start();
    equal(2, consumer.fetchMessageQueues(topic).size(), "queues");
    consumer.assign(List.of(queue));
    // Drained first: the client may still hand out what it was pulling when seek() came.
    equal(names("m", 0, 20), Lab.bodies(poll(consumer, 20)), "polled");
    consumer.seek(queue, 15);
    equal(names("m", 15, 20), Lab.bodies(poll(consumer, 5)), "polled from 15");
    consumer.seekToBegin(queue);
    equal(names("m", 0, 20), Lab.bodies(poll(consumer, 20)), "polled from the beginning");
    consumer.seekToEnd(queue);
    lab.sendTo(queue, "m20");
    equal("[m20]", Lab.bodies(poll(consumer, 1)), "polled from the end");
  }
}
