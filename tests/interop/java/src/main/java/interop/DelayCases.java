package interop;

import static interop.Lab.check;
import static interop.Lab.code;
import static interop.Lab.equal;
import static interop.Lab.refused;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Messages that wait: by delay level, or until a time of their own. */
final class DelayCases {
  /** How late a broker on a busy machine may deliver beyond what it promises. */
  static final long SLACK_MS = 3_000;

  private DelayCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("delay_levels", DelayCases::levels);
    cases.put("delay_to_consumer", DelayCases::toConsumer);
    cases.put("delay_timer", DelayCases::timer);
    cases.put("delay_timer_bounds", DelayCases::timerBounds);
    cases.put("delay_survives_kill", DelayCases::survivesKill);
  }

  static Message message(String topic, String body) {
    return new Message(topic, "T", "key-" + body, body.getBytes(StandardCharsets.UTF_8));
  }

  static Message with(Message message, String property, Object value) {
    MessageAccessor.putProperty(message, property, String.valueOf(value));
    return message;
  }

  static SendResult sendTo(Lab lab, Message message, MessageQueue queue) throws Exception {
    SendResult result = lab.producer().send(message, queue);
    equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
    equal(queue.getQueueId(), result.getMessageQueue().getQueueId(), "the answer names the real queue");
    return result;
  }

  static MessageExt find(List<MessageExt> all, String body) {
    MessageExt found = all.stream().filter(m -> Lab.text(m).equals(body)).findFirst().orElse(null);
    check(found != null, body + " was not delivered");
    return found;
  }

  private static void levels(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue queue = lab.queue(topic, 1);
    long before = System.currentTimeMillis();
    Message one = message(topic, "one");
    one.setDelayTimeLevel(1);
    SendResult sent = sendTo(lab, one, queue);
    Message two = message(topic, "two");
    two.setDelayTimeLevel(2);
    sendTo(lab, two, queue);
    sendTo(lab, message(topic, "now"), queue);
    Message never = message(topic, "zero");
    never.setDelayTimeLevel(0);
    sendTo(lab, never, queue);
    equal("[now, zero]", Lab.bodies(lab.readAll(topic, 2)), "what is there at once");

    List<MessageExt> all = lab.readAll(topic, 4);
    equal(4, all.size(), "delivered");
    for (MessageExt message : all) equal(1, message.getQueueId(), "queue of " + Lab.text(message));
    for (Object[] delayed : new Object[][] {{"one", 1, 1_000L}, {"two", 2, 5_000L}}) {
      MessageExt message = find(all, (String) delayed[0]);
      long waited = message.getStoreTimestamp() - before;
      check(waited >= (Long) delayed[2], delayed[0] + " came after " + waited + " ms");
      check(waited <= (Long) delayed[2] + SLACK_MS, delayed[0] + " came after " + waited + " ms");
      equal(topic, message.getProperty("REAL_TOPIC"), "REAL_TOPIC");
      equal("1", message.getProperty("REAL_QID"), "REAL_QID");
      equal(String.valueOf(delayed[1]), message.getProperty("DELAY"), "DELAY");
      equal("T", message.getTags(), "tags");
      equal(topic, message.getTopic(), "topic");
      equal(0, message.getReconsumeTimes(), "reconsume times");
    }
    equal(sent.getMsgId(), find(all, "one").getProperty("UNIQ_KEY"), "unique id");
    Lab.until("the delivered message by its key", () -> {
      try {
        return lab.admin().queryMessage(topic, "key-one", 8, before - 1_000, System.currentTimeMillis() + 1_000).getMessageList().size() == 1;
      } catch (MQClientException e) {
        return false;
      }
    });
  }

  private static void toConsumer(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    Set<String> seen = java.util.concurrent.ConcurrentHashMap.newKeySet();
    List<Long> late = java.util.Collections.synchronizedList(new ArrayList<>());
    lab.push(lab.unique("group"), "a", topic, "T", m -> {
      late.add(System.currentTimeMillis() - Long.parseLong(m.getUserProperty("due")));
      seen.add(Lab.text(m));
    });
    for (int i = 0; i < 60; i++) {
      Message message = message(topic, "m" + i);
      if (i % 2 == 0) message.setDelayTimeLevel(1);
      else with(message, "TIMER_DELAY_MS", 1_000);
      message.putUserProperty("due", String.valueOf(System.currentTimeMillis() + 1_000));
      lab.sendOk(message);
    }
    Lab.until("60 messages at a push consumer", () -> seen.size() == 60, () -> "seen " + seen.size());
    equal(Lab.names("m", 0, 60), new TreeSet<>(seen), "bodies");
    check(late.stream().allMatch(ms -> ms >= 0), "early: " + late);
  }

  private static void timer(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue queue = lab.queue(topic, 1);
    long before = System.currentTimeMillis();
    long at = before + 3_333;
    sendTo(lab, with(message(topic, "seconds"), "TIMER_DELAY_SEC", 2), queue);
    sendTo(lab, with(message(topic, "milliseconds"), "TIMER_DELAY_MS", 1_500), queue);
    SendResult sent = sendTo(lab, with(message(topic, "time"), "TIMER_DELIVER_MS", at), queue);
    Message both = with(message(topic, "level"), "TIMER_DELAY_SEC", 3_600);
    both.setDelayTimeLevel(1);
    sendTo(lab, both, queue);
    sendTo(lab, with(message(topic, "past"), "TIMER_DELIVER_MS", before - 5_000), queue);
    equal("[past]", Lab.bodies(lab.readAll(topic, 1)), "what is there at once");
    List<MessageExt> all = lab.readAll(topic, 5);
    equal(5, all.size(), "delivered");
    for (Object[] timed : new Object[][] {{"seconds", 2_000L}, {"milliseconds", 1_500L}, {"time", 3_333L}}) {
      MessageExt message = find(all, (String) timed[0]);
      long waited = message.getStoreTimestamp() - before;
      check(waited >= (Long) timed[1], timed[0] + " came after " + waited + " ms");
      check(waited <= (Long) timed[1] + 1_100 + SLACK_MS, timed[0] + " came after " + waited + " ms");
      equal(1, message.getQueueId(), "queue of " + timed[0]);
      equal(topic, message.getProperty("REAL_TOPIC"), "REAL_TOPIC");
      for (String name : List.of("TIMER_OUT_MS", "TIMER_ENQUEUE_MS", "TIMER_DEQUEUE_MS")) check(message.getProperty(name) != null, name + " of " + timed[0]);
    }
    equal(at, find(all, "time").getProperty("TIMER_DELIVER_MS"), "TIMER_DELIVER_MS");
    equal(sent.getMsgId(), find(all, "time").getProperty("UNIQ_KEY"), "unique id");
    check(find(all, "level").getProperty("TIMER_DELAY_SEC") == null, "the level's message kept its timer");
  }

  private static void timerBounds(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    DefaultMQProducer producer = lab.newProducer(lab.unique("producer"));
    producer.setRetryTimesWhenSendFailed(0);
    for (String[] bad : new String[][] {{"TIMER_DELAY_SEC", "soon"}, {"TIMER_DELAY_MS", "1.5"}, {"TIMER_DELAY_SEC", "259201"}, {"TIMER_DELIVER_MS", "99999999999999"}}) {
      Exception e = refused(bad[0] + "=" + bad[1], () -> producer.send(with(message(topic, "bad"), bad[0], bad[1])));
      equal(13, code(e), "MESSAGE_ILLEGAL for " + bad[0] + "=" + bad[1]);
      check(String.valueOf(e).contains("timer message illegal"), "the remark of " + e);
    }
    lab.sendOk(with(message(topic, "negative"), "TIMER_DELAY_SEC", -5));
    equal("[negative]", Lab.bodies(lab.readAll(topic, 1)), "only what was not refused is there");
  }

  private static void survivesKill(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    long[] due = new long[80];
    for (int i = 0; i < due.length; i++) {
      Message message = message(topic, "m" + i);
      due[i] = System.currentTimeMillis() + 5_000;
      if (i % 2 == 0) message.setDelayTimeLevel(2);
      else with(message, "TIMER_DELAY_MS", 5_000);
      lab.sendOk(message);
    }
    lab.ask("restart-kill");
    // Nobody promises once only across a kill; each must come, and none before its time.
    Set<String> seen = new TreeSet<>();
    Lab.until("80 messages after the kill", 60_000, () -> {
      List<MessageExt> delivered;
      try {
        delivered = lab.readAll(topic, 1);
      } catch (Exception e) {
        return false;  // the client has not found the broker again yet
      }
      for (MessageExt message : delivered) {
        if (!seen.add(Lab.text(message))) continue;
        int number = Integer.parseInt(Lab.text(message).substring(1));
        check(message.getStoreTimestamp() >= due[number], Lab.text(message) + " came " + (due[number] - message.getStoreTimestamp()) + " ms early");
      }
      return seen.size() == due.length;
    }, () -> "seen " + seen.size());
  }
}
