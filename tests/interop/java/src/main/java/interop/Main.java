package interop;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs the named cases with the client version on the class path and prints one JSON line for each:
 * {"case":"send_sync","ok":true,"seconds":0.12,"reason":""}.
 *
 * <p>Arguments: --namesrv A --broker A --prefix P --cases a,b,c [--parallel N] [--timeout SECONDS]
 */
public final class Main {
  /** A case passes by returning; any exception fails it. */
  interface Case {
    void run(Lab lab) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    // The clients print to standard output now and then; only result lines may go there.
    PrintStream results = System.out;
    System.setOut(System.err);
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) options.put(args[i].substring(2), args[i + 1]);

    Map<String, Case> known = new LinkedHashMap<>();
    SendCases.add(known);
    PushCases.add(known);
    PullCases.add(known);
    SqlCases.add(known);
    LookupCases.add(known);
    RestartCases.add(known);
    RetryCases.add(known);
    OrderCases.add(known);
    ClientCases.add(known);
    DelayCases.add(known);
    TransactionCases.add(known);
    ReplicaCases.add(known);
    RequestCases.add(known);
    ProtectionCases.add(known);
    for (String only5 : List.of("interop.RecallCases", "interop.DashboardCases", "interop.AgedCases", "interop.AssignmentCases", "interop.ActingCases")) {
      try {
        Class.forName(only5).getDeclaredMethod("add", Map.class).invoke(null, known);
      } catch (ClassNotFoundException e) {
        // compiled for the 5.x client only
      }
    }

    Lab.Shared shared = new Lab.Shared(options.get("namesrv"), options.get("broker"), options.get("prefix"), results);
    long timeout = Long.parseLong(options.getOrDefault("timeout", "90"));
    ExecutorService pool = Executors.newFixedThreadPool(Integer.parseInt(options.getOrDefault("parallel", "8")), Main::daemon);
    ExecutorService waiters = Executors.newCachedThreadPool(Main::daemon);
    List<Future<?>> running = new ArrayList<>();
    for (String name : options.get("cases").split(",")) {
      Case body = known.get(name);
      if (body == null) {
        shared.result(name, 0, "this client version has no such case");
        continue;
      }
      running.add(pool.submit(() -> runOne(name, body, shared, waiters, timeout)));
    }
    for (Future<?> one : running) one.get();
    results.println("{\"end\":true}");
    results.flush();
    // The clients' executors take seconds to end and hold nothing worth waiting for.
    shared.close();
    Runtime.getRuntime().halt(0);
  }

  private static void runOne(String name, Case body, Lab.Shared shared, ExecutorService waiters, long timeoutSeconds) {
    long begin = System.nanoTime();
    String reason = "";
    Lab lab = new Lab(shared, name);
    Future<?> future = waiters.submit(() -> {
      body.run(lab);
      return null;
    });
    try {
      future.get(timeoutSeconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      future.cancel(true);
      reason = "no result within " + timeoutSeconds + " s";
    } catch (Exception e) {
      reason = describe(e.getCause() == null ? e : e.getCause());
    }
    shared.result(name, (System.nanoTime() - begin) / 1e9, reason);
    waiters.submit(lab::close);
  }

  private static String describe(Throwable e) {
    StringBuilder text = new StringBuilder(String.valueOf(e));
    for (StackTraceElement frame : e.getStackTrace()) {
      if (frame.getClassName().startsWith("interop.") && !frame.getClassName().endsWith("Lab")) {
        text.append(" at ").append(frame.getFileName()).append(':').append(frame.getLineNumber());
        break;
      }
    }
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) text.append(" <- ").append(cause);
    return text.toString();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }
}
