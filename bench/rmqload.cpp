// rmqload: a light load generator that speaks the RocketMQ remoting protocol straight from epoll,
// so that the generator is never what is being measured. It drives any compatible broker.
//
//   g++ -O3 -march=native -std=c++20 rmqload.cpp -o rmqload -pthread
//
//   rmqload topic    --addr H:P --topic T [--queues 8]                   create a topic on the broker
//   rmqload produce  --addr H:P --topic T --queues 8 --conns 8 --window 16 --size 1024 --seconds 10
//                    [--count N] [--batch 1] [--threads 1] [--rate 0] [--tags] [--codec json|binary]
//   rmqload consume  --addr H:P --topic T --queues 8 [--count N] [--seconds 10] [--max 32] [--sub '*']
//                    [--expr TAG|SQL92] [--group g] [--threads 1]        pull from offset 0 (or --from max)
//   rmqload e2e      --addr H:P --topic T --queues 8 --rate 5000 --size 1024 --seconds 10
//                    paced producer and long-polling consumers in one process; end-to-end latency
//   rmqload idle     --addr H:P --conns 10000 --seconds 10               open connections that only heartbeat
//
// Output: one JSON object on standard output. Latencies are microseconds; rates are messages per second.
// --rate paces open-loop: latency counts from the moment a message was due, not from when it was sent.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i64 = int64_t;

static i64 now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
static i64 wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Log-linear histogram: 64 sub-buckets per power of two, < 1.6 % error.
struct Histogram {
  std::vector<u64> bucket = std::vector<u64>(64 * 40, 0);
  u64 total = 0, maximum = 0;
  void add(u64 v) {
    int e = v < 64 ? 0 : 63 - __builtin_clzll(v) - 5;
    u64 sub = e ? (v >> e) & 63 : v;
    size_t i = std::min<size_t>(size_t(e) * 64 + sub, bucket.size() - 1);
    bucket[i]++;
    total++;
    maximum = std::max(maximum, v);
  }
  void merge(const Histogram& o) {
    for (size_t i = 0; i < bucket.size(); i++) bucket[i] += o.bucket[i];
    total += o.total;
    maximum = std::max(maximum, o.maximum);
  }
  u64 at(double q) const {
    if (!total) return 0;
    u64 want = std::max<u64>(1, u64(std::ceil(q * double(total)))), seen = 0;
    for (size_t i = 0; i < bucket.size(); i++) {
      seen += bucket[i];
      if (seen >= want) {
        size_t e = i / 64, s = i % 64;
        return e ? (u64(s) << e) : s;
      }
    }
    return maximum;
  }
};

struct Options {
  std::string mode, addr = "127.0.0.1:10911", topic = "bench", group = "bench_group", sub = "*", expr = "TAG",
                    codec = "json", from = "min";
  int queues = 8, conns = 8, window = 16, size = 1024, batch = 1, threads = 1, max = 32, topics = 1;
  double seconds = 10, rate = 0;
  u64 count = 0;
  bool tags = false;
};

static void put32(std::string& s, u32 v) {
  v = htonl(v);
  s.append(reinterpret_cast<char*>(&v), 4);
}
static void put16(std::string& s, u32 v) {
  s.push_back(char(v >> 8));
  s.push_back(char(v));
}
static u32 get32(const char* p) {
  u32 v;
  memcpy(&v, p, 4);
  return ntohl(v);
}
static u64 get64(const char* p) { return (u64(get32(p)) << 32) | get32(p + 4); }

static std::string json_escape(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u8(c) < 0x20) {
      char b[8];
      snprintf(b, sizeof b, "\\u%04x", u8(c));
      out += b;
    } else
      out += c;
  }
  return out;
}
using Fields = std::vector<std::pair<std::string, std::string>>;

static std::string frame(const Options& o, int code, u32 opaque, int flag, const Fields& ext, std::string_view body) {
  std::string header;
  if (o.codec == "binary") {
    put16(header, u32(code));
    header.push_back(char(0));
    put16(header, 433);
    put32(header, opaque);
    put32(header, u32(flag));
    put32(header, 0);
    std::string kv;
    for (auto& [k, v] : ext) {
      put16(kv, u32(k.size()));
      kv += k;
      put32(kv, u32(v.size()));
      kv += v;
    }
    put32(header, u32(kv.size()));
    header += kv;
  } else {
    header = "{\"code\":" + std::to_string(code) + ",\"extFields\":{";
    bool first = true;
    for (auto& [k, v] : ext) {
      if (!first) header += ',';
      first = false;
      header += "\"" + k + "\":\"" + json_escape(v) + "\"";
    }
    header += "},\"flag\":" + std::to_string(flag) + ",\"language\":\"CPP\",\"opaque\":" + std::to_string(opaque) +
              ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":433}";
  }
  std::string out;
  put32(out, u32(4 + header.size() + body.size()));
  put32(out, (o.codec == "binary" ? 1u << 24 : 0u) | u32(header.size()));
  out += header;
  out += body;
  return out;
}

struct Response {
  int code = -1;
  u32 opaque = 0;
  i64 next = -1, max = -1;
  std::string_view remark, body;
};

static i64 number_after(std::string_view h, std::string_view key) {
  size_t p = h.find(key);
  if (p == std::string_view::npos) return -1;
  p += key.size();
  while (p < h.size() && (h[p] == ':' || h[p] == '"' || h[p] == ' ')) p++;
  bool neg = p < h.size() && h[p] == '-';
  if (neg) p++;
  i64 v = 0;
  while (p < h.size() && h[p] >= '0' && h[p] <= '9') v = v * 10 + (h[p++] - '0');
  return neg ? -v : v;
}
// f points past the 4-byte total length; n is that length.
static Response parse(const char* f, size_t n) {
  Response r;
  u32 word = get32(f), hl = word & 0xffffff;
  int type = int(word >> 24);
  std::string_view h(f + 4, hl);
  r.body = std::string_view(f + 4 + hl, n - 4 - hl);
  if (type == 0) {
    r.code = int(number_after(h, "\"code\""));
    r.opaque = u32(number_after(h, "\"opaque\""));
    r.next = number_after(h, "\"nextBeginOffset\"");
    r.max = number_after(h, "\"maxOffset\"");
    size_t p = h.find("\"remark\":\"");
    if (p != std::string_view::npos) {
      p += 10;
      r.remark = h.substr(p, std::min<size_t>(120, h.find('"', p) - p));
    }
  } else {
    r.code = (u8(h[0]) << 8) | u8(h[1]);
    r.opaque = get32(h.data() + 5);
    u32 rl = get32(h.data() + 13);
    r.remark = h.substr(17, rl);
    size_t p = 17 + rl;
    u32 el = get32(h.data() + p);
    p += 4;
    size_t end = p + el;
    while (p < end) {
      u32 kl = (u8(h[p]) << 8) | u8(h[p + 1]);
      std::string_view k = h.substr(p + 2, kl);
      p += 2 + kl;
      u32 vl = get32(h.data() + p);
      std::string_view v = h.substr(p + 4, vl);
      p += 4 + vl;
      if (k == "nextBeginOffset") r.next = atoll(std::string(v).c_str());
      if (k == "maxOffset") r.max = atoll(std::string(v).c_str());
    }
  }
  return r;
}

struct Conn {
  int fd = -1, queue = 0;
  std::string out;
  size_t out_at = 0;
  std::vector<char> in = std::vector<char>(1 << 16);
  size_t in_at = 0, in_end = 0;
  std::vector<i64> due;  // per in-flight slot: when it was due
  u32 opaque = 0;
  int flying = 0;
  i64 offset = 0;
  bool want_write = false;
};

static int dial(const std::string& addr) {
  size_t c = addr.rfind(':');
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(u16(atoi(addr.c_str() + c + 1)));
  inet_pton(AF_INET, addr.substr(0, c).c_str(), &a.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) {
    fprintf(stderr, "rmqload: cannot connect to %s: %s\n", addr.c_str(), strerror(errno));
    exit(2);
  }
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}
static void write_some(Conn& c, int ep) {
  while (c.out_at < c.out.size()) {
    ssize_t n = send(c.fd, c.out.data() + c.out_at, c.out.size() - c.out_at, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) break;
      perror("rmqload: send");
      exit(3);
    }
    c.out_at += size_t(n);
  }
  if (c.out_at == c.out.size()) {
    c.out.clear();
    c.out_at = 0;
  }
  bool want = !c.out.empty();
  if (want != c.want_write) {
    epoll_event e{};
    e.events = EPOLLIN | (want ? u32(EPOLLOUT) : 0u);
    e.data.ptr = &c;
    epoll_ctl(ep, EPOLL_CTL_MOD, c.fd, &e);
    c.want_write = want;
  }
}
template <class F>
static void read_frames(Conn& c, F on_response) {
  for (;;) {
    if (c.in_end == c.in.size()) {
      if (c.in_at > 0) {
        memmove(c.in.data(), c.in.data() + c.in_at, c.in_end - c.in_at);
        c.in_end -= c.in_at;
        c.in_at = 0;
      }
      if (c.in_end == c.in.size()) c.in.resize(c.in.size() * 2);
    }
    ssize_t n = recv(c.fd, c.in.data() + c.in_end, c.in.size() - c.in_end, 0);
    if (n == 0) {
      fprintf(stderr, "rmqload: broker closed the connection\n");
      exit(3);
    }
    if (n < 0) {
      if (errno == EAGAIN) return;
      perror("rmqload: recv");
      exit(3);
    }
    c.in_end += size_t(n);
    while (c.in_end - c.in_at >= 4) {
      u32 len = get32(c.in.data() + c.in_at);
      if (c.in_end - c.in_at < 4 + len) break;
      on_response(parse(c.in.data() + c.in_at + 4, len));
      c.in_at += 4 + len;
    }
    if (c.in_at == c.in_end) c.in_at = c.in_end = 0;
    if (size_t(n) < 4096) return;
  }
}
static Response call(const Options& o, int code, const Fields& ext, std::string_view body, std::string& keep) {
  Conn c;
  c.fd = dial(o.addr);
  int ep = epoll_create1(0);
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.ptr = &c;
  epoll_ctl(ep, EPOLL_CTL_ADD, c.fd, &e);
  c.out = frame(o, code, 1, 0, ext, body);
  write_some(c, ep);
  Response r;
  bool done = false;
  for (i64 end = now_ns() + 10'000'000'000; !done && now_ns() < end;) {
    epoll_event ev[1];
    epoll_wait(ep, ev, 1, 100);
    write_some(c, ep);
    read_frames(c, [&](Response x) {
      if (done) return;
      keep = std::string(x.remark);
      r = x;
      r.remark = keep;
      done = true;
    });
  }
  close(c.fd);
  close(ep);
  if (!done) {
    fprintf(stderr, "rmqload: no answer to request %d\n", code);
    exit(3);
  }
  return r;
}

struct Totals {
  i64 last_ns = 0;
  u64 messages = 0, requests = 0, bytes = 0, errors = 0, gaps = 0;
  std::map<int, u64> codes;
  std::string remark;
  Histogram latency;
};

static Fields send_fields(const Options& o, const std::string& topic, int queue, bool batch, u64 seq) {
  std::string props;
  if (o.tags) {
    static const char* t[] = {"TagA", "TagB", "TagC", "TagD"};
    props += std::string("TAGS\x01") + t[seq & 3] + "\x02";
  }
  props += "UNIQ_KEY\x01";
  char id[40];
  snprintf(id, sizeof id, "7F000001%08XABCDEF00%08X", u32(getpid()), u32(seq));
  props += id;
  props += "\x02WAIT\x01true";
  return {{"a", "bench_producer"},
          {"b", topic},
          {"c", "TBW102"},
          {"d", "4"},
          {"e", std::to_string(queue)},
          {"f", "0"},
          {"g", std::to_string(wall_ms())},
          {"h", "0"},
          {"i", batch ? "" : props},
          {"j", "0"},
          {"k", "false"},
          {"l", "0"},
          {"m", batch ? "true" : "false"},
          {"n", "broker-a"}};
}
static std::string batch_body(const Options& o, std::string_view body, u64 seq) {
  std::string out;
  for (int i = 0; i < o.batch; i++) {
    std::string props = "UNIQ_KEY\x01";
    char id[40];
    snprintf(id, sizeof id, "7F000001%08XABCDEF00%08X", u32(getpid()), u32(seq + u64(i)));
    props += id;
    props += "\x02WAIT\x01true";
    put32(out, u32(4 + 4 + 4 + 4 + 4 + body.size() + 2 + props.size()));
    put32(out, 0);
    put32(out, 0);
    put32(out, 0);
    put32(out, u32(body.size()));
    out += body;
    put16(out, u32(props.size()));
    out += props;
  }
  return out;
}
// A send frame rendered once per (topic, queue, tag) and patched per message: opaque, born time, unique key(s), send
// stamp.
struct Template {
  std::string bytes;
  size_t opaque_at = 0, born_at = 0, body_at = 0;
  bool binary = false;
  std::vector<size_t> key_at;
  void patch(u32 opaque, u64 seq, i64 born_ms, i64 stamp_ns, bool stamp) {
    if (binary) {
      u32 v = htonl(opaque);
      memcpy(&bytes[opaque_at], &v, 4);
    } else {
      char b[16];
      snprintf(b, sizeof b, "%10u", opaque);
      memcpy(&bytes[opaque_at], b, 10);
    }
    char d[14];
    for (int i = 12; i >= 0; i--) {
      d[i] = char('0' + born_ms % 10);
      born_ms /= 10;
    }
    memcpy(&bytes[born_at], d, 13);
    for (size_t at : key_at) {
      static const char* hex = "0123456789ABCDEF";
      u32 x = u32(seq++);
      for (int i = 7; i >= 0; i--) {
        bytes[at + size_t(i)] = hex[x & 15];
        x >>= 4;
      }
    }
    if (stamp) memcpy(&bytes[body_at], &stamp_ns, 8);
  }
};
static Template make_template(const Options& o, const std::string& topic, int queue, u64 seq, std::string_view body) {
  Template t;
  t.binary = o.codec == "binary";
  std::string payload = o.batch > 1 ? batch_body(o, body, seq) : std::string(body);
  t.bytes = frame(o, o.batch > 1 ? 320 : 310, 4000000000u, 0, send_fields(o, topic, queue, o.batch > 1, seq), payload);
  t.body_at = t.bytes.size() - payload.size();
  t.opaque_at = t.binary ? 8 + 5 : t.bytes.find("\"opaque\":4000000000") + 9;
  t.born_at = t.binary ? t.bytes.find(std::string("\0\1g\0\0\0\15", 7)) + 7 : t.bytes.find("\"g\":\"") + 5;
  for (size_t p = 0; (p = t.bytes.find("ABCDEF00", p)) != std::string::npos; p += 16) t.key_at.push_back(p + 8);
  return t;
}
static std::string make_body(int size, u64 seed) {
  std::string b(size_t(size), 'x');
  u64 x = seed * 0x9E3779B97F4A7C15ull + 1;
  for (auto& c : b) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    c = char('a' + x % 26);
  }
  return b;
}
static std::string topic_of(const Options& o, u64 i) {
  return o.topics > 1 ? o.topic + std::to_string(i % u64(o.topics)) : o.topic;
}

static void produce_thread(const Options& o, int id, std::atomic<u64>& left, i64 start, i64 deadline, Totals& t) {
  int ep = epoll_create1(0);
  int n = std::max(1, o.conns / o.threads);
  std::vector<std::unique_ptr<Conn>> cs;
  for (int i = 0; i < n; i++) {
    auto c = std::make_unique<Conn>();
    c->fd = dial(o.addr);
    c->queue = id * n + i;
    c->due.assign(size_t(o.window), 0);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = c.get();
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    cs.push_back(std::move(c));
  }
  double interval = o.rate > 0 ? 1e9 * o.threads * o.batch / o.rate : 0;
  double due = double(now_ns());
  u64 seq = u64(id) << 40;
  std::string body = make_body(o.size, u64(id) + 1);
  size_t rr = 0;
  std::unordered_map<u64, Template> templates;
  i64 wall_base = wall_ms() - now_ns() / 1'000'000;
  // Free slots per connection: due < 0. The opaque of a request is its slot.
  for (auto& c : cs) {
    for (auto& d : c->due) d = -1;
  }
  auto post = [&](Conn& c, i64 when) {
    u32 slot = 0;
    for (; slot < u32(o.window); slot++)
      if (c.due[slot] < 0) break;
    u32 opaque = slot;
    c.due[slot] = when;
    c.flying++;
    int q = int(seq / u64(o.batch) % u64(o.queues));
    u64 key = (seq % u64(o.topics)) * u64(o.queues) * 4 + u64(q) * 4 + (o.tags ? seq & 3 : 0);
    auto it = templates.find(key);
    if (it == templates.end()) it = templates.emplace(key, make_template(o, topic_of(o, seq), q, seq, body)).first;
    i64 stamp = now_ns();
    it->second.patch(opaque, seq, wall_base + stamp / 1'000'000, stamp, o.batch == 1 && o.size >= 8);
    c.out += it->second.bytes;
    seq += u64(o.batch);
  };
  auto take = [&]() -> bool {
    if (now_ns() >= deadline) return false;
    u64 b = u64(o.batch), l = left.load(std::memory_order_relaxed);
    while (l >= b)
      if (left.compare_exchange_weak(l, l - b)) return true;
    return false;
  };
  bool open = true;
  u64 flying = 0;
  for (;;) {
    i64 now = now_ns();
    if (open && now < deadline) {
      if (interval > 0) {
        while (double(now) >= due && open) {
          Conn* c = nullptr;
          for (size_t k = 0; k < cs.size(); k++) {
            auto* x = cs[(rr + k) % cs.size()].get();
            if (x->flying < o.window) {
              c = x;
              rr += k + 1;
              break;
            }
          }
          if (!c) break;
          if (!take()) {
            open = false;
            break;
          }
          post(*c, i64(due));
          flying++;
          due += interval;
        }
      } else {
        for (auto& c : cs)
          while (open && c->flying < o.window) {
            if (!take()) {
              open = false;
              break;
            }
            post(*c, now_ns());
            flying++;
          }
      }
      for (auto& c : cs)
        if (!c->out.empty()) write_some(*c, ep);
    } else
      open = false;
    if (!open && (flying == 0 || now > deadline + 5'000'000'000)) break;
    epoll_event ev[64];
    i64 wait = interval > 0 && open ? std::clamp<i64>(i64(due) - now_ns(), 0, 100'000'000) : 100'000'000;
    timespec ts{wait / 1'000'000'000, wait % 1'000'000'000};
    int k = epoll_pwait2(ep, ev, 64, &ts, nullptr);
    for (int i = 0; i < k; i++) {
      Conn& c = *static_cast<Conn*>(ev[i].data.ptr);
      if (ev[i].events & EPOLLOUT) write_some(c, ep);
      if (ev[i].events & EPOLLIN)
        read_frames(c, [&](const Response& r) {
          if (r.opaque >= u32(o.window) || c.due[r.opaque] < 0) {
            t.errors++;
            return;
          }
          i64 d = c.due[r.opaque];
          c.due[r.opaque] = -1;
          c.flying--;
          flying--;
          t.requests++;
          t.codes[r.code]++;
          if (r.code == 0) {
            t.messages += u64(o.batch);
            t.bytes += u64(o.batch) * u64(o.size);
            t.latency.add(u64(std::max<i64>(0, now_ns() - d)) / 1000);
          } else {
            t.errors++;
            if (t.remark.empty()) t.remark = std::string(r.remark);
          }
        });
    }
  }
  t.errors += flying;
  if (flying) t.codes[-1] += flying;
  (void)start;
  for (auto& c : cs) close(c->fd);
  close(ep);
}

static std::string pull_frame(const Options& o, Conn& c, const std::string& topic, int suspend_ms) {
  return frame(o, 11, c.opaque++, 0,
               {{"consumerGroup", o.group},
                {"topic", topic},
                {"queueId", std::to_string(c.queue)},
                {"queueOffset", std::to_string(c.offset)},
                {"maxMsgNums", std::to_string(o.max)},
                {"sysFlag", suspend_ms ? "6" : "4"},
                {"commitOffset", "0"},
                {"suspendTimeoutMillis", std::to_string(suspend_ms)},
                {"subscription", o.sub},
                {"subVersion", "1"},
                {"expressionType", o.expr}},
               "");
}
// Walks the records of a pull answer; checks that queue offsets never go back.
static void count_messages(Conn& c, std::string_view b, Totals& t, bool e2e, bool strict) {
  size_t p = 0;
  i64 now = now_ns();
  while (p + 92 <= b.size()) {
    const char* m = b.data() + p;
    u32 size = get32(m);
    if (size < 92 || p + size > b.size()) {
      t.errors++;
      return;
    }
    i64 off = i64(get64(m + 20));
    int sys = int(get32(m + 36));
    size_t q = 48 + ((sys & 0x10) ? 20 : 8) + 8 + ((sys & 0x20) ? 20 : 8) + 4 + 8;
    u32 bl = get32(m + q);
    if (e2e && bl >= 8) {
      i64 w;
      memcpy(&w, m + q + 4, 8);
      if (w > 0 && now > w) t.latency.add(u64(now - w) / 1000);
    }
    if (strict ? off != c.offset : off < c.offset) t.gaps++;
    c.offset = off + 1;
    t.messages++;
    t.bytes += bl;
    p += size;
  }
}
static void consume_thread(const Options& o, int id, std::atomic<u64>& seen, u64 want, i64 deadline, Totals& t,
                           bool e2e, const std::vector<i64>& from) {
  int ep = epoll_create1(0);
  std::vector<std::unique_ptr<Conn>> cs;
  for (int q = id; q < o.queues; q += o.threads) {
    auto c = std::make_unique<Conn>();
    c->fd = dial(o.addr);
    c->queue = q;
    c->offset = from[size_t(q)];
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = c.get();
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    cs.push_back(std::move(c));
  }
  bool strict = o.sub == "*";
  for (auto& c : cs) {
    c->out = pull_frame(o, *c, o.topic, e2e ? 15000 : 0);
    write_some(*c, ep);
  }
  size_t idle = 0, done = 0;
  while (now_ns() < deadline && (want == 0 || seen.load() < want) && idle < 50 && done < cs.size()) {
    epoll_event ev[64];
    int k = epoll_wait(ep, ev, 64, 100);
    if (!e2e && k == 0) idle++;
    for (int i = 0; i < k; i++) {
      Conn& c = *static_cast<Conn*>(ev[i].data.ptr);
      if (ev[i].events & EPOLLOUT) write_some(c, ep);
      if (ev[i].events & EPOLLIN) {
        bool again = false;
        read_frames(c, [&](const Response& r) {
          t.requests++;
          t.codes[r.code]++;
          u64 before = t.messages;
          if (r.code == 0) {
            count_messages(c, r.body, t, e2e, strict);
            if (r.next > c.offset) c.offset = r.next;
            again = true;
          } else if (r.code == 20 || r.code == 21) {
            if (r.next >= 0) c.offset = r.next;
            again = true;
          } else if (r.code == 19) {
            again = e2e || want > 0;
            if (!again) done++;
          } else {
            t.errors++;
            if (t.remark.empty()) t.remark = std::string(r.remark);
          }
          seen += t.messages - before;
          if (t.messages != before) t.last_ns = now_ns();
        });
        if (again) {
          c.out += pull_frame(o, c, o.topic, e2e ? 15000 : 0);
          write_some(c, ep);
        }
      }
    }
  }
  for (auto& c : cs) close(c->fd);
  close(ep);
}

static void report(const Options& o, const char* what, Totals& t, double secs) {
  rusage ru;
  getrusage(RUSAGE_SELF, &ru);
  double cpu =
      double(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + double(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
  printf(
      "{\"mode\":\"%s\",\"messages\":%llu,\"requests\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"MBps\":%.1f,\"errors\":%"
      "llu,\"gaps\":%llu,"
      "\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu,\"generator_cpu_s\":%.2f,\"codes\":{",
      what, (unsigned long long)t.messages, (unsigned long long)t.requests, secs, double(t.messages) / secs,
      double(t.bytes) / secs / 1e6, (unsigned long long)t.errors, (unsigned long long)t.gaps,
      (unsigned long long)t.latency.at(.5), (unsigned long long)t.latency.at(.99),
      (unsigned long long)t.latency.at(.999), (unsigned long long)t.latency.maximum, cpu);
  bool f = true;
  for (auto& [c, n] : t.codes) {
    printf("%s\"%d\":%llu", f ? "" : ",", c, (unsigned long long)n);
    f = false;
  }
  printf("}");
  if (!t.remark.empty()) printf(",\"remark\":\"%s\"", json_escape(t.remark).c_str());
  printf("}\n");
  (void)o;
}
static void merge(Totals& a, const Totals& b) {
  a.last_ns = std::max(a.last_ns, b.last_ns);
  a.messages += b.messages;
  a.requests += b.requests;
  a.bytes += b.bytes;
  a.errors += b.errors;
  a.gaps += b.gaps;
  a.latency.merge(b.latency);
  for (auto& [c, n] : b.codes) a.codes[c] += n;
  if (a.remark.empty()) a.remark = b.remark;
}

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  Options o;
  if (argc < 2) {
    fprintf(stderr, "usage: see the head of rmqload.cpp\n");
    return 2;
  }
  o.mode = argv[1];
  for (int i = 2; i < argc; i++) {
    std::string a = argv[i];
    auto v = [&]() -> std::string {
      if (i + 1 >= argc) {
        fprintf(stderr, "rmqload: %s needs a value\n", a.c_str());
        exit(2);
      }
      return argv[++i];
    };
    if (a == "--addr")
      o.addr = v();
    else if (a == "--topic")
      o.topic = v();
    else if (a == "--queues")
      o.queues = stoi(v());
    else if (a == "--conns")
      o.conns = stoi(v());
    else if (a == "--window")
      o.window = stoi(v());
    else if (a == "--size")
      o.size = stoi(v());
    else if (a == "--batch")
      o.batch = stoi(v());
    else if (a == "--threads")
      o.threads = stoi(v());
    else if (a == "--max")
      o.max = stoi(v());
    else if (a == "--topics")
      o.topics = stoi(v());
    else if (a == "--seconds")
      o.seconds = stod(v());
    else if (a == "--rate")
      o.rate = stod(v());
    else if (a == "--count")
      o.count = stoull(v());
    else if (a == "--tags")
      o.tags = true;
    else if (a == "--codec")
      o.codec = v();
    else if (a == "--sub")
      o.sub = v();
    else if (a == "--expr")
      o.expr = v();
    else if (a == "--group")
      o.group = v();
    else if (a == "--from")
      o.from = v();
    else {
      fprintf(stderr, "rmqload: unknown option %s\n", a.c_str());
      return 2;
    }
  }
  i64 start = now_ns(), deadline = start + i64(o.seconds * 1e9);
  auto max_offsets = [&](int code) {
    std::vector<i64> v(size_t(o.queues), 0);
    for (int q = 0; q < o.queues; q++) {
      std::string keep;
      Conn c;
      c.fd = dial(o.addr);
      int ep = epoll_create1(0);
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.ptr = &c;
      epoll_ctl(ep, EPOLL_CTL_ADD, c.fd, &e);
      c.out = frame(o, code, 1, 0, {{"topic", o.topic}, {"queueId", std::to_string(q)}, {"committed", "false"}}, "");
      write_some(c, ep);
      bool done = false;
      while (!done) {
        epoll_event ev[1];
        epoll_wait(ep, ev, 1, 1000);
        if (c.in_end == c.in.size()) c.in.resize(c.in.size() * 2);
        ssize_t n = recv(c.fd, c.in.data() + c.in_end, c.in.size() - c.in_end, 0);
        if (n == 0) exit(3);
        if (n > 0) c.in_end += size_t(n);
        if (c.in_end >= 4 && c.in_end >= 4 + get32(c.in.data())) {
          v[size_t(q)] = std::max<i64>(0, number_after({c.in.data(), c.in_end}, "\"offset\""));
          done = true;
        }
      }
      close(c.fd);
      close(ep);
    }
    return v;
  };
  if (o.mode == "topic") {
    std::string keep;
    int bad = 0;
    for (int i = 0; i < o.topics; i++) {
      Response r = call(o, 17,
                        {{"topic", topic_of(o, u64(i))},
                         {"defaultTopic", "TBW102"},
                         {"readQueueNums", std::to_string(o.queues)},
                         {"writeQueueNums", std::to_string(o.queues)},
                         {"perm", "6"},
                         {"topicFilterType", "SINGLE_TAG"},
                         {"topicSysFlag", "0"},
                         {"order", "false"}},
                        "", keep);
      if (r.code != 0) {
        bad++;
        fprintf(stderr, "rmqload: topic: code %d %s\n", r.code, keep.c_str());
      }
    }
    printf("{\"mode\":\"topic\",\"created\":%d,\"errors\":%d}\n", o.topics - bad, bad);
    return bad ? 1 : 0;
  }
  if (o.mode == "produce") {
    std::vector<Totals> ts(size_t(o.threads));
    std::vector<std::thread> th;
    std::atomic<u64> left{o.count ? o.count : ~0ull};
    for (int i = 0; i < o.threads; i++)
      th.emplace_back([&, i] { produce_thread(o, i, left, start, deadline, ts[size_t(i)]); });
    for (auto& x : th) x.join();
    double secs = double(now_ns() - start) / 1e9;
    Totals t;
    for (auto& x : ts) merge(t, x);
    report(o, "produce", t, secs);
    return t.errors ? 1 : 0;
  }
  if (o.mode == "consume") {
    auto from = o.from == "max" ? max_offsets(30) : max_offsets(31);
    u64 want = o.count;
    if (!want && o.sub == "*") {
      auto mx = max_offsets(30);
      for (size_t q = 0; q < mx.size(); q++) want += u64(mx[q] - from[q]);
    }
    start = now_ns();
    deadline = start + i64(o.seconds * 1e9);
    std::vector<Totals> ts(size_t(o.threads));
    std::vector<std::thread> th;
    std::atomic<u64> seen{0};
    for (int i = 0; i < o.threads; i++)
      th.emplace_back([&, i] { consume_thread(o, i, seen, want, deadline, ts[size_t(i)], false, from); });
    for (auto& x : th) x.join();
    Totals t;
    for (auto& x : ts) merge(t, x);
    double secs = double((t.last_ns ? t.last_ns : now_ns()) - start) / 1e9;
    report(o, "consume", t, secs);
    return t.errors || t.gaps ? 1 : 0;
  }
  if (o.mode == "e2e") {
    auto from = max_offsets(30);
    std::atomic<u64> seen{0}, left{~0ull};
    Totals c, p;
    std::vector<Totals> ps(size_t(o.threads));
    Options co = o;
    co.threads = 1;
    std::thread consumer([&] { consume_thread(co, 0, seen, 0, deadline + 1'000'000'000, c, true, from); });
    std::vector<std::thread> th;
    for (int i = 0; i < o.threads; i++)
      th.emplace_back([&, i] { produce_thread(o, i, left, start, deadline, ps[size_t(i)]); });
    for (auto& x : th) x.join();
    consumer.join();
    for (auto& x : ps) merge(p, x);
    report(o, "e2e-send", p, o.seconds);
    report(o, "e2e", c, o.seconds);
    return p.errors || c.gaps || c.messages != p.messages ? 1 : 0;
  }
  if (o.mode == "idle") {
    rlimit rl{1048576, 1048576};
    if (setrlimit(RLIMIT_NOFILE, &rl) != 0) {
      getrlimit(RLIMIT_NOFILE, &rl);
      rl.rlim_cur = rl.rlim_max;
      setrlimit(RLIMIT_NOFILE, &rl);
    }
    std::vector<int> fds;
    u64 ok = 0;
    double took;
    size_t c = o.addr.rfind(':');
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(u16(atoi(o.addr.c_str() + c + 1)));
    inet_pton(AF_INET, o.addr.substr(0, c).c_str(), &a.sin_addr);
    for (int i = 0; i < o.conns; i++) {
      int fd = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in src{};
      src.sin_family = AF_INET;
      src.sin_addr.s_addr = htonl(0x7f000001u + u32(1 + i / 20000));
      bind(fd, reinterpret_cast<sockaddr*>(&src), sizeof src);
      if (connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) {
        perror("rmqload: connect");
        close(fd);
        break;
      }
      std::string body = "{\"clientID\":\"idle@" + std::to_string(i) +
                         "\",\"producerDataSet\":[{\"groupName\":\"idle_p\"}],\"consumerDataSet\":[]}";
      std::string f = frame(o, 34, 7, 0, {}, body);
      if (send(fd, f.data(), f.size(), MSG_NOSIGNAL) == ssize_t(f.size()))
        fds.push_back(fd);
      else
        close(fd);
    }
    for (int fd : fds) {
      char b[4096];
      timeval tv{10, 0};
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
      ssize_t n = recv(fd, b, sizeof b, 0);
      if (n > 8 && parse(b + 4, size_t(n) - 4).code == 0) ok++;
    }
    took = double(now_ns() - start) / 1e9;
    printf("{\"mode\":\"idle\",\"connected\":%zu,\"answered\":%llu,\"seconds\":%.2f}\n", fds.size(),
           (unsigned long long)ok, took);
    fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(i64(o.seconds * 1000)));
    return ok == u64(o.conns) ? 0 : 1;
  }
  fprintf(stderr, "rmqload: unknown mode %s\n", o.mode.c_str());
  return 2;
}
