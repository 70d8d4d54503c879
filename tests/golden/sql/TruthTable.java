import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;

/** Asks Apache's own classes what each expression comes to for each message: TruthTable EXPRESSIONS MESSAGES > pairs.jsonl. */
public final class TruthTable {
  public static void main(String[] arguments) throws Exception {
    List<Map<String, String>> messages = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(arguments[1]), StandardCharsets.UTF_8)) {
      Map<String, String> properties = new HashMap<>();
      JSON.parseObject(line).forEach((name, value) -> properties.put(name, String.valueOf(value)));
      messages.add(properties);
      System.out.println("{\"message\":" + line + "}");
    }
    for (String line : Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8)) {
      String text = JSON.parseObject("{\"e\":" + line + "}").getString("e");
      JSONObject row = new JSONObject(true);
      row.put("expression", text);
      row.put("truth", truths(text, messages));
      System.out.println(row.toJSONString());
    }
  }

  /** A letter for each message: T, F, N (null) or E (an exception); nothing if the expression doesn't compile. */
  private static String truths(String text, List<Map<String, String>> messages) {
    Expression compiled;
    try {
      compiled = FilterFactory.INSTANCE.get("SQL92").compile(text);
    } catch (Throwable refused) {
      return "";
    }
    StringBuilder letters = new StringBuilder();
    for (Map<String, String> properties : messages) {
      try {
        Object result = compiled.evaluate(new MessageEvaluationContext(properties));
        letters.append(result == null ? 'N' : Boolean.TRUE.equals(result) ? 'T' : 'F');
      } catch (Throwable thrown) {
        letters.append('E');
      }
    }
    return letters.toString();
  }
}
