package interop;

import static interop.Lab.check;
import static interop.Lab.code;
import static interop.Lab.equal;
import static interop.Lab.refused;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** What only a 5.x client can: its own calls for timers, and taking a timer message back. The broker has recallMessageEnable=true. */
final class RecallCases {
  private RecallCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("timer_calls", RecallCases::timerCalls);
    cases.put("recall", RecallCases::recall);
    cases.put("recall_refused", RecallCases::recallRefused);
  }

  private static void timerCalls(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    long before = System.currentTimeMillis();
    Message ms = DelayCases.message(topic, "ms");
    ms.setDelayTimeMs(1_700);
    Message sec = DelayCases.message(topic, "sec");
    sec.setDelayTimeSec(2);
    Message at = DelayCases.message(topic, "at");
    at.setDeliverTimeMs(before + 2_500);
    for (Message message : List.of(ms, sec, at)) lab.sendOk(message);
    List<MessageExt> all = lab.readAll(topic, 3);
    for (Object[] timed : new Object[][] {{"ms", 1_700L}, {"sec", 2_000L}, {"at", 2_500L}}) {
      long waited = DelayCases.find(all, (String) timed[0]).getStoreTimestamp() - before;
      check(waited >= (Long) timed[1] && waited <= (Long) timed[1] + 1_100 + DelayCases.SLACK_MS, timed[0] + " came after " + waited + " ms");
    }
  }

  private static void recall(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    long at = System.currentTimeMillis() + 4_000;
    Message gone = DelayCases.message(topic, "gone");
    gone.setDeliverTimeMs(at);
    Message stays = DelayCases.message(topic, "stays");
    stays.setDeliverTimeMs(at);
    SendResult sent = lab.sendOk(gone);
    SendResult kept = lab.sendOk(stays);
    check(sent.getRecallHandle() != null && kept.getRecallHandle() != null, "handles in the answers");
    String[] parts = new String(Base64.getUrlDecoder().decode(sent.getRecallHandle()), StandardCharsets.UTF_8).split(" ");
    equal("v1 " + topic + " broker-a", String.join(" ", parts[0], parts[1], parts[2]), "what the handle names");
    equal(sent.getMsgId(), parts[4], "the handle's id");
    equal(sent.getMsgId(), lab.producer().recallMessage(topic, sent.getRecallHandle()), "the recalled id");
    Message plain = DelayCases.message(topic, "plain");
    check(lab.sendOk(plain).getRecallHandle() == null, "a plain message has a handle");
    Message level = DelayCases.message(topic, "level");
    level.setDelayTimeLevel(2);
    check(lab.sendOk(level).getRecallHandle() == null, "a message with a level has a handle");
    // The level's message is due behind the others: when it is there, they would be, too.
    lab.readAll(topic, 3);
    Thread.sleep(Math.max(0, at + 2_000 - System.currentTimeMillis()));
    equal("[level, plain, stays]", Lab.bodies(lab.readAll(topic, 3)), "what was delivered");
  }

  private static void recallRefused(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String other = lab.topic("other", 1);
    Message message = DelayCases.message(topic, "m");
    message.setDelayTimeSec(60);
    String handle = lab.sendOk(message).getRecallHandle();
    equal(604, code(refused("another topic", () -> lab.producer().recallMessage(other, handle))), "ILLEGAL_OPERATION");
    String late = Base64.getUrlEncoder().encodeToString(("v1 " + topic + " broker-a 1000 ABC").getBytes(StandardCharsets.UTF_8));
    equal(604, code(refused("a time that has passed", () -> lab.producer().recallMessage(topic, late))), "ILLEGAL_OPERATION");
    lab.producer().recallMessage(topic, handle);
  }
}
