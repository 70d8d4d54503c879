package interop;

import static interop.Lab.equal;
import static interop.Lab.until;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageRequestMode;

/** Consumers of 5.x that leave the sharing of queues to the broker. */
final class AssignmentCases {
  private AssignmentCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("push_assigned_by_broker", AssignmentCases::assigned);
  }

  private static DefaultMQPushConsumer member(Lab lab, String group, String name, String topic, Set<String> seen) throws Exception {
    DefaultMQPushConsumer consumer = lab.newPush(group, name);
    consumer.setClientRebalance(false);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> seen.add(m.getQueueId() + ":" + Lab.text(m)));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }

  private static Set<Integer> owned(DefaultMQPushConsumer consumer, String topic) {
    Set<Integer> owned = new TreeSet<>();
    consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().forEach((queue, process) -> {
      if (queue.getTopic().equals(topic) && !process.isDropped()) owned.add(queue.getQueueId());
    });
    return owned;
  }

  private static void assigned(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    Set<String> a = new ConcurrentSkipListSet<>();
    Set<String> b = new ConcurrentSkipListSet<>();
    List<DefaultMQPushConsumer> members = List.of(member(lab, group, "a", topic, a), member(lab, group, "b", topic, b));
    lab.admin().setMessageRequestMode(lab.broker(), topic, group, MessageRequestMode.PULL, 0, 5000);
    until("two queues for each", () -> owned(members.get(0), topic).equals(Set.of(0, 1)) && owned(members.get(1), topic).equals(Set.of(2, 3)),
        () -> owned(members.get(0), topic) + " and " + owned(members.get(1), topic));
    lab.send(topic, 40);
    until("all messages", () -> a.size() + b.size() >= 40, () -> "seen " + (a.size() + b.size()));
    equal(20, a.size(), "messages of the first member");
    equal("[0, 1]", new TreeSet<>(a.stream().map(m -> m.substring(0, 1)).collect(java.util.stream.Collectors.toSet())), "queues of the first member");
    equal("[2, 3]", new TreeSet<>(b.stream().map(m -> m.substring(0, 1)).collect(java.util.stream.Collectors.toSet())), "queues of the second member");
  }
}
