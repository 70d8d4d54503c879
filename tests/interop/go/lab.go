// Drives the official Go client; see ../README.md for what the cases prove and harness/programs.py for how results are reported.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"context"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

var (
	namesrv = flag.String("namesrv", "", "name server address")
	broker  = flag.String("broker", "", "broker address")
	prefix  = flag.String("prefix", "go", "first part of every topic and group")
	names   = flag.String("cases", "", "comma-separated cases")

	output  sync.Mutex
	answers = bufio.NewReader(os.Stdin)
)

const wait = 40 * time.Second

// lab is what one case works with: names of its own, and clients that end with it.
type lab struct {
	name    string
	closers []func()
}

func emit(value interface{}) {
	text, _ := json.Marshal(value)
	fmt.Println(string(text))
}

func ask(what string) {
	output.Lock()
	defer output.Unlock()
	emit(map[string]string{"ask": what})
	answer, err := answers.ReadString('\n')
	if err != nil || !strings.HasPrefix(answer, "ok") {
		panic(fmt.Sprintf("the harness answered %q to %q", answer, what))
	}
}

func (l *lab) unique(suffix string) string {
	if suffix == "" {
		return *prefix + "_" + l.name
	}
	return *prefix + "_" + l.name + "_" + suffix
}

func (l *lab) topic(queues int) string {
	topic := l.unique("")
	ask(fmt.Sprintf("topic %s %d", topic, queues))
	return topic
}

func check(ok bool, format string, arguments ...interface{}) {
	if !ok {
		panic(fmt.Sprintf(format, arguments...))
	}
}

func must(err error, what string) {
	check(err == nil, "%s: %v", what, err)
}

func until(what string, condition func() bool, state func() string) {
	end := time.Now().Add(wait)
	for !condition() {
		check(time.Now().Before(end), "waited %v for %s, %s", wait, what, state())
		time.Sleep(25 * time.Millisecond)
	}
}

func (l *lab) producer(options ...producer.Option) rocketmq.Producer {
	options = append([]producer.Option{
		producer.WithNameServer([]string{*namesrv}), producer.WithGroupName(l.unique("producer")), producer.WithInstanceName(l.unique("producer")),
		producer.WithSendMsgTimeout(10 * time.Second), producer.WithRetry(2),
	}, options...)
	p, err := rocketmq.NewProducer(options...)
	must(err, "new producer")
	must(p.Start(), "start the producer")
	l.closers = append(l.closers, func() { _ = p.Shutdown() })
	return p
}

func (l *lab) send(p rocketmq.Producer, topic string, from, to int) {
	for i := from; i < to; i++ {
		result, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i))))
		must(err, "send")
		check(result.Status == primitive.SendOK, "send status %v", result.Status)
	}
}

// sink collects what a consumer was given.
type sink struct {
	sync.Mutex
	messages []*primitive.MessageExt
}

func (s *sink) take(message *primitive.MessageExt) {
	s.Lock()
	defer s.Unlock()
	s.messages = append(s.messages, message)
}

func (s *sink) size() int {
	s.Lock()
	defer s.Unlock()
	return len(s.messages)
}

func (s *sink) all() []*primitive.MessageExt {
	s.Lock()
	defer s.Unlock()
	return append([]*primitive.MessageExt(nil), s.messages...)
}

func (s *sink) bodies() map[string]int {
	bodies := map[string]int{}
	for _, message := range s.all() {
		bodies[string(message.Body)]++
	}
	return bodies
}

func (s *sink) state() string { return fmt.Sprintf("have %d", s.size()) }

// expectBodies waits for exactly the bodies m<from>..m<to-1>; `once` refuses a second delivery.
func (s *sink) expectBodies(from, to int, once bool) {
	until(fmt.Sprintf("%d messages", to-from), func() bool { return len(s.bodies()) >= to-from }, s.state)
	bodies := s.bodies()
	for i := from; i < to; i++ {
		count := bodies[fmt.Sprintf("m%d", i)]
		check(count > 0, "m%d is missing", i)
		check(count == 1 || !once, "m%d came %d times", i, count)
	}
	check(len(bodies) == to-from, "%d different bodies, expected %d", len(bodies), to-from)
}

// member starts a push consumer that hands each message to `s`; stop it with the returned function.
func (l *lab) member(group, name, topic, expression string, s *sink, options ...consumer.Option) func() {
	return l.memberBy(consumer.MessageSelector{Type: consumer.TAG, Expression: expression}, group, name, topic, s, options...)
}

// memberBy starts a push consumer whose messages `selector` chooses; the result ends it.
func (l *lab) memberBy(selector consumer.MessageSelector, group, name, topic string, s *sink, options ...consumer.Option) func() {
	return l.memberDoing(s.take, selector, group, name, topic, options...)
}

// memberDoing starts a push consumer that does `work` with each message; the result ends it.
func (l *lab) memberDoing(work func(*primitive.MessageExt), selector consumer.MessageSelector, group, name, topic string, options ...consumer.Option) func() {
	options = append([]consumer.Option{
		consumer.WithNameServer([]string{*namesrv}), consumer.WithGroupName(group), consumer.WithInstance(group + "_" + name),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, options...)
	c, err := rocketmq.NewPushConsumer(options...)
	must(err, "new push consumer")
	must(c.Subscribe(topic, selector, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			work(message)
		}
		return consumer.ConsumeSuccess, nil
	}), "subscribe")
	must(c.Start(), "start the push consumer")
	var once sync.Once
	stop := func() { once.Do(func() { _ = c.Shutdown() }) }
	l.closers = append(l.closers, stop)
	return stop
}

func runOne(name string, body func(*lab)) {
	l := &lab{name: name}
	begin := time.Now()
	done := make(chan string, 1)
	go func() {
		defer func() {
			if broken := recover(); broken != nil {
				done <- fmt.Sprint(broken)
			} else {
				done <- ""
			}
		}()
		body(l)
	}()
	reason := ""
	select {
	case reason = <-done:
	case <-time.After(100 * time.Second):
		reason = "no result within 100 s"
	}
	output.Lock()
	emit(map[string]interface{}{"case": name, "ok": reason == "", "seconds": time.Since(begin).Seconds(), "reason": reason})
	output.Unlock()
	for _, closer := range l.closers {
		closer()
	}
}

func main() {
	flag.Parse()
	rlog.SetLogLevel("error")
	var running sync.WaitGroup
	slots := make(chan struct{}, 8)
	wanted := strings.Split(*names, ",")
	sort.SliceStable(wanted, func(a, b int) bool {
		return strings.HasPrefix(wanted[a], "push") && !strings.HasPrefix(wanted[b], "push")
	})
	for _, name := range wanted {
		body, known := cases[name]
		if !known {
			emit(map[string]interface{}{"case": name, "ok": false, "seconds": 0, "reason": "no such case"})
			continue
		}
		running.Add(1)
		slots <- struct{}{}
		go func(name string) {
			defer running.Done()
			runOne(name, body)
			<-slots
		}(name)
	}
	running.Wait()
	emit(map[string]bool{"end": true})
}
