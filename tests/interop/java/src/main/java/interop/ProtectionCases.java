package interop;

import static interop.Lab.check;
import static interop.Lab.code;
import static interop.Lab.equal;
import static interop.Lab.refused;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** What a broker refuses to clients that do nothing wrong: topics without a permission, groups that are switched off. */
final class ProtectionCases {
  private static final int NO_PERMISSION = 16;

  private ProtectionCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("topic_permissions", ProtectionCases::permissions);
    cases.put("group_switched_off", ProtectionCases::switchedOff);
  }

  private static void permit(Lab lab, String topic, int perm) throws Exception {
    lab.admin().createAndUpdateTopicConfig(lab.broker(), new TopicConfig(topic, 1, 1, perm));
  }

  private static void permissions(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    MessageQueue queue = lab.queue(topic, 0);
    lab.sendTo(queue, "m0");
    equal(1, lab.readAll(topic, 1).size(), "messages");
    permit(lab, topic, 4);
    lab.sendTo(queue, "m1");  // clients go by the route; a broker doesn't look at the topic's permission when it stores
    DefaultMQPullConsumer reader = lab.reader();
    equal("FOUND", reader.pull(queue, "*", 0, 32).getPullStatus().name(), "a pull of a topic that may only be read");
    permit(lab, topic, 2);
    Exception pull = refused("a pull of a topic that may only be written", () -> reader.pull(queue, "*", 0, 32));
    equal(NO_PERMISSION, code(pull), "NO_PERMISSION, in " + pull);
    check(String.valueOf(pull.getMessage()).contains("the topic[" + topic + "] pulling message is forbidden"), "remark: " + pull);
    lab.sendTo(queue, "m2");
    permit(lab, topic, 6);
    equal("[m0, m1, m2]", Lab.bodies(lab.readAll(topic, 3)).toString(), "what is there when both is allowed again");
  }

  /** A push consumer whose group is switched off gets nothing, and goes on where it was when it is switched on again. */
  private static void switchedOff(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    CopyOnWriteArrayList<String> seen = new CopyOnWriteArrayList<>();
    lab.send(topic, 3);
    lab.push(group, "a", topic, "*", message -> seen.add(Lab.text(message)));
    until("3 messages", () -> seen.size() == 3, () -> "seen " + seen);
    var settings = lab.admin().examineSubscriptionGroupConfig(lab.broker(), group);
    settings.setConsumeEnable(false);
    lab.admin().createAndUpdateSubscriptionGroupConfig(lab.broker(), settings);
    DefaultMQPullConsumer other = lab.reader();
    lab.sendOk(new Message(topic, "held".getBytes(StandardCharsets.UTF_8)));  // answers the pull that the broker held
    lab.sendOk(new Message(topic, "late".getBytes(StandardCharsets.UTF_8)));
    equal("FOUND", other.pull(lab.queue(topic, 0), "*", 4, 32).getPullStatus().name(), "another group's pull");
    Thread.sleep(1500);
    check(!seen.contains("late"), "a group that is switched off consumes: " + seen);
    settings.setConsumeEnable(true);
    lab.admin().createAndUpdateSubscriptionGroupConfig(lab.broker(), settings);
    until("the rest", () -> seen.contains("held") && seen.contains("late"), () -> "seen " + seen);
    equal(5, seen.size(), "messages, each once: " + seen);
  }
}
