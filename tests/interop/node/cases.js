'use strict';
// Drives the official Node client; see ../README.md for what the cases prove and ../harness/programs.py for how results are reported.

const readline = require('readline');
const zlib = require('zlib');
const crypto = require('crypto');
const { Consumer, Producer, Message } = require('ali-ons');

const options = {};
for (let i = 2; i + 1 < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
// The client writes warnings to the console; only result lines may go to standard output.
console.log = console.info = console.warn = console.error;

const emit = value => process.stdout.write(JSON.stringify(value) + '\n');
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const waiting = [];
readline.createInterface({ input: process.stdin }).on('line', line => waiting.shift()(line));

function ask(what) {
  return new Promise((resolve, reject) => {
    waiting.push(answer => (answer.startsWith('ok') ? resolve() : reject(new Error(`the harness answered ${answer} to ${what}`))));
    emit({ ask: what });
  });
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

async function until(what, condition, state = () => '') {
  const end = Date.now() + 40000;
  while (!condition()) {
    check(Date.now() < end, `waited 40 s for ${what} ${state()}`);
    await sleep(25);
  }
}

// What one case works with: names of its own, and clients that end with it.
class Lab {
  constructor(name) {
    this.name = name;
    this.closers = [];
  }

  unique(suffix) {
    return `${options.prefix}_${this.name}${suffix ? '_' + suffix : ''}`;
  }

  async topic(queues) {
    await ask(`topic ${this.unique()} ${queues}`);
    return this.unique();
  }

  async producer(more = {}) {
    const producer = new Producer({
      httpclient: {}, nameSrv: options.namesrv, producerGroup: this.unique('producer'), instanceName: this.unique('producer'), sendMsgTimeout: 10000, ...more,
    });
    producer.on('error', error => console.error(this.name, error.message));
    await producer.ready();
    this.closers.push(() => producer.close());
    return producer;
  }

  async member(group, name, topic, expression, more = {}) {
    const messages = [];
    const consumer = new Consumer({
      httpclient: {}, nameSrv: options.namesrv, consumerGroup: group, instanceName: `${group}_${name}`, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      rebalanceInterval: 2000, ...more,
    });
    consumer.on('error', error => console.error(this.name, error.message));
    consumer.subscribe(topic, expression, async message => { messages.push(message); });
    await consumer.ready();
    let open = true;
    const leave = async () => {
      if (open) {
        open = false;
        await consumer.close();
      }
    };
    this.closers.push(leave);
    return { messages, leave };
  }

  async send(producer, topic, from, to) {
    for (let i = from; i < to; i++) {
      const result = await producer.send(new Message(topic, 'T', `m${i}`));
      check(result.sendStatus === 'SEND_OK', `send status ${result.sendStatus}`);
    }
  }
}

const bodies = messages => new Set(messages.map(m => m.body.toString()));

async function expectBodies(messages, from, to, once) {
  await until(`${to - from} messages`, () => bodies(messages).size >= to - from, () => `have ${bodies(messages).size}`);
  const seen = bodies(messages);
  for (let i = from; i < to; i++) check(seen.has(`m${i}`), `m${i} is missing`);
  check(seen.size === to - from, `${seen.size} different bodies, expected ${to - from}`);
  check(!once || messages.length === to - from, `${messages.length} deliveries of ${to - from} messages`);
}

const cases = {
  async send_sync(lab) {
    const topic = await lab.topic(4);
    const producer = await lab.producer();
    const result = await producer.send(new Message(topic, 'T', 'm0'));
    check(result.sendStatus === 'SEND_OK', `status ${result.sendStatus}`);
    check(/^[0-9A-F]{32}$/.test(result.offsetMsgId || result.msgId), `id in ${JSON.stringify(result)}`);
    check(Number(result.queueOffset) === 0, `queue offset ${result.queueOffset}`);
    await lab.send(producer, topic, 1, 30);
    await expectBodies((await lab.member(lab.unique('reader'), 'a', topic, '*')).messages, 0, 30, false);
  },

  async send_to_chosen_queue(lab) {
    const topic = await lab.topic(4);
    const producer = await lab.producer();
    // A key that falls on queue 0 is sent anywhere by this client: take three that fall on others.
    const keys = Array.from({ length: 99 }, (_, i) => `key${i}`).filter(k => crypto.createHash('md5').update(k).digest().readUInt32BE() % 4 !== 0).slice(0, 3);
    for (let i = 0; i < 24; i++) {
      const message = new Message(topic, 'T', `m${i}`);
      message.shardingKey = keys[i % 3];
      await producer.send(message);
    }
    const { messages } = await lab.member(lab.unique('reader'), 'a', topic, '*');
    await expectBodies(messages, 0, 24, false);
    for (let key = 0; key < 3; key++) {
      const mine = messages.filter(m => Number(m.body.toString().slice(1)) % 3 === key);
      check(new Set(mine.map(m => m.queueId)).size === 1, `messages of ${keys[key]} are in several queues`);
      const byOffset = [ ...mine ].sort((a, b) => Number(a.queueOffset) - Number(b.queueOffset)).map(m => Number(m.body.toString().slice(1)));
      check(byOffset.every((n, i) => i === 0 || n > byOffset[i - 1]), `order of ${keys[key]}: ${byOffset}`);
    }
  },

  async send_large_compressed(lab) {
    const topic = await lab.topic(1);
    const producer = await lab.producer({ maxMessageSize: 4 << 20 });
    const text = Buffer.from('a line that packs well\n'.repeat(400));
    const noise = crypto.randomBytes(1 << 20);
    for (const body of [ text, noise ]) {
      const result = await producer.send(new Message(topic, 'T', Buffer.from(body)));
      check(result.sendStatus === 'SEND_OK', `status ${result.sendStatus}`);
    }
    const { messages } = await lab.member(lab.unique('reader'), 'a', topic, '*');
    await until('both messages', () => messages.length >= 2, () => `have ${messages.length}`);
    const plain = m => (m.body.length && m.body[0] === 0x78 && (m.sysFlag & 1) && m.body.length < 4000 ? zlib.inflateSync(m.body) : m.body);
    const find = offset => messages.find(m => Number(m.queueOffset) === offset);
    check(plain(find(0)).equals(text), 'the text came back changed');
    check(find(0).storeSize < text.length / 4, `the text was stored with ${find(0).storeSize} bytes`);
    check(find(1).body.equals(noise), 'the noise came back changed');
  },

  async send_unicode(lab) {
    const topic = await lab.topic(1);
    const producer = await lab.producer();
    const texts = [ 'ünïcödé', '消息队列', 'Привет, мир', 'emoji 🚀🦊', 'quote" back\\slash /slash' ];
    for (const [ i, text ] of texts.entries()) {
      const message = new Message(topic, '标签-é', text);
      message.keys = [ `ключ${i}`, '🔑' ];
      message.properties['user-属性'] = text;
      await producer.send(message);
    }
    const { messages } = await lab.member(lab.unique('reader'), 'a', topic, '*');
    await until('all messages', () => messages.length >= texts.length, () => `have ${messages.length}`);
    for (const message of messages) {
      const i = Number(message.queueOffset);
      check(message.body.toString() === texts[i], `body ${message.body}`);
      check(message.tags === '标签-é', `tags ${message.tags}`);
      check(message.keys === `ключ${i} 🔑`, `keys ${message.keys}`);
      check(message.properties['user-属性'] === texts[i], `property ${message.properties['user-属性']}`);
    }
  },

  async push_concurrent(lab) {
    const topic = await lab.topic(4);
    const producer = await lab.producer();
    await lab.send(producer, topic, 0, 20);
    const { messages } = await lab.member(lab.unique('group'), 'a', topic, '*', { parallelConsumeLimit: 4 });
    await lab.send(producer, topic, 20, 80);
    await expectBodies(messages, 0, 80, true);
  },

  async push_tags(lab) {
    const topic = await lab.topic(2);
    const expected = { 'A || B': [ 'A', 'B' ], '*': [ 'A', 'B', 'C' ], C: [ 'C' ] };
    const members = {};
    for (const expression of Object.keys(expected)) {
      members[expression] = await lab.member(lab.unique(`group${Object.keys(members).length}`), 'a', topic, expression);
    }
    const producer = await lab.producer();
    for (let i = 0; i < 30; i++) await producer.send(new Message(topic, 'ABC'[i % 3], `m${i}`));
    for (const [ expression, tags ] of Object.entries(expected)) {
      const { messages } = members[expression];
      await until(`messages of ${expression}`, () => messages.length >= tags.length * 10, () => `have ${messages.length}`);
      check(messages.length === tags.length * 10, `${messages.length} messages of ${expression}`);
      for (const message of messages) check(tags.includes(message.tags), `tag ${message.tags} for ${expression}`);
    }
  },

  async push_broadcasting(lab) {
    const topic = await lab.topic(2);
    const group = lab.unique('group');
    const a = await lab.member(group, 'a', topic, '*', { isBroadcast: true });
    const b = await lab.member(group, 'b', topic, '*', { isBroadcast: true });
    await sleep(500);
    await lab.send(await lab.producer(), topic, 0, 20);
    await expectBodies(a.messages, 0, 20, true);
    await expectBodies(b.messages, 0, 20, true);
  },

  async push_offsets_survive_restart(lab) {
    const topic = await lab.topic(2);
    const group = lab.unique('group');
    const producer = await lab.producer();
    const first = await lab.member(group, 'a', topic, '*');
    await lab.send(producer, topic, 0, 30);
    await expectBodies(first.messages, 0, 30, true);
    await first.leave();
    await lab.send(producer, topic, 30, 50);
    await expectBodies((await lab.member(group, 'b', topic, '*')).messages, 30, 50, true);
  },
};

async function runOne(name) {
  const lab = new Lab(name);
  const begin = Date.now();
  let reason = '';
  let timer;
  try {
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no result within 100 s')), 100000); });
    await Promise.race([ cases[name](lab), late ]);
  } catch (error) {
    reason = error.message || String(error);
  }
  clearTimeout(timer);
  emit({ case: name, ok: reason === '', seconds: (Date.now() - begin) / 1000, reason });
  for (const close of lab.closers) await Promise.race([ close().catch(error => console.error(error.message)), sleep(3000) ]);
}

process.on('unhandledRejection', error => console.error('unhandled', error));
Promise.all(options.cases.split(',').map(name => (cases[name] ? runOne(name) : emit({ case: name, ok: false, seconds: 0, reason: 'no such case' })))).then(() => {
  emit({ end: true });
  process.exit(0);
});
