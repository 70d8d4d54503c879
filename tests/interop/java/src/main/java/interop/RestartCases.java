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
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** What clients see of a broker that is stopped cleanly, or killed, and started again. They run one after another. */
final class RestartCases {
  private RestartCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("restart_clean", lab -> restart(lab, "restart-clean"));
    cases.put("restart_kill9", lab -> restart(lab, "restart-kill"));
  }

  private static void restart(Lab lab, String how) throws Exception {
    String topic = lab.topic("", 4);
    String gone = lab.unique("gone");
    String staying = lab.unique("staying");
    Set<String> first = new ConcurrentSkipListSet<>();
    List<String> through = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer before = lab.push(gone, "a", topic, "*", m -> first.add(Lab.text(m)));
    lab.push(staying, "a", topic, "*", m -> through.add(Lab.text(m)));
    List<SendResult> sent = lab.send(topic, 60);
    until("60 messages at the first group", () -> first.size() == 60, () -> "seen " + first.size());
    until("60 messages at the staying group", () -> through.size() == 60, () -> "seen " + through.size());
    before.shutdown();
    // A killed broker keeps the offsets that it had written to its file.
    lab.ask("persisted " + gone + " 60");

    lab.ask(how);

    int refused = 0;
    for (int i = 60; i < 100; i++) {
      while (true) {
        try {
          SendResult result = lab.producer().send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
          equal(SendStatus.SEND_OK, result.getSendStatus(), "send status after the restart");
          sent.add(result);
          break;
        } catch (AssertionError e) {
          throw e;
        } catch (Exception e) {
          check(++refused < 100, "sends still fail: " + e);
          Thread.sleep(100);
        }
      }
    }
    // A 4.x client does not notice that the connection of a held pull is gone; it waits out the pull's 30 s.
    until("all messages at the staying group", 50_000, () -> new TreeSet<>(through).size() == 100, () -> "seen " + new TreeSet<>(through).size());
    equal(100, through.size(), "messages at the staying group, each once");
    List<String> second = new CopyOnWriteArrayList<>();
    lab.push(gone, "b", topic, "*", m -> second.add(Lab.text(m)));
    until("the rest at the first group", () -> second.size() >= 40, () -> "seen " + second.size());
    equal(names("m", 60, 100), new TreeSet<>(second), "the first group goes on where it was");

    List<MessageExt> stored = lab.readAll(topic, 100);
    equal(100, stored.size(), "stored messages");
    long[] next = new long[4];
    for (MessageExt message : stored) equal(next[message.getQueueId()]++, message.getQueueOffset(), "offsets of queue " + message.getQueueId() + " have no hole");
    for (SendResult result : sent) {
      MessageExt message = lab.admin().viewMessage(topic, result.getOffsetMsgId());
      equal(result.getQueueOffset(), message.getQueueOffset(), "queue offset as acknowledged");
      equal(result.getMsgId(), message.getProperty("UNIQ_KEY"), "unique id as acknowledged");
    }
    MessageQueue queue = sent.get(0).getMessageQueue();
    equal(0, lab.admin().minOffset(queue), "min offset");
    equal(6, lab.routeQueues(topic) + lab.admin().examineTopicRouteInfo(topic).getQueueDatas().get(0).getPerm() - 4, "queues and permission of the topic");
    String key = sent.get(99).getMsgId();
    until("the index to hold a message sent after the restart", () -> {
      try {
        return lab.admin().viewMessage(topic, key) != null;
      } catch (Exception e) {
        return false;
      }
    });
    if (how.equals("restart-clean")) equal(0, lab.admin().viewMessage(topic, sent.get(0).getMsgId()).getQueueOffset(), "a message of before, by its unique id");
  }
}
