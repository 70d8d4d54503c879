package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** A queue whose first messages were deleted with their CommitLog files; the broker has files of 1 MiB, kept for 0 hours. */
@SuppressWarnings("deprecation")
final class AgedCases {
  private AgedCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("aged_queue", AgedCases::agedQueue);
  }

  private static void agedQueue(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    MessageQueue queue = lab.queue(topic, 0);
    byte[] noise = new byte[100_000];
    new Random(5).nextBytes(noise);
    lab.sendOk(new Message(topic, noise));
    SendResult second = lab.sendOk(new Message(topic, noise));
    for (int i = 2; i < 40; i++) lab.sendOk(new Message(topic, noise));
    equal(40, lab.admin().maxOffset(queue), "max offset");
    // Apache's cleaner first looks a minute after the start.
    for (int tries = 0; lab.admin().minOffset(queue) == 0; tries++) {
      check(tries < 60, "nothing was deleted within two minutes");
      check(lab.admin().deleteExpiredCommitLogByAddr(lab.broker()), "deleteExpiredCommitLog");
      Thread.sleep(2000);
    }
    // The cleaner takes its time between files.
    long min = lab.admin().minOffset(queue);
    for (int still = 0; still < 8; still++) {
      Thread.sleep(500);
      long now = lab.admin().minOffset(queue);
      if (now != min) still = 0;
      min = now;
    }
    check(min > 0 && min < 40, "min offset " + min);
    equal(40, lab.admin().maxOffset(queue), "max offset after the deletion");

    PullResult below = lab.reader().pull(queue, "*", 0, 32);
    equal(PullStatus.OFFSET_ILLEGAL + " " + min + " " + min, below.getPullStatus() + " " + below.getNextBeginOffset() + " " + below.getMinOffset(), "a pull below the first message");
    equal(min, lab.reader().pull(queue, "*", min, 1).getMsgFoundList().get(0).getQueueOffset(), "the first message that is left");
    equal(min, lab.admin().searchOffset(queue, 0), "search by time 0");
    // Not the first: asked for offset 0, Apache answers with the first message that is left.
    Lab.refused("a message of a deleted file", () -> lab.admin().viewMessage(topic, second.getOffsetMsgId()));

    DefaultMQPullConsumer newcomer = new DefaultMQPullConsumer(lab.unique("newcomer"));
    newcomer.setNamesrvAddr(lab.namesrv());
    newcomer.setInstanceName(lab.unique("newcomer"));
    newcomer.start();
    lab.onClose(newcomer::shutdown);
    equal(-1, newcomer.fetchConsumeOffset(queue, true), "the offset of a new group on an aged queue: not found");

    Set<Long> fromFirst = new ConcurrentSkipListSet<>();
    Set<Long> fromLast = new ConcurrentSkipListSet<>();
    start(lab, topic, ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, fromFirst);
    DefaultMQPushConsumer last = start(lab, topic, ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET, fromLast);
    long left = 40 - min;
    until("the messages that are left", () -> fromFirst.size() == left, () -> "seen " + fromFirst);
    until("the second consumer to own its queue", () -> last.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet().stream().anyMatch(q -> q.equals(queue)));
    Thread.sleep(1000);
    lab.sendOk(new Message(topic, "new".getBytes(StandardCharsets.UTF_8)));
    until("the new message at both", () -> fromFirst.contains(40L) && fromLast.contains(40L), () -> "seen " + fromFirst + " and " + fromLast);
    equal("[40]", fromLast, "only the new message from the last offset on");
  }

  private static DefaultMQPushConsumer start(Lab lab, String topic, ConsumeFromWhere from, Set<Long> seen) throws Exception {
    DefaultMQPushConsumer consumer = lab.newPush(lab.unique(from.name()), "a");
    consumer.setConsumeFromWhere(from);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> seen.add(m.getQueueOffset()));
      return org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }
}
