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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A slave stands in for its lost master: broker-a with its slave, and broker-b, which takes what the slave delivers. */
final class ActingCases {
  private ActingCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("slave_acts_for_master", ActingCases::slaveActsForMaster);
  }

  /** A consumer in the middle of a topic, a delayed message and an open transaction, all while there is no master. */
  private static void slaveActsForMaster(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    String group = lab.unique("group");
    String slave = ReplicaCases.address(lab.ask("slave"));
    String other = ReplicaCases.address(lab.ask("other-master"));
    List<String> seen = new CopyOnWriteArrayList<>();
    List<String> fromOther = new CopyOnWriteArrayList<>();
    CountDownLatch masterIsGone = new CountDownLatch(1);
    ReplicaCases.halting(lab, group, topic, 12, masterIsGone, m -> {
      seen.add(Lab.text(m));
      if (m.getBrokerName().equals("broker-b")) fromOther.add(Lab.text(m));
    });
    TransactionMQProducer payer = payer(lab, masterIsGone);
    lab.send(topic, 40);
    until("12 messages with the master", () -> seen.size() >= 12, () -> "seen " + seen.size());
    lab.ask("slave-caught-up");
    until("the topic at the slave", 90_000, () -> ReplicaCases.knows(lab, slave, topic), () -> "");  // Apache's copies it once a minute

    equal(SendStatus.SEND_OK, payer.sendMessageInTransaction(new Message(topic, bytes("paid")), null).getSendStatus(), "the half message");
    lab.sendOk(later(topic, "late"));
    lab.admin().createAndUpdateTopicConfig(other, new TopicConfig(topic, 4, 4, 6));
    lab.ask("slave-caught-up");
    lab.ask("stop-master");
    long slaveGave = ReplicaCases.given(lab, slave);
    masterIsGone.countDown();

    Set<String> all = names("m", 0, 40);
    all.addAll(List.of("late", "paid"));
    until("everything without the master", 90_000, () -> new TreeSet<>(seen).equals(all), () -> "seen " + new TreeSet<>(seen));
    check(ReplicaCases.given(lab, slave) - slaveGave >= 40 - 12 - 4 * 2, "the slave gave only " + (ReplicaCases.given(lab, slave) - slaveGave));
    equal(Set.of("late", "paid"), Set.copyOf(fromOther), "what was delivered at the other master");
    equal(List.of(), twice(seen), "what came twice");
    until("the commits at the slave", () -> committed(lab, slave, group, topic) == 40, () -> "sum " + committed(lab, slave, group, topic));
    SendResult meanwhile = ReplicaCases.sendAtLast(payer, new Message(topic, bytes("meanwhile")));
    equal("broker-b", meanwhile.getMessageQueue().getBrokerName(), "where a message goes without the master");

    lab.ask("start-master");
    until("the master in the route", 90_000, () -> lab.broker().equals(masterOf(lab, topic)), () -> masterOf(lab, topic));
    equal(40L, committed(lab, lab.broker(), group, topic), "offsets that the master took back");
    // The level has gone past what was done in the master's place when this one comes.
    ReplicaCases.sendAtLast(payer, later(topic, "later"));
    for (int i = 40; i < 60; i++) ReplicaCases.sendAtLast(payer, new Message(topic, bytes("m" + i)));
    all.addAll(names("m", 40, 60));
    all.addAll(List.of("meanwhile", "later"));
    until("everything with the master", 90_000, () -> new TreeSet<>(seen).equals(all), () -> "seen " + new TreeSet<>(seen));
    equal(List.of(), twice(seen), "what came twice");
  }

  /** A producer that doesn't know how its transaction ends while there is the master. */
  private static TransactionMQProducer payer(Lab lab, CountDownLatch masterIsGone) throws Exception {
    TransactionMQProducer producer = new TransactionMQProducer(lab.unique("payers"));
    producer.setNamesrvAddr(lab.namesrv());
    producer.setInstanceName(lab.unique("payers"));
    producer.setPollNameServerInterval(1_000);
    producer.setHeartbeatBrokerInterval(1_000);
    producer.setTransactionListener(new TransactionListener() {
      @Override
      public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
        return LocalTransactionState.UNKNOW;
      }

      @Override
      public LocalTransactionState checkLocalTransaction(MessageExt message) {
        return masterIsGone.getCount() == 0 ? LocalTransactionState.COMMIT_MESSAGE : LocalTransactionState.UNKNOW;
      }
    });
    producer.start();
    lab.onClose(producer::shutdown);
    return producer;
  }

  /** But for the transaction, which Apache's slave hands on in every round of checks. (Ours does it once: tests/e2e.) */
  private static List<String> twice(List<String> seen) {
    Set<String> once = new TreeSet<>();
    return seen.stream().filter(m -> !m.equals("paid") && !once.add(m)).collect(Collectors.toList());
  }

  private static Message later(String topic, String body) {
    Message message = new Message(topic, bytes(body));
    message.setDelayTimeLevel(1);
    return message;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Sum of the group's offsets in broker-a's queues, as that broker has them; -1 if it doesn't say. */
  private static long committed(Lab lab, String broker, String group, String topic) {
    try {
      return lab.admin().examineConsumeStats(broker, group, topic, 5_000).getOffsetTable().values().stream().mapToLong(w -> w.getConsumerOffset()).sum();
    } catch (Exception e) {
      return -1;
    }
  }

  private static String masterOf(Lab lab, String topic) throws Exception {
    return lab.admin().examineTopicRouteInfo(topic).getBrokerDatas().stream().filter(b -> b.getBrokerName().equals("broker-a"))
        .map(b -> b.getBrokerAddrs().get(0L)).findFirst().orElse("none");
  }
}
