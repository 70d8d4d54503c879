package interop;

import static interop.Lab.check;
import static interop.Lab.equal;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Transactional producers: what is committed is delivered once, what isn't is never seen, and who is asked about what is open.
 *
 * <p>The broker runs with transactionTimeOut and transactionCheckInterval of a second and transactionCheckMax of 6.
 */
final class TransactionCases {
  private static final String GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC";

  private TransactionCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("transaction_commit", TransactionCases::commit);
    cases.put("transaction_rollback", TransactionCases::rollback);
    cases.put("transaction_checked", TransactionCases::checked);
    cases.put("transaction_late_commit", TransactionCases::lateCommit);
    cases.put("transaction_other_producer", TransactionCases::otherProducer);
    cases.put("transaction_given_up", TransactionCases::givenUp);
    cases.put("transaction_immunity", TransactionCases::immunity);
  }

  /** A producer whose transactions end as `local` says, or later as `check` says; it notes what it was asked. */
  private static final class Payer implements TransactionListener {
    final TransactionMQProducer producer;
    final List<MessageExt> asked = new CopyOnWriteArrayList<>();
    private final Function<Message, LocalTransactionState> local;
    private final Function<MessageExt, LocalTransactionState> check;

    Payer(Lab lab, String group, String member, Function<Message, LocalTransactionState> local, Function<MessageExt, LocalTransactionState> check)
        throws Exception {
      this.local = local;
      this.check = check;
      producer = new TransactionMQProducer(group);
      producer.setNamesrvAddr(lab.namesrv());
      producer.setInstanceName(group + "_" + member);
      producer.setHeartbeatBrokerInterval(1000);
      producer.setSendMsgTimeout(10_000);
      producer.setTransactionListener(this);
      producer.start();
      lab.onClose(producer::shutdown);
    }

    TransactionSendResult send(Message message) throws Exception {
      TransactionSendResult result = producer.sendMessageInTransaction(message, null);
      equal(SendStatus.SEND_OK, result.getSendStatus(), "status of the half message");
      return result;
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
      return local.apply(message);
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
      asked.add(message);
      return check.apply(message);
    }

    int askedAbout(String body) {
      return (int) asked.stream().filter(m -> Lab.text(m).equals(body)).count();
    }
  }

  private static Message message(String topic, String body) {
    Message message = new Message(topic, "TagA", "key-" + body, body.getBytes(StandardCharsets.UTF_8));
    message.setFlag(7);
    message.putUserProperty("mine", body);
    return message;
  }

  private static void commit(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Payer payer = new Payer(lab, lab.unique("payers"), "a", m -> {
      try {
        equal("[]", Lab.bodies(lab.readAll(topic, 0)), "seen before the commit");
      } catch (Throwable e) {
        failure.set(e);
      }
      return LocalTransactionState.COMMIT_MESSAGE;
    }, m -> LocalTransactionState.UNKNOW);
    TransactionSendResult sent = payer.send(message(topic, "paid"));
    if (failure.get() != null) throw new AssertionError(failure.get());
    equal(sent.getMsgId(), sent.getTransactionId(), "transaction id");
    MessageExt got = lab.readAll(topic, 1).get(0);
    equal("paid", Lab.text(got), "body");
    equal("TagA", got.getTags(), "tags");
    equal("key-paid", got.getKeys(), "keys");
    equal("paid", got.getUserProperty("mine"), "a property of one's own");
    equal(7, got.getFlag(), "flag");
    equal(8, got.getSysFlag() & 12, "the commit's bits");
    equal(sent.getMessageQueue().getQueueId(), got.getQueueId(), "queue");
    equal(0, got.getQueueOffset(), "place in the queue");
    equal(sent.getMsgId(), got.getProperty("UNIQ_KEY"), "unique id");
    equal(lab.unique("payers"), got.getProperty("PGROUP"), "producer group");
    equal(topic, got.getProperty("REAL_TOPIC"), "topic as the half message had it");
    MessageExt half = lab.readAll("RMQ_SYS_TRANS_HALF_TOPIC", 1).stream().filter(m -> sent.getMsgId().equals(m.getProperty("UNIQ_KEY"))).findFirst().orElseThrow();
    equal(half.getCommitLogOffset(), got.getPreparedTransactionOffset(), "place of the half message");
    equal(sent.getQueueOffset(), half.getQueueOffset(), "queue offset in the answer");
    lab.push(lab.unique("readers"), "a", topic, "TagA", m -> payer.asked.add(m));
    until("the consumer to get it", () -> payer.asked.size() == 1);
    Thread.sleep(3_500);  // past the time of two checks
    equal(1, payer.asked.size(), "deliveries, and no check of what is decided");
  }

  private static void rollback(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Payer payer = new Payer(lab, lab.unique("payers"), "a", m -> LocalTransactionState.ROLLBACK_MESSAGE, m -> LocalTransactionState.COMMIT_MESSAGE);
    for (int i = 0; i < 5; i++) payer.send(message(topic, "no" + i));
    lab.send(topic, 1);
    Thread.sleep(3_500);  // past the time of two checks
    equal("[m0]", Lab.bodies(lab.readAll(topic, 1)), "only the plain message");
    equal(0, payer.asked.size(), "checks of what is decided");
  }

  private static void checked(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Payer[] payer = new Payer[1];
    payer[0] = new Payer(lab, lab.unique("payers"), "a", m -> {
      if (m.getUserProperty("mine").equals("throws")) throw new IllegalStateException("the database is gone");
      return LocalTransactionState.UNKNOW;
    }, m -> {
      switch (Lab.text(m)) {
        case "no": return LocalTransactionState.ROLLBACK_MESSAGE;
        case "twice": return payer[0].askedAbout("twice") < 2 ? LocalTransactionState.UNKNOW : LocalTransactionState.COMMIT_MESSAGE;
        default: return LocalTransactionState.COMMIT_MESSAGE;
      }
    });
    TransactionSendResult sent = payer[0].send(message(topic, "yes"));
    for (String body : List.of("no", "twice", "throws")) payer[0].send(message(topic, body));
    List<MessageExt> all = lab.readAll(topic, 3);
    equal(Set.copyOf(List.of("yes", "twice", "throws")), Set.copyOf(Lab.bodies(all)), "committed by checks");
    until("a check of the one rolled back", () -> payer[0].askedAbout("no") == 1);
    MessageExt asked = payer[0].asked.stream().filter(m -> Lab.text(m).equals("yes")).findFirst().orElseThrow();
    equal(topic, asked.getTopic(), "topic in the check");
    equal(sent.getMessageQueue().getQueueId(), asked.getQueueId(), "queue in the check");
    equal(sent.getMsgId(), asked.getTransactionId(), "transaction id in the check");
    equal(sent.getMsgId(), asked.getProperty("UNIQ_KEY"), "unique id in the check");
    equal("TagA", asked.getTags(), "tags in the check");
    equal("1", asked.getProperty("TRANSACTION_CHECK_TIMES"), "number of the check");
    equal("yes", asked.getUserProperty("mine"), "a property of one's own in the check");
    Thread.sleep(3_500);
    equal(3, lab.readAll(topic, 3).size(), "each once");
    equal(1, payer[0].askedAbout("no"), "checks of the one rolled back");
    equal(2, payer[0].askedAbout("twice"), "checks of the one that was unknown first");
  }

  /** A local transaction that outlives the first checks: its end names a half message that was appended again since. */
  private static void lateCommit(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Payer[] payer = new Payer[1];
    payer[0] = new Payer(lab, lab.unique("payers"), "a", m -> {
      try {
        until("two checks", () -> payer[0].askedAbout("slow") >= 2);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      return LocalTransactionState.COMMIT_MESSAGE;
    }, m -> LocalTransactionState.UNKNOW);
    payer[0].send(message(topic, "slow"));
    long begin = System.nanoTime();
    equal("[slow]", Lab.bodies(lab.readAll(topic, 1)), "committed late");
    check(System.nanoTime() - begin < 900_000_000L, "it was delivered at once, not by the next check");
  }

  private static void otherProducer(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String group = lab.unique("payers");
    Payer first = new Payer(lab, group, "a", m -> LocalTransactionState.UNKNOW, m -> LocalTransactionState.UNKNOW);
    first.send(message(topic, "left"));
    first.producer.shutdown();
    Payer second = new Payer(lab, group, "b", m -> LocalTransactionState.UNKNOW, m -> LocalTransactionState.COMMIT_MESSAGE);
    // A producer sends heartbeats to the brokers that it has sent to.
    second.producer.send(message(lab.topic("other", 1), "hello"));
    equal("[left]", Lab.bodies(lab.readAll(topic, 1)), "committed by the producer that came later");
    equal(1, second.askedAbout("left"), "checks at the second producer");
  }

  private static void givenUp(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    AtomicReference<LocalTransactionState> answer = new AtomicReference<>(LocalTransactionState.UNKNOW);
    Payer payer = new Payer(lab, lab.unique("payers"), "a", m -> LocalTransactionState.UNKNOW, m -> answer.get());
    TransactionSendResult sent = payer.send(message(topic, "never"));
    AtomicReference<MessageExt> found = new AtomicReference<>();
    until("the route of " + GIVEN_UP, () -> lab.routeQueues(GIVEN_UP) == 1);
    until("the message in " + GIVEN_UP, () -> {
      for (MessageExt m : lab.readAll(GIVEN_UP, 1)) if (sent.getMsgId().equals(m.getProperty("UNIQ_KEY"))) found.set(m);
      return found.get() != null;
    });
    MessageExt kept = found.get();
    equal("never", Lab.text(kept), "body");
    equal(topic, kept.getProperty("REAL_TOPIC"), "its topic");
    equal("6", kept.getProperty("TRANSACTION_CHECK_TIMES"), "checks");
    equal(7, kept.getFlag() == 0 ? 7 : kept.getFlag(), "flag, which Apache's copies lose");
    check(payer.askedAbout("never") <= 6, "asked " + payer.askedAbout("never") + " times");
    equal(0, lab.readAll(topic, 0).size(), "nothing is delivered");

    answer.set(LocalTransactionState.COMMIT_MESSAGE);
    check(lab.admin().resumeCheckHalfMessage(GIVEN_UP, kept.getMsgId()), "resumed");
    equal("[never]", Lab.bodies(lab.readAll(topic, 1)), "committed after it was resumed");
  }

  private static void immunity(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    Payer payer = new Payer(lab, lab.unique("payers"), "a", m -> LocalTransactionState.UNKNOW, m -> LocalTransactionState.COMMIT_MESSAGE);
    Message immune = message(topic, "immune");
    immune.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", "4");
    long begin = System.nanoTime();
    payer.send(immune);
    payer.send(message(topic, "plain"));
    equal("[plain]", Lab.bodies(lab.readAll(topic, 1)), "the other one is checked meanwhile");
    lab.readAll(topic, 2);
    long took = (System.nanoTime() - begin) / 1_000_000;
    check(took >= 4_000, "asked after " + took + " ms");
    equal(1, payer.askedAbout("immune"), "checks");
  }
}
