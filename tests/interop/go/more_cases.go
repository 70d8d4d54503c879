package main

import (
	"context"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func init() {
	cases["message_trace"] = messageTrace
	cases["orderly_until_dead_letter"] = orderlyUntilDeadLetter
	cases["reset_while_consuming"] = resetWhileConsuming
}

// What a traced producer and a traced consumer tell of a message stands in the trace topic.
func messageTrace(l *lab) {
	topic := l.topic(1)
	config := &primitive.TraceConfig{Access: primitive.Local, Resolver: primitive.NewPassthroughResolver([]string{*namesrv})}
	p := l.producer(producer.WithTrace(config))
	sent, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte("traced")).WithKeys([]string{"k1"}))
	must(err, "send")
	traces := &sink{}
	l.member(l.unique("reader"), "traces", "RMQ_SYS_TRACE_TOPIC", "*", traces)
	s := &sink{}
	l.member(l.unique("group"), "a", topic, "*", s, consumer.WithTrace(config))
	told := func(kind string) bool {
		for _, trace := range traces.all() {
			for _, record := range strings.Split(string(trace.Body), "\x02") {
				if strings.HasPrefix(record, kind+"\x01") && strings.Contains(record, sent.MsgID) {
					return true
				}
			}
		}
		return false
	}
	for _, kind := range []string{"Pub", "SubBefore", "SubAfter"} {
		until("the trace record "+kind, func() bool { return told(kind) }, traces.state)
	}
}

// A message that an orderly consumer never takes holds its queue until it has had its tries, then goes on to the dead letters.
func orderlyUntilDeadLetter(l *lab) {
	topic := l.topic(1)
	group := l.unique("group")
	ask("topic %RETRY%" + group + " 1")
	p := l.producer()
	s := &sink{}
	c, err := rocketmq.NewPushConsumer(consumer.WithNameServer([]string{*namesrv}), consumer.WithGroupName(group), consumer.WithInstance(group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset), consumer.WithMaxReconsumeTimes(1), consumer.WithConsumerOrder(true),
		consumer.WithSuspendCurrentQueueTimeMillis(100*time.Millisecond))
	must(err, "new push consumer")
	must(c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			s.take(message)
			if string(message.Body) == "m0" {
				return consumer.SuspendCurrentQueueAMoment, nil
			}
		}
		return consumer.ConsumeSuccess, nil
	}), "subscribe")
	must(c.Start(), "start the push consumer")
	l.closers = append(l.closers, func() { _ = c.Shutdown() })
	l.send(p, topic, 0, 2)
	until("the message behind it", func() bool { return s.bodies()["m1"] > 0 }, s.state)
	all := s.all()
	check(string(all[len(all)-1].Body) == "m1", "m1 came before the last try of m0")
	check(s.bodies()["m0"] >= 2, "%d tries", s.bodies()["m0"])
	dead := &sink{}
	l.member(l.unique("reader"), "a", "%DLQ%"+group, "*", dead)
	dead.expectBodies(0, 1, true)
}

// A group that is reset while it consumes gets everything once more.
func resetWhileConsuming(l *lab) {
	topic := l.topic(1)
	group := l.unique("group")
	s := &sink{}
	l.send(l.producer(), topic, 0, 5)
	l.member(group, "a", topic, "*", s)
	s.expectBodies(0, 5, true)
	ask("reset " + group + " " + topic)
	until("all of it again", func() bool { return s.size() == 10 }, s.state)
	for body, times := range s.bodies() {
		check(times == 2, "%s came %d times", body, times)
	}
}
