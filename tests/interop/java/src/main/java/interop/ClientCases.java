package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** What the broker asks of connected consumers for an administrator, and what they tell of themselves by traces. */
final class ClientCases {
  private ClientCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("client_running_info", ClientCases::runningInfo);
    cases.put("client_consumes_directly", ClientCases::consumesDirectly);
    cases.put("client_status", ClientCases::status);
    cases.put("message_trace_of_consumer", ClientCases::consumerTrace);
  }

  private static void online(Lab lab, String group, int members) throws Exception {
    until(members + " members of the group", () -> {
      try {
        return lab.admin().examineConsumerConnectionInfo(group).getConnectionSet().size() == members;
      } catch (Exception e) {
        return false;
      }
    });
  }

  private static void runningInfo(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      seen.add(Lab.text(messages.get(0)));
      return ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    online(lab, group, 1);
    lab.send(topic, 6);
    until("the messages", () -> seen.size() == 6);
    String id = consumer.buildMQClientId();
    until("both queues, locked", () -> lab.admin().getConsumerRunningInfo(group, id, false).getMqTable().entrySet().stream()
        .filter(e -> e.getKey().getTopic().equals(topic) && e.getValue().isLocked()).count() == 2);
    check(lab.admin().getConsumerRunningInfo(group, id, false).getSubscriptionSet().stream().anyMatch(s -> s.getTopic().equals(topic)), "subscriptions");
    check(lab.admin().getConsumerRunningInfo(group, id, true).getJstack().contains("java.lang.Thread"), "the stacks that were asked for");
    Exception e = Lab.refused("a client that is not there", () -> lab.admin().getConsumerRunningInfo(group, "192.0.2.1@nobody", false));
    check(String.valueOf(e).contains("<" + group + "> <192.0.2.1@nobody> not online"), "remark: " + e);
  }

  private static void consumesDirectly(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    List<String> seen = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      String text = Lab.text(messages.get(0));
      seen.add(text);
      boolean again = seen.stream().filter(text::equals).count() > 1;
      if (again && text.equals("m1")) return ConsumeConcurrentlyStatus.RECONSUME_LATER;
      if (again && text.equals("m2")) throw new IllegalStateException("the case says no");
      return again && text.equals("m3") ? null : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    online(lab, group, 1);
    List<SendResult> sent = lab.send(topic, 4);
    until("the messages", () -> seen.size() == 4);
    String[] results = {"CR_SUCCESS", "CR_LATER", "CR_THROW_EXCEPTION", "CR_RETURN_NULL"};
    for (int i = 0; i < results.length; i++) {
      equal(results[i], lab.admin().consumeMessageDirectly(group, consumer.buildMQClientId(), topic, sent.get(i).getOffsetMsgId()).getConsumeResult(), "result of m" + i);
    }
    equal("[m0, m0, m1, m1, m2, m2, m3, m3]", seen.stream().sorted().collect(java.util.stream.Collectors.toList()), "each was consumed once more, and none is retried");
    Exception e = Lab.refused("a client that is not there", () -> lab.admin().consumeMessageDirectly(group, "nobody", topic, sent.get(0).getOffsetMsgId()));
    check(String.valueOf(e).contains("not online"), "remark: " + e);
  }

  private static void status(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    Set<String> seen = new ConcurrentSkipListSet<>();
    DefaultMQPushConsumer a = lab.push(group, "a", topic, "*", m -> seen.add(Lab.text(m)));
    DefaultMQPushConsumer b = lab.push(group, "b", topic, "*", m -> seen.add(Lab.text(m)));
    online(lab, group, 2);
    lab.send(topic, 40);
    until("the messages", () -> seen.size() == 40);
    Set<String> ids = new TreeSet<>(List.of(a.buildMQClientId(), b.buildMQClientId()));
    until("how far both members have come in the four queues", () -> {
      Map<String, Map<MessageQueue, Long>> status = lab.admin().getConsumeStatus(topic, group, "");
      long sum = status.values().stream().flatMap(q -> q.values().stream()).mapToLong(Long::longValue).sum();
      long queues = status.values().stream().mapToLong(Map::size).sum();
      return new TreeSet<>(status.keySet()).equals(ids) && queues == 4 && sum == 40;
    }, () -> String.valueOf(lab.admin().getConsumeStatus(topic, group, "")));
    equal(Set.of(a.buildMQClientId()), lab.admin().getConsumeStatus(topic, group, a.buildMQClientId()).keySet(), "one member alone");
    equal("{}", lab.admin().getConsumeStatus(topic, group, "nobody"), "a member that is not there");
    Exception e = Lab.refused("a group that is not there", () -> lab.admin().getConsumeStatus(topic, lab.unique("absent"), ""));
    equal(1, Lab.code(e), "SYSTEM_ERROR, in " + e);
  }

  private static void consumerTrace(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("group");
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group, true, null);
    consumer.setNamesrvAddr(lab.namesrv());
    consumer.setInstanceName(group);
    consumer.setHeartbeatBrokerInterval(2000);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
    consumer.start();
    lab.onClose(consumer::shutdown);
    String id = lab.sendOk(new Message(topic, "t", "key", "m0".getBytes(StandardCharsets.UTF_8))).getMsgId();
    Set<String> kinds = new TreeSet<>();
    StringBuilder all = new StringBuilder();
    until("what the consumer tells of the message", () -> {
      kinds.clear();
      all.setLength(0);
      try {
        for (MessageExt trace : lab.admin().queryMessage("RMQ_SYS_TRACE_TOPIC", id, 32, 0, Long.MAX_VALUE).getMessageList()) {
          for (String record : Lab.text(trace).split("\u0002")) {
            all.append(record).append('\n');
            if (record.contains(id)) kinds.add(record.split("\u0001")[0].trim());
          }
        }
      } catch (org.apache.rocketmq.client.exception.MQClientException e) {
        return false;
      }
      return kinds.containsAll(List.of("SubBefore", "SubAfter"));
    }, () -> "found " + all);
    String before = all.substring(all.indexOf("SubBefore")).split("\n")[0];
    check(before.contains(group), "the group in " + before);
  }
}
