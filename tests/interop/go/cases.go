package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var cases = map[string]func(*lab){
	"send_sync":                       sendSync,
	"send_async":                      sendAsync,
	"send_oneway":                     sendOneway,
	"send_batch":                      sendBatch,
	"send_large_compressed":           sendLarge,
	"send_unicode":                    sendUnicode,
	"auto_create_topic":               autoCreate,
	"push_concurrent":                 pushConcurrent,
	"push_orderly":                    pushOrderly,
	"push_rebalance":                  pushRebalance,
	"retry_until_dead_letter":         retryUntilDeadLetter,
	"push_broadcasting":               pushBroadcasting,
	"push_tags":                       pushTags,
	"consumer_goes_to_slave_and_back": consumerGoesToSlaveAndBack,
	"push_offsets_survive_restart":    pushOffsets,
	"pull_consumer":                   pullConsumer,
	"delay_levels":                    delayLevels,
	"transactions":                    transactions,
	"sql_push":                        sqlPush,
}

func (l *lab) expectStored(topic string, from, to int) {
	s := &sink{}
	l.member(l.unique("reader"), "a", topic, "*", s)
	s.expectBodies(from, to, false)
}

func sendSync(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	result, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte("m0")))
	must(err, "send")
	check(result.Status == primitive.SendOK, "status %v", result.Status)
	check(result.MessageQueue.Topic == topic && result.MessageQueue.BrokerName == "broker-a", "queue %v", result.MessageQueue)
	check(result.QueueOffset == 0, "queue offset %d", result.QueueOffset)
	check(len(result.OffsetMsgID) == 32, "offset id %q", result.OffsetMsgID)
	check(len(result.MsgID) == 32 || len(result.MsgID) == 56, "msg id %q", result.MsgID)
	check(result.RegionID == "DefaultRegion" && result.TraceOn, "region %q, trace %v", result.RegionID, result.TraceOn)
	l.send(p, topic, 1, 40)
	l.expectStored(topic, 0, 40)
}

func sendAsync(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	var done sync.WaitGroup
	var failures atomic.Value
	for i := 0; i < 60; i++ {
		done.Add(1)
		must(p.SendAsync(context.Background(), func(_ context.Context, result *primitive.SendResult, err error) {
			defer done.Done()
			if err != nil {
				failures.Store(err.Error())
			} else if result.Status != primitive.SendOK {
				failures.Store(fmt.Sprint(result.Status))
			}
		}, primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))), "send async")
	}
	done.Wait()
	check(failures.Load() == nil, "a callback got %v", failures.Load())
	l.expectStored(topic, 0, 60)
}

func sendOneway(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	for i := 0; i < 30; i++ {
		must(p.SendOneWay(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))), "send one-way")
	}
	l.expectStored(topic, 0, 30)
}

func sendBatch(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	var messages []*primitive.Message
	for i := 0; i < 20; i++ {
		messages = append(messages, primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i))).WithTag("T").WithKeys([]string{fmt.Sprintf("key%d", i)}))
	}
	result, err := p.SendSync(context.Background(), messages...)
	must(err, "send the batch")
	check(result.Status == primitive.SendOK, "status %v", result.Status)
	s := &sink{}
	l.member(l.unique("reader"), "a", topic, "T", s)
	s.expectBodies(0, 20, true)
	queue := s.all()[0].Queue.QueueId
	for _, message := range s.all() {
		check(message.Queue.QueueId == queue, "one batch in queues %d and %d", queue, message.Queue.QueueId)
		check(string(message.Body) == fmt.Sprintf("m%d", message.QueueOffset), "offset %d of %s", message.QueueOffset, message.Body)
		check(message.GetKeys() == "key"+strings.TrimPrefix(string(message.Body), "m"), "keys %q of %s", message.GetKeys(), message.Body)
	}
}

func sendLarge(l *lab) {
	topic := l.topic(1)
	p := l.producer()
	text := []byte(strings.Repeat("a line that packs well\n", 400))
	noise := make([]byte, 1<<20)
	rand.New(rand.NewSource(7)).Read(noise)
	for _, body := range [][]byte{text, noise} {
		result, err := p.SendSync(context.Background(), primitive.NewMessage(topic, body))
		must(err, "send")
		check(result.Status == primitive.SendOK, "status %v", result.Status)
	}
	s := &sink{}
	l.member(l.unique("reader"), "a", topic, "*", s)
	until("both messages", func() bool { return s.size() >= 2 }, s.state)
	for _, message := range s.all() {
		want := text
		if message.QueueOffset == 1 {
			want = noise
		} else {
			check(int(message.StoreSize) < len(text)/4, "the text was stored with %d bytes", message.StoreSize)
		}
		check(bytes.Equal(message.Body, want), "body at offset %d came back changed, %d bytes", message.QueueOffset, len(message.Body))
	}
}

func sendUnicode(l *lab) {
	topic := l.topic(1)
	p := l.producer()
	texts := []string{"ünïcödé", "消息队列", "Привет, мир", "emoji 🚀🦊", "quote\" back\\slash /slash <&>"}
	for i, text := range texts {
		message := primitive.NewMessage(topic, []byte(text)).WithTag("标签-é").WithKeys([]string{fmt.Sprintf("ключ%d", i), "🔑"})
		message.WithProperty("user-属性", text)
		_, err := p.SendSync(context.Background(), message)
		must(err, "send")
	}
	s := &sink{}
	// This client hashes a tag's UTF-8 bytes, not its UTF-16 units, so its own filter for such a tag finds nothing.
	l.member(l.unique("reader"), "a", topic, "*", s)
	until("all messages", func() bool { return s.size() >= len(texts) }, s.state)
	for _, message := range s.all() {
		text := texts[message.QueueOffset]
		check(string(message.Body) == text, "body %q", message.Body)
		check(message.GetProperty("user-属性") == text, "property %q", message.GetProperty("user-属性"))
		check(message.GetTags() == "标签-é", "tags %q", message.GetTags())
		check(message.GetKeys() == fmt.Sprintf("ключ%d 🔑", message.QueueOffset), "keys %q", message.GetKeys())
	}
}

func autoCreate(l *lab) {
	topic := l.unique("")
	l.send(l.producer(), topic, 0, 6)
	ask(fmt.Sprintf("route %s 4", topic))
	l.expectStored(topic, 0, 6)
}

func pushConcurrent(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	l.send(p, topic, 0, 30)
	s := &sink{}
	l.member(l.unique("group"), "a", topic, "*", s)
	l.send(p, topic, 30, 120)
	s.expectBodies(0, 120, true)
}

func pushOrderly(l *lab) {
	topic := l.topic(4)
	p := l.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	s := &sink{}
	l.member(l.unique("group"), "a", topic, "*", s, consumer.WithConsumerOrder(true))
	for i := 0; i < 80; i++ {
		message := primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))
		message.WithShardingKey(fmt.Sprintf("order%d", i%8))
		_, err := p.SendSync(context.Background(), message)
		must(err, "send")
	}
	s.expectBodies(0, 80, true)
	next := map[int]int64{}
	for _, message := range s.all() {
		check(message.QueueOffset == next[message.Queue.QueueId], "queue %d: offset %d after %d", message.Queue.QueueId, message.QueueOffset, next[message.Queue.QueueId]-1)
		next[message.Queue.QueueId]++
	}
}

func retryUntilDeadLetter(l *lab) {
	topic := l.topic(1)
	group := l.unique("group")
	ask("topic %RETRY%" + group + " 1")
	p := l.producer()
	s := &sink{}
	c, err := rocketmq.NewPushConsumer(consumer.WithNameServer([]string{*namesrv}), consumer.WithGroupName(group), consumer.WithInstance(group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset), consumer.WithMaxReconsumeTimes(1))
	must(err, "new push consumer")
	must(c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			s.take(message)
		}
		if concurrently, ok := primitive.GetConcurrentlyCtx(ctx); ok {
			concurrently.DelayLevelWhenNextConsume = 1
		}
		return consumer.ConsumeRetryLater, nil
	}), "subscribe")
	must(c.Start(), "start the push consumer")
	l.closers = append(l.closers, func() { _ = c.Shutdown() })
	message := primitive.NewMessage(topic, []byte("m0")).WithTag("TagA").WithKeys([]string{"k1"})
	sent, err := p.SendSync(context.Background(), message)
	must(err, "send")
	until("two tries", func() bool { return s.size() >= 2 }, s.state)
	for i, try := range s.all() {
		check(int(try.ReconsumeTimes) == i && try.GetTags() == "TagA" && try.GetKeys() == "k1", "try %d: %v", i, try)
		check(i == 0 || try.GetProperty("ORIGIN_MESSAGE_ID") == sent.OffsetMsgID, "origin of try %d: %v", i, try)
	}
	dead := &sink{}
	l.member(l.unique("reader"), "a", "%DLQ%"+group, "*", dead)
	dead.expectBodies(0, 1, true)
	letter := dead.all()[0]
	check(letter.ReconsumeTimes == 2 && letter.GetProperty("RETRY_TOPIC") == topic && letter.GetProperty("ORIGIN_MESSAGE_ID") == sent.OffsetMsgID, "letter: %v", letter)
	check(s.size() == 2, "%d tries", s.size())
}

func pushRebalance(l *lab) {
	topic := l.topic(8)
	group := l.unique("group")
	p := l.producer()
	a, b := &sink{}, &sink{}
	l.member(group, "a", topic, "*", a)
	stop := make(chan struct{})
	sent := make(chan int, 1)
	go func() {
		i := 0
		for ; ; i++ {
			select {
			case <-stop:
				sent <- i
				return
			case <-time.After(5 * time.Millisecond):
				if _, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))); err != nil {
					sent <- -1
					return
				}
			}
		}
	}()
	until("messages at the first member", func() bool { return a.size() > 20 }, a.state)
	leave := l.member(group, "b", topic, "*", b)
	until("messages at the second member", func() bool { return b.size() > 50 }, b.state)
	until("fewer queues at the first member", func() bool { return queuesOfLast(a, 40) <= 4 }, a.state)
	leave()
	until("all queues at the first member again", func() bool { return queuesOfLast(a, 60) == 8 }, a.state)
	close(stop)
	count := <-sent
	check(count > 0, "a send failed")
	until("all messages", func() bool { return missing(a, b, count) == 0 }, func() string { return fmt.Sprintf("%d of %d missing", missing(a, b, count), count) })
}

func queuesOfLast(s *sink, count int) int {
	all := s.all()
	if len(all) < count {
		return 0
	}
	queues := map[int]bool{}
	for _, message := range all[len(all)-count:] {
		queues[message.Queue.QueueId] = true
	}
	return len(queues)
}

func missing(a, b *sink, count int) int {
	left, right := a.bodies(), b.bodies()
	lost := 0
	for i := 0; i < count; i++ {
		name := fmt.Sprintf("m%d", i)
		if left[name]+right[name] == 0 {
			lost++
		}
	}
	return lost
}

func pushBroadcasting(l *lab) {
	topic := l.topic(4)
	group := l.unique("group")
	a, b := &sink{}, &sink{}
	l.member(group, "a", topic, "*", a, consumer.WithConsumerModel(consumer.BroadCasting))
	l.member(group, "b", topic, "*", b, consumer.WithConsumerModel(consumer.BroadCasting))
	l.send(l.producer(), topic, 0, 30)
	a.expectBodies(0, 30, true)
	b.expectBodies(0, 30, true)
}

func pushTags(l *lab) {
	topic := l.topic(2)
	tags := []string{"A", "B", "C", ""}
	expected := map[string]int{"A || B": 20, "*": 40, "C": 10}
	sinks := map[string]*sink{}
	for expression := range expected {
		sinks[expression] = &sink{}
		l.member(l.unique(fmt.Sprintf("group%d", len(sinks))), "a", topic, expression, sinks[expression])
	}
	p := l.producer()
	for i := 0; i < 40; i++ {
		message := primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))
		if tags[i%4] != "" {
			message.WithTag(tags[i%4])
		}
		_, err := p.SendSync(context.Background(), message)
		must(err, "send")
	}
	for expression, s := range sinks {
		until("messages of "+expression, func() bool { return s.size() >= expected[expression] }, s.state)
		check(s.size() == expected[expression], "%d messages of %q", s.size(), expression)
		for _, message := range s.all() {
			check(expression == "*" || strings.Contains(expression, message.GetTags()), "tag %q for %q", message.GetTags(), expression)
		}
	}
}

func sqlPush(l *lab) {
	topic := l.topic(2)
	wanted := map[string]func(int) bool{
		"number > 10 AND colour = 'red'":        func(n int) bool { return n > 10 && n%2 == 0 },
		"number BETWEEN 3 AND 6 OR number = 25": func(n int) bool { return n >= 3 && n <= 6 || n == 25 },
		"colour IS NULL OR TAGS IN ('x', 'T9')": func(n int) bool { return n%2 == 1 || n == 9 },
	}
	sinks := map[string]*sink{}
	for expression := range wanted {
		sinks[expression] = &sink{}
		l.memberBy(consumer.MessageSelector{Type: consumer.SQL92, Expression: expression}, l.unique(fmt.Sprintf("group%d", len(sinks))), "a", topic, sinks[expression])
	}
	p := l.producer()
	for i := 0; i < 30; i++ {
		message := primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i))).WithTag(fmt.Sprintf("T%d", i))
		message.WithProperty("number", fmt.Sprint(i))
		if i%2 == 0 {
			message.WithProperty("colour", "red")
		}
		_, err := p.SendSync(context.Background(), message)
		must(err, "send")
	}
	for expression, filter := range wanted {
		count := 0
		for i := 0; i < 30; i++ {
			if filter(i) {
				count++
			}
		}
		s := sinks[expression]
		until("messages of "+expression, func() bool { return s.size() >= count }, s.state)
		check(s.size() == count, "%d messages of %q, not %d", s.size(), expression, count)
		for i := 0; i < 30; i++ {
			check((s.bodies()[fmt.Sprintf("m%d", i)] == 1) == filter(i), "message %d for %q", i, expression)
		}
	}
}

func pushOffsets(l *lab) {
	topic := l.topic(4)
	group := l.unique("group")
	p := l.producer()
	first, second := &sink{}, &sink{}
	leave := l.member(group, "a", topic, "*", first)
	l.send(p, topic, 0, 40)
	first.expectBodies(0, 40, true)
	leave()
	l.send(p, topic, 40, 60)
	l.member(group, "b", topic, "*", second)
	second.expectBodies(40, 60, true)
}

// A consumer in the middle of a topic goes on at the slave and comes back. (This client can't start a group without a master.)
func consumerGoesToSlaveAndBack(l *lab) {
	topic := l.topic(4)
	p := l.producer()
	running := &sink{}
	masterIsGone := make(chan struct{})
	l.memberDoing(func(message *primitive.MessageExt) {
		running.take(message)
		if running.size() >= 12 {
			<-masterIsGone
		}
	}, consumer.MessageSelector{}, l.unique("running"), "a", topic, consumer.WithPullBatchSize(1), consumer.WithPullThresholdForQueue(1))
	l.send(p, topic, 0, 60)
	until("12 messages with the master", func() bool { return running.size() >= 12 }, running.state)
	ask("slave-caught-up")
	ask("slave-knows " + topic)
	ask("stop-master")
	close(masterIsGone)
	running.expectBodies(0, 60, false)

	ask("start-master")
	for i := 60; i < 100; i++ {
		until(fmt.Sprintf("the master to take m%d", i), func() bool {
			result, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i))))
			return err == nil && result.Status == primitive.SendOK
		}, func() string { return "" })
	}
	running.expectBodies(0, 100, false)
}

func pullConsumer(l *lab) {
	topic := l.topic(1)
	l.send(l.producer(), topic, 0, 20)
	c, err := rocketmq.NewPullConsumer(consumer.WithNameServer([]string{*namesrv}), consumer.WithGroupName(l.unique("group")), consumer.WithInstance(l.unique("group")))
	must(err, "new pull consumer")
	must(c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}), "subscribe")
	must(c.Start(), "start the pull consumer")
	l.closers = append(l.closers, func() { _ = c.Shutdown() })
	queue := &primitive.MessageQueue{Topic: topic, BrokerName: "broker-a", QueueId: 0}
	result, err := c.PullFrom(context.Background(), queue, 5, 10)
	must(err, "pull from 5")
	check(result.Status == primitive.PullFound, "status %v", result.Status)
	check(len(result.GetMessageExts()) == 10, "%d messages", len(result.GetMessageExts()))
	check(result.NextBeginOffset == 15 && result.MinOffset == 0 && result.MaxOffset == 20, "next %d min %d max %d", result.NextBeginOffset, result.MinOffset, result.MaxOffset)
	result, err = c.PullFrom(context.Background(), queue, 500, 10)
	must(err, "pull behind the end")
	check(result.Status == primitive.PullOffsetIllegal && result.NextBeginOffset == 20, "status %v next %d behind the end", result.Status, result.NextBeginOffset)
}

func delayLevels(l *lab) {
	topic := l.topic(2)
	p := l.producer()
	s := &sink{}
	l.member(l.unique("reader"), "a", topic, "*", s)
	before := time.Now()
	for i := 0; i < 20; i++ {
		message := primitive.NewMessage(topic, []byte(fmt.Sprintf("m%d", i)))
		message.WithDelayTimeLevel(1 + i%2)
		result, err := p.SendSync(context.Background(), message)
		must(err, "send")
		check(result.Status == primitive.SendOK, "status %v", result.Status)
	}
	s.expectBodies(0, 20, false)
	check(time.Since(before) >= 5*time.Second, "all came after %v", time.Since(before))
}

// payer is a transactional producer's listener: what a body says is how its transaction ends.
type payer struct {
	checks int32
}

func (p *payer) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	switch string(message.Body) {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (p *payer) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	atomic.AddInt32(&p.checks, 1)
	if string(message.Body) == "commit later" {
		return primitive.CommitMessageState
	}
	return primitive.RollbackMessageState
}

func transactions(l *lab) {
	topic := l.topic(1)
	listener := &payer{}
	p, err := rocketmq.NewTransactionProducer(listener, producer.WithNameServer([]string{*namesrv}), producer.WithGroupName(l.unique("payers")),
		producer.WithInstanceName(l.unique("payers")), producer.WithSendMsgTimeout(10*time.Second))
	must(err, "new transactional producer")
	must(p.Start(), "start it")
	l.closers = append(l.closers, func() { _ = p.Shutdown() })
	for _, body := range []string{"commit", "rollback", "commit later", "rollback later"} {
		result, err := p.SendMessageInTransaction(context.Background(), primitive.NewMessage(topic, []byte(body)))
		must(err, "send the half message "+body)
		check(result.Status == primitive.SendOK, "status %v", result.Status)
	}
	s := &sink{}
	l.member(l.unique("reader"), "a", topic, "*", s)
	until("both committed messages", func() bool { return s.size() >= 2 }, s.state)
	until("both checks", func() bool { return atomic.LoadInt32(&listener.checks) >= 2 }, s.state)
	time.Sleep(2500 * time.Millisecond) // past another round of checks
	bodies := s.bodies()
	check(len(bodies) == 2 && bodies["commit"] == 1 && bodies["commit later"] == 1, "delivered %v", bodies)
	check(atomic.LoadInt32(&listener.checks) == 2, "%d checks", listener.checks)
}
