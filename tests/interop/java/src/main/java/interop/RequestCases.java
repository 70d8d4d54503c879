package interop;

import static interop.Lab.check;
import static interop.Lab.code;
import static interop.Lab.equal;
import static interop.Lab.refused;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.exception.RequestTimeoutException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Request-reply: a producer that waits for what a consumer of its message answers. */
final class RequestCases {
  private RequestCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("request_reply", RequestCases::reply);
    cases.put("request_unanswered", RequestCases::unanswered);
  }

  /** A consumer that answers each message with "re: " and its body; `sent` gets what the broker said to the answers. */
  private static void answerer(Lab lab, String topic, List<Object> sent) throws Exception {
    DefaultMQProducer replies = lab.newProducer(lab.unique("answers"));
    lab.push(lab.unique("readers"), "a", topic, "*", m -> {
      try {
        sent.add(replies.send(MessageUtil.createReplyMessage(m, ("re: " + Lab.text(m)).getBytes(StandardCharsets.UTF_8)), 10_000));
      } catch (Exception e) {
        sent.add(e);
      }
    });
    lab.send(topic, 1);
    until("the consumer to read", () -> sent.size() == 1);  // which nobody asked for an answer
    sent.clear();
  }

  /** A producer that the broker knows, so that answers find their way. */
  private static DefaultMQProducer asker(Lab lab) throws Exception {
    String group = lab.unique("askers");
    DefaultMQProducer asker = new DefaultMQProducer(group);
    asker.setNamesrvAddr(lab.namesrv());
    asker.setInstanceName(group);
    asker.setHeartbeatBrokerInterval(1000);
    asker.start();
    lab.onClose(asker::shutdown);
    String hello = lab.topic("hello", 1);
    asker.send(new Message(hello, new byte[] {1}), 10_000);
    until("the broker to know " + group, () -> {
      try {
        return !lab.admin().examineProducerConnectionInfo(group, hello).getConnectionSet().isEmpty();
      } catch (Exception e) {
        return false;
      }
    });
    return asker;
  }

  /**
   * The answer to one request, by callback. Both clients also call back when the request is sent, without a message; and 5.3.3's call that waits
   * gives up at that moment.
   */
  private static CompletableFuture<Message> ask(DefaultMQProducer asker, String topic, String body, long timeoutMs) throws Exception {
    CompletableFuture<Message> answer = new CompletableFuture<>();
    asker.request(new Message(topic, body.getBytes(StandardCharsets.UTF_8)), new RequestCallback() {
      @Override
      public void onSuccess(Message message) {
        if (message != null) answer.complete(message);
      }

      @Override
      public void onException(Throwable e) {
        answer.completeExceptionally(e);
      }
    }, timeoutMs);
    return answer;
  }

  private static String remarks(Throwable e) {
    StringBuilder all = new StringBuilder();
    for (Throwable t = e; t != null; t = t.getCause()) all.append(t.getMessage()).append('\n');
    return all.toString();
  }

  private static void reply(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    List<Object> sent = new CopyOnWriteArrayList<>();
    answerer(lab, topic, sent);
    DefaultMQProducer asker = asker(lab);
    Message answer = ask(asker, topic, "q0", 20_000).get();
    equal("re: q0", new String(answer.getBody(), StandardCharsets.UTF_8), "the answer");
    equal("DefaultCluster_REPLY_TOPIC", answer.getTopic(), "the answer's topic");
    equal("reply", answer.getProperty("MSG_TYPE"), "its type");
    check(answer.getProperty("PUSH_REPLY_TIME") != null, "the time of its push");
    check(answer.getProperty("ARRIVE_TIME") != null, "the time of its arrival");

    List<CompletableFuture<Message>> answers = new ArrayList<>();
    for (int i = 1; i <= 20; i++) answers.add(ask(asker, topic, "q" + i, 20_000));
    for (int i = 1; i <= 20; i++) equal("re: q" + i, new String(answers.get(i - 1).get().getBody(), StandardCharsets.UTF_8), "answer " + i);
    until("what the broker said to all answers", () -> sent.size() == 21);
    for (Object one : sent) check(one instanceof SendResult && ((SendResult) one).getSendStatus() == SendStatus.SEND_OK, "an answer was sent with " + one);

    String correlation = answer.getProperty("CORRELATION_ID");
    MessageExt stored = lab.readAll("DefaultCluster_REPLY_TOPIC", 1).stream().filter(m -> correlation.equals(m.getProperty("CORRELATION_ID"))).findFirst().orElseThrow();
    equal("re: q0", Lab.text(stored), "the stored answer");
    equal("null", String.valueOf(stored.getProperty("PUSH_REPLY_TIME")), "the time of the push, which is not stored");
    String place = String.format("%016X", stored.getCommitLogOffset());
    SendResult first = sent.stream().map(one -> (SendResult) one).filter(one -> one.getOffsetMsgId().endsWith(place)).findFirst().orElseThrow();
    equal(first.getQueueOffset(), stored.getQueueOffset(), "the queue offset of the stored answer");
  }

  private static void unanswered(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    DefaultMQProducer asker = asker(lab);
    Exception timeout = refused("a request that nobody reads", () -> ask(asker, topic, "q", 1500).get());
    check(timeout.getCause() instanceof RequestTimeoutException, "a timeout, not " + timeout.getCause());

    // An answer for somebody who is gone, or for nobody.
    MessageExt question = lab.readAll(topic, 1).get(0);
    Message answer = MessageUtil.createReplyMessage(question, "late".getBytes(StandardCharsets.UTF_8));
    org.apache.rocketmq.common.message.MessageAccessor.putProperty(answer, "REPLY_TO_CLIENT", "nobody@1");
    DefaultMQProducer late = lab.newProducer(lab.unique("late"));
    late.setRetryTimesWhenSendFailed(0);
    Exception refusal = refused("an answer for nobody", () -> late.send(answer));
    equal(1, code(refusal), "SYSTEM_ERROR, in " + refusal);
    check(remarks(refusal).contains("push reply message fail, channel of <nobody@1> not found."), "the remark, in " + refusal);
    org.apache.rocketmq.common.message.MessageAccessor.clearProperty(answer, "REPLY_TO_CLIENT");
    refusal = refused("an answer without a client", () -> late.send(answer));
    check(remarks(refusal).contains("reply message properties[REPLY_TO_CLIENT] is null"), "the remark, in " + refusal);
  }
}
