package interop;

import static interop.Lab.equal;
import static interop.Lab.names;
import static interop.Lab.until;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/** What clients see of a master with a slave that serves reads, when the master goes and comes back. */
final class ReplicaCases {
  private ReplicaCases() {}

  static void add(Map<String, Main.Case> cases) {
    cases.put("consumer_goes_to_slave_and_back", ReplicaCases::consumerGoesToSlaveAndBack);
  }

  private static void consumerGoesToSlaveAndBack(Lab lab) throws Exception {
    String topic = lab.topic("", 4);
    List<String> staying = new CopyOnWriteArrayList<>();
    lab.push(lab.unique("staying"), "a", topic, "*", m -> staying.add(Lab.text(m)));
    lab.send(topic, 60);
    until("60 messages with the master", () -> staying.size() == 60, () -> "seen " + staying.size());
    lab.ask("slave-caught-up");
    lab.ask("stop-master");

    // A group that starts only now has nobody but the slave.
    List<String> late = new CopyOnWriteArrayList<>();
    lab.push(lab.unique("late"), "a", topic, "*", m -> late.add(Lab.text(m)));
    until("60 messages from the slave", 60_000, () -> late.size() >= 60, () -> "seen " + late.size());
    equal(names("m", 0, 60), new TreeSet<>(late), "what the slave gave");

    lab.ask("start-master");
    for (int i = 60; i < 100; i++) {
      long end = System.currentTimeMillis() + 60_000;
      while (true) {
        try {
          SendResult result = lab.producer().send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
          equal(SendStatus.SEND_OK, result.getSendStatus(), "send status after the master came back");
          break;
        } catch (AssertionError e) {
          throw e;
        } catch (Exception e) {
          if (System.currentTimeMillis() > end) throw e;
          Thread.sleep(100);
        }
      }
    }
    until("all messages at both groups", 60_000, () -> new TreeSet<>(staying).size() == 100 && new TreeSet<>(late).size() == 100,
        () -> "seen " + new TreeSet<>(staying).size() + " and " + new TreeSet<>(late).size());
  }
}
