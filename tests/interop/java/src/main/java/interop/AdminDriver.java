package interop;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.PosixParser;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.srvutil.ServerUtil;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/**
 * Apache's own mqadmin commands, many in one process: starting a JVM for each takes seconds.
 *
 * <p>A request line is "id TAB command TAB argument TAB …", arguments in Base64; the answer "id TAB stdout TAB error", both in
 * Base64, error empty when the command ended normally. Requests run at the same time, each with an output of its own.
 */
@SuppressWarnings("deprecation")
public final class AdminDriver {
  private static final InheritableThreadLocal<ByteArrayOutputStream> OUTPUT = new InheritableThreadLocal<>();

  private AdminDriver() {}

  public static void main(String[] args) throws Exception {
    PrintStream results = System.out;
    PrintStream captured = new PrintStream(new Redirect(System.err), true, StandardCharsets.UTF_8);
    System.setOut(captured);
    System.setProperty("rocketmq.namesrv.addr", args[0]);
    MQAdminStartup.main0(new String[] {"help", "topicList"}, null);
    List<SubCommand> commands = commands();
    ExecutorService pool = Executors.newFixedThreadPool(10);
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      String[] words = line.split("\t", -1);
      pool.submit(() -> {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        OUTPUT.set(output);
        String[] arguments = Arrays.stream(words).skip(2).map(w -> new String(Base64.getDecoder().decode(w), StandardCharsets.UTF_8)).toArray(String[]::new);
        String error = run(commands, words[1], arguments);
        synchronized (results) {
          results.println(words[0] + "\t" + Base64.getEncoder().encodeToString(output.toByteArray()) + "\t" + Base64.getEncoder().encodeToString(error.getBytes(StandardCharsets.UTF_8)));
          results.flush();
        }
      });
    }
    Runtime.getRuntime().halt(0);
  }

  @SuppressWarnings("unchecked")
  private static List<SubCommand> commands() throws Exception {
    for (Field field : MQAdminStartup.class.getDeclaredFields()) {
      if (List.class.isAssignableFrom(field.getType())) {
        field.setAccessible(true);
        return (List<SubCommand>) field.get(null);
      }
    }
    throw new IllegalStateException("MQAdminStartup keeps no list of commands");
  }

  private static String run(List<SubCommand> commands, String name, String[] arguments) {
    try {
      if (name.startsWith("@")) return startClient(name, arguments);
      synchronized (AdminDriver.class) {
        // Each command names its client after the millisecond; two of one name would share a client and stop each other.
        Thread.sleep(30);
      }
      SubCommand command = commands.stream().filter(c -> c.commandName().equalsIgnoreCase(name)).findFirst().orElseThrow(() -> new IllegalArgumentException("no command " + name));
      Options options = command.buildCommandlineOptions(ServerUtil.buildCommandlineOptions(new Options()));
      CommandLine line = new PosixParser().parse(options, arguments);
      // A command keeps no state of a run, but its class is shared: a fresh one for each run.
      command.getClass().getDeclaredConstructor().newInstance().execute(line, options, null);
      return "";
    } catch (Throwable e) {
      StringWriter text = new StringWriter();
      e.printStackTrace(new PrintWriter(text));
      return text.toString();
    }
  }

  /** "@consumer GROUP TOPIC": a push consumer; "@producer GROUP TOPIC": a producer that has sent one message. They live as long as this process. */
  private static String startClient(String kind, String[] arguments) throws Exception {
    if (kind.equals("@consumer")) {
      DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(arguments[0]);
      consumer.setInstanceName(arguments[0]);
      consumer.setHeartbeatBrokerInterval(2000);
      consumer.setPersistConsumerOffsetInterval(1000);
      consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
      consumer.subscribe(arguments[1], "TagA || TagB");
      consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
      consumer.start();
    } else {
      DefaultMQProducer producer = new DefaultMQProducer(arguments[0]);
      producer.setSendMsgTimeout(10_000);
      producer.start();
      producer.send(new Message(arguments[1], "TagA", "from the driver's producer".getBytes(StandardCharsets.UTF_8)));
    }
    return "";
  }

  /** Writes to the output of the request that the calling thread works for. */
  private static final class Redirect extends OutputStream {
    private final OutputStream otherwise;

    Redirect(OutputStream otherwise) {
      this.otherwise = otherwise;
    }

    @Override
    public void write(int b) {
      ByteArrayOutputStream output = OUTPUT.get();
      if (output != null) output.write(b);
      else new PrintStream(otherwise).write(b);
    }
  }
}
