package interop;

import static interop.Lab.check;
import static interop.Lab.code;
import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.refused;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientIDSetter;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageId;
import org.apache.rocketmq.common.message.MessageQueue;

/** Every way to send, what the answer holds, and what is refused. */
final class SendCases {
  private SendCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("send_sync", SendCases::sync);
    cases.put("send_async", SendCases::async);
    cases.put("send_oneway", SendCases::oneway);
    cases.put("send_to_chosen_queue", SendCases::chosenQueue);
    cases.put("send_batch", SendCases::batch);
    cases.put("send_large_compressed", SendCases::largeCompressed);
    cases.put("send_unicode", SendCases::unicode);
    cases.put("send_result_fields", SendCases::resultFields);
    cases.put("auto_create_topic", SendCases::autoCreate);
    cases.put("topic_without_inherit_refused", SendCases::noInherit);
    cases.put("system_topic_refused", SendCases::systemTopic);
    cases.put("too_large_refused", SendCases::tooLarge);
  }

  private static void sync(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    lab.send(topic, 40);
    List<MessageExt> stored = lab.readAll(topic, 40);
    equal(40, stored.size(), "stored");
    equal(names("m", 0, 40), Lab.bodies(stored), "bodies");
    for (int q = 0; q < 4; q++) {
      final int id = q;
      equal(10, stored.stream().filter(m -> m.getQueueId() == id).count(), "round robin: messages in queue " + q);
    }
  }

  private static void async(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    int count = 100;
    CountDownLatch done = new CountDownLatch(count);
    ConcurrentLinkedQueue<Object> outcomes = new ConcurrentLinkedQueue<>();
    for (int i = 0; i < count; i++) {
      lab.producer().send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)), new SendCallback() {
        @Override
        public void onSuccess(SendResult result) {
          outcomes.add(result.getSendStatus());
          done.countDown();
        }

        @Override
        public void onException(Throwable e) {
          outcomes.add(e);
          done.countDown();
        }
      });
    }
    check(done.await(20, TimeUnit.SECONDS), done.getCount() + " callbacks missing");
    for (Object outcome : outcomes) equal(SendStatus.SEND_OK, outcome, "callback");
    equal(names("m", 0, count), Lab.bodies(lab.readAll(topic, count)), "bodies");
  }

  private static void oneway(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    for (int i = 0; i < 30; i++) lab.producer().sendOneway(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
    equal(names("m", 0, 30), Lab.bodies(lab.readAll(topic, 30)), "bodies");
  }

  private static void chosenQueue(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    for (int i = 0; i < 8; i++) {
      SendResult result = lab.producer().send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)),
          (queues, message, argument) -> queues.stream().filter(q -> q.getQueueId() == (Integer) argument).findFirst().orElseThrow(), i % 3);
      equal(i % 3, result.getMessageQueue().getQueueId(), "queue id in the answer");
      equal(i / 3, result.getQueueOffset(), "queue offset in the answer");
    }
    MessageQueue last = lab.queue(topic, 3);
    lab.sendTo(last, "m8");
    for (MessageExt message : lab.readAll(topic, 9)) {
      int number = Integer.parseInt(Lab.text(message).substring(1));
      equal(number == 8 ? 3 : number % 3, message.getQueueId(), "queue of " + Lab.text(message));
    }
  }

  private static void batch(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Message message = new Message(topic, "Tag" + i % 2, "key" + i, ("m" + i).getBytes(StandardCharsets.UTF_8));
      message.putUserProperty("number", String.valueOf(i));
      messages.add(message);
    }
    lab.sendTo(lab.queue(topic, 2), "before");
    SendResult result = lab.producer().send(messages, lab.queue(topic, 2));
    equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
    equal(1, result.getQueueOffset(), "offset of the batch's first message");
    String[] uniqueIds = result.getMsgId().split(",");
    String[] offsetIds = result.getOffsetMsgId().split(",");
    equal(20, uniqueIds.length, "unique ids");
    equal(20, offsetIds.length, "offset ids");
    List<MessageExt> stored = lab.readAll(topic, 21);
    equal(21, stored.size(), "stored");
    Set<String> storedIds = new TreeSet<>();
    for (int i = 0; i < 20; i++) {
      MessageExt message = stored.get(i + 1);
      equal("m" + i, Lab.text(message), "order within the batch");
      equal(2, message.getQueueId(), "queue");
      equal(i + 1, message.getQueueOffset(), "queue offset");
      equal("Tag" + i % 2, message.getTags(), "tags");
      equal("key" + i, message.getKeys(), "keys");
      equal(String.valueOf(i), message.getUserProperty("number"), "property");
      // Apache's broker appends the batch's own UNIQ_KEY to each message, where it hides the message's: any of the client's will do.
      storedIds.add(MessageClientIDSetter.getUniqID(message));
      MessageId id = MessageDecoder.decodeMessageId(offsetIds[i]);
      equal(message.getCommitLogOffset(), id.getOffset(), "commit log offset in the offset id");
    }
    for (String id : storedIds) equal(uniqueIds[0].substring(0, uniqueIds[0].length() - 12), id.substring(0, id.length() - 12), "maker of the unique id " + id);
  }

  private static void largeCompressed(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    byte[] text = "a line that packs well\n".repeat(400).getBytes(StandardCharsets.UTF_8);
    byte[] noise = new byte[1 << 20];
    new Random(7).nextBytes(noise);
    lab.sendOk(new Message(topic, text));
    lab.sendOk(new Message(topic, noise));
    lab.sendOk(new Message(topic, "small".getBytes(StandardCharsets.UTF_8)));
    List<MessageExt> stored = lab.readAll(topic, 3);
    check(Arrays.equals(text, stored.get(0).getBody()), "the text came back changed");
    check(stored.get(0).getStoreSize() < text.length / 4, "the text was stored with " + stored.get(0).getStoreSize() + " bytes");
    check(Arrays.equals(noise, stored.get(1).getBody()), "the noise came back changed");
  }

  private static void unicode(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    String[] texts = {"ünïcödé", "消息队列", "Привет, мир", "emoji 🚀🦊", "quote\" back\\slash /slash", "tab\tnewline\nreturn\r", "null\u0000byte", "\u2028 \u00ad"};
    for (int i = 0; i < texts.length; i++) {
      Message message = new Message(topic, "标签-é", "ключ" + i + " 🔑" + i, texts[i].getBytes(StandardCharsets.UTF_8));
      message.putUserProperty("user-属性", texts[i]);
      message.putUserProperty("plain", "a=b&c");
      message.setFlag(77);
      lab.sendOk(message);
    }
    List<MessageExt> stored = lab.readAll(topic, texts.length);
    for (int i = 0; i < texts.length; i++) {
      MessageExt message = stored.get(i);
      equal(texts[i], Lab.text(message), "body");
      equal(texts[i], message.getUserProperty("user-属性"), "property");
      equal("a=b&c", message.getUserProperty("plain"), "plain property");
      equal("标签-é", message.getTags(), "tags");
      equal("ключ" + i + " 🔑" + i, message.getKeys(), "keys");
      equal(77, message.getFlag(), "flag");
    }
    equal(texts.length, lab.admin().queryMessage(topic, "ключ3", 32, 0, Long.MAX_VALUE).getMessageList().size() + texts.length - 1, "found by unicode key");
  }

  private static void resultFields(Lab lab) throws Exception {
    String topic = lab.topic("", 2);
    MessageQueue queue = lab.queue(topic, 1);
    long before = System.currentTimeMillis();
    for (int i = 0; i < 3; i++) {
      Message message = new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8));
      SendResult result = lab.producer().send(message, queue);
      equal(SendStatus.SEND_OK, result.getSendStatus(), "send status");
      // 56 digits on a machine whose own address is IPv6.
      check(result.getMsgId().matches("[0-9A-F]{32}|[0-9A-F]{56}"), "msgId " + result.getMsgId());
      equal(MessageClientIDSetter.getUniqID(message), result.getMsgId(), "msgId is the unique id");
      equal(result.getMsgId(), result.getTransactionId(), "transactionId");
      equal("DefaultRegion", result.getRegionId(), "regionId");
      equal(true, result.isTraceOn(), "traceOn");
      equal(queue, result.getMessageQueue(), "queue");
      equal(i, result.getQueueOffset(), "queueOffset");
      MessageId id = MessageDecoder.decodeMessageId(result.getOffsetMsgId());
      equal("/" + lab.broker(), id.getAddress().toString().replaceFirst("^[^/]*", ""), "address in offsetMsgId");
      MessageExt stored = lab.readAll(topic, i + 1).get(i);
      equal(id.getOffset(), stored.getCommitLogOffset(), "commit log offset");
      equal("/" + lab.broker(), stored.getStoreHost().toString(), "store host");
      check(stored.getBornHost().toString().startsWith("/127.0.0.1:"), "born host " + stored.getBornHost());
      check(stored.getStoreTimestamp() >= before && stored.getStoreTimestamp() <= System.currentTimeMillis(), "store time stamp");
      check(stored.getBornTimestamp() >= before && stored.getBornTimestamp() <= stored.getStoreTimestamp(), "born time stamp");
      equal("DefaultCluster", stored.getProperty("CLUSTER"), "property CLUSTER");
      equal("DefaultRegion", stored.getProperty("MSG_REGION"), "property MSG_REGION");
      equal("true", stored.getProperty("TRACE_ON"), "property TRACE_ON");
      equal("true", stored.getProperty("WAIT"), "property WAIT");
      equal(result.getMsgId(), stored.getProperty("UNIQ_KEY"), "property UNIQ_KEY");
      equal(0, stored.getReconsumeTimes(), "reconsume times");
    }
  }

  private static void autoCreate(Lab lab) throws Exception {
    String topic = lab.unique("");
    equal(-1, lab.routeQueues(topic), "queues before the first send");
    lab.sendOk(new Message(topic, "m0".getBytes(StandardCharsets.UTF_8)));
    Lab.until("the route of the new topic", () -> lab.routeQueues(topic) == 4);
    var queues = lab.admin().examineTopicRouteInfo(topic).getQueueDatas().get(0);
    equal(4, queues.getReadQueueNums(), "read queues: the client's default 4, below the 8 of TBW102");
    equal(6, queues.getPerm(), "perm: read and write, not inherit");
    equal(0, queues.getTopicSysFlag(), "topic sys flag");
    check(lab.admin().fetchAllTopicList().getTopicList().contains(topic), "the topic list has it");
    equal("[m0]", Lab.bodies(lab.readAll(topic, 1)), "bodies");
    DefaultMQProducer wide = lab.newProducer(lab.unique("wide"));
    wide.setDefaultTopicQueueNums(64);
    wide.send(new Message(topic + "_wide", "m0".getBytes(StandardCharsets.UTF_8)));
    Lab.until("the route of the wide topic", () -> lab.routeQueues(topic + "_wide") == 8);
  }

  private static void noInherit(Lab lab) throws Exception {
    String plain = lab.topic("plain", 4);
    DefaultMQProducer producer = lab.newProducer(lab.unique("producer"));
    producer.setCreateTopicKey(plain);
    producer.setRetryTimesWhenSendFailed(0);
    String topic = lab.unique("absent");
    Exception e = refused("a topic made after one without INHERIT", () -> producer.send(new Message(topic, new byte[] {1})));
    equal(17, code(e), "TOPIC_NOT_EXIST, in " + e);
    equal(-1, lab.routeQueues(topic), "queues of the refused topic");
    Exception noRoute = refused("a route of an absent topic", () -> lab.admin().examineTopicRouteInfo(topic));
    equal(17, code(noRoute), "TOPIC_NOT_EXIST, in " + noRoute);
  }

  private static void systemTopic(Lab lab) throws Exception {
    for (String topic : List.of("SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "SELF_TEST_TOPIC")) {
      refused("a send to " + topic, () -> lab.producer().send(new Message(topic, new byte[] {1})));
      Exception e = refused("updateTopic " + topic, () -> {
        lab.admin().createAndUpdateTopicConfig(lab.broker(), new TopicConfig(topic, 4, 4, 6));
        return topic;
      });
      check(String.valueOf(e.getMessage()).contains("conflict with system topic"), "remark: " + e);
    }
    Exception e = refused("updateTopic with an illegal name", () -> {
      lab.admin().createAndUpdateTopicConfig(lab.broker(), new TopicConfig("bad topic!", 4, 4, 6));
      return "";
    });
    check(String.valueOf(e.getMessage()).contains("illegal characters"), "remark: " + e);
  }

  private static void tooLarge(Lab lab) throws Exception {
    String topic = lab.topic("", 1);
    DefaultMQProducer producer = lab.newProducer(lab.unique("producer"));
    producer.setMaxMessageSize(8 << 20);
    producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    producer.setRetryTimesWhenSendFailed(0);
    Exception e = refused("a body of 4 MiB and a byte", () -> producer.send(new Message(topic, new byte[(4 << 20) + 1])));
    equal(13, code(e), "MESSAGE_ILLEGAL, in " + e);
    Message wordy = new Message(topic, new byte[] {1});
    wordy.putUserProperty("p", "x".repeat(40_000));
    equal(13, code(refused("40,000 bytes of properties", () -> producer.send(wordy))), "MESSAGE_ILLEGAL");
    producer.send(new Message(topic, new byte[4 << 20]));
    equal(1, lab.readAll(topic, 1).size(), "a body of 4 MiB exactly is stored");
  }
}
