package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageQueue;

/** Order beyond one consumer: topics that are configured as ordered, and queues that stand still. */
final class OrderCases {
  private OrderCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("order_topic_config", OrderCases::topicConfig);
    cases.put("push_orderly_suspended", OrderCases::suspended);
  }

  private static String orderConf(Lab lab, String topic) throws Exception {
    return lab.admin().examineTopicRouteInfo(topic).getOrderTopicConf();
  }

  private static void topicConfig(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    check(!lab.admin().examineTopicConfig(lab.broker(), topic).isOrder(), "a topic is not ordered by itself");
    lab.admin().createOrUpdateOrderConf(topic, "broker-a:2", true);
    until("the configuration in the route", () -> "broker-a:2".equals(orderConf(lab, topic)), () -> orderConf(lab, topic));
    List<MessageQueue> queues = lab.newProducer(lab.unique("producer")).fetchPublishMessageQueues(topic);
    equal(2, queues.size(), "queues that producers use: " + queues);
    // The broker learns of it with the answer to its next registration.
    lab.topic("other", 1);
    until("the broker to mark the topic", () -> lab.admin().examineTopicConfig(lab.broker(), topic).isOrder());
    check(!lab.admin().examineTopicConfig(lab.broker(), lab.unique("other")).isOrder(), "the other topic stays as it is");

    String group = lab.unique("group");
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> ConsumeOrderlyStatus.SUCCESS);
    consumer.start();
    until("an ordered retry topic of its consumers", () -> {
      try {
        return lab.admin().examineTopicConfig(lab.broker(), "%RETRY%" + group).isOrder();
      } catch (Exception e) {
        return false;
      }
    });
    lab.admin().createOrUpdateOrderConf(topic, "broker-b:3", false);
    until("both brokers in the configuration", () -> {
      String conf = orderConf(lab, topic);
      return conf != null && conf.contains("broker-a:2") && conf.contains("broker-b:3");
    }, () -> orderConf(lab, topic));
    lab.admin().deleteKvConfig("ORDER_TOPIC_CONFIG", topic);
    until("a route without it", () -> orderConf(lab, topic) == null, () -> orderConf(lab, topic));

    String own = lab.topic("own", 2);
    TopicConfig ordered = new TopicConfig(own, 2, 2, 6);
    ordered.setOrder(true);
    lab.admin().createAndUpdateTopicConfig(lab.broker(), ordered);
    check(lab.admin().examineTopicConfig(lab.broker(), own).isOrder(), "a topic that is made ordered");
  }

  private static void suspended(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    String group = lab.unique("group");
    AtomicBoolean held = new AtomicBoolean(true);
    List<String> first = new CopyOnWriteArrayList<>();
    List<String> second = new CopyOnWriteArrayList<>();
    List<Integer> tries = new CopyOnWriteArrayList<>();
    DefaultMQPushConsumer consumer = lab.newPush(group, "a");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      String text = Lab.text(messages.get(0));
      if (messages.get(0).getQueueId() == 0 && text.equals("m1")) {
        tries.add(messages.get(0).getReconsumeTimes());
        if (held.get()) {
          context.setSuspendCurrentQueueTimeMillis(30);
          return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
        }
      }
      (messages.get(0).getQueueId() == 0 ? first : second).add(text);
      return ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    for (int i = 0; i < 5; i++) for (MessageQueue queue : lab.queues(topic)) lab.sendTo(queue, "m" + i);
    until("the other queue to go on", () -> second.size() == 5, () -> "it has " + second);
    until("some tries", () -> tries.size() >= 4, () -> "tries " + tries);
    equal("[m0]", first, "the queue stands before the message that was not taken");
    MessageQueue still = lab.queue(topic, 0);
    until("the committed offset before that message", () -> lab.admin().examineConsumeStats(group, topic).getOffsetTable().get(still).getConsumerOffset() == 1,
        () -> "it is " + lab.admin().examineConsumeStats(group, topic).getOffsetTable().get(still).getConsumerOffset());
    equal(4, lab.admin().examineConsumeStats(group, topic).getOffsetTable().get(still).getBrokerOffset() - 1, "messages that wait behind it");
    held.set(false);
    until("the queue to go on", () -> first.size() == 5, () -> "it has " + first);
    equal("[m0, m1, m2, m3, m4]", first, "order of the queue that stood still");
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < tries.size(); i++) expected.add(i);
    equal(expected, tries, "reconsumeTimes of its tries");
    // Nothing went through the broker: an orderly consumer tries again by itself.
    until("the retry topic", () -> lab.routeQueues("%RETRY%" + group) == 1);
    equal(0, lab.admin().maxOffset(new MessageQueue("%RETRY%" + group, "broker-a", 0)), "messages in the retry topic");
  }
}
