/** The short way and the long way over long connections with replies, expiry and reuse: one result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { rowsText, runFrames, type SentFrame } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { findPort, frameOf } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';
import { needsNative } from '../support/native.js';

const epoch = testEpoch();

/** Exchanges of `rounds` packets each way: what client and server send, as their captures would show. */
function exchanges(rounds: number): SentFrame[] {
  const frames: SentFrame[] = [];
  let tsNs = 0;
  const send = (at: string, text: string): void => {
    frames.push({ bytes: frameOf(text, sentMacs(at, text)), port: findPort(epoch, at), tsNs });
    tsNs += 1e6;
  };
  for (const [client, to, server, back] of [
    ['a', 'near:80', 'c', 'c:8080'],
    ['a', 'far:80', 'b', 'b:8080'],
    ['s', 'b:8080', 'b', 'b:8080'],
    ['v', 'c:8080', 'c', 'c:8080'],
  ] as const)
    for (const port of [40_000, 40_001]) {
      const client5 = `${client}:${port}`;
      send(client, `${client5} > ${to} SYN seq=1000`);
      send(server, `${back} > ${client5} SYNACK seq=5000 ack=1001`);
      send(client, `${client5} > ${to} ACK seq=1001 ack=5001`);
      for (let i = 0; i < rounds; i++) {
        const sent = 1001 + i * 4;
        const got = 5001 + i * 6;
        send(client, `${client5} > ${to} PSHACK "ping" seq=${sent} ack=${got} ttl=${64 - (i % 3)}`);
        send(server, `${back} > ${client5} PSHACK "answer" seq=${got} ack=${sent + 4} id=${i}`);
        if (i % 7 === 3) send(client, `${client5} > ${to} PSHACK "ping" seq=${sent + 4} ack=${got} ttl=1`);
        if (i % 11 === 5) send(client, `${client5} > ${to} PSHACK "ping" seq=${sent + 900000} ack=${got}`);
      }
      const sent = 1001 + rounds * 4;
      const got = 5001 + rounds * 6;
      send(client, `${client5} > ${to} FIN seq=${sent} ack=${got}`);
      send(server, `${back} > ${client5} FIN seq=${got} ack=${sent + 1}`);
      send(client, `${client5} > ${to} ACK seq=${sent + 1} ack=${got + 1}`);
      tsNs += 40e9;
      send(client, `${client5} > ${to} PSHACK "late" seq=${sent + 1} ack=${got + 1}`);
      send(client, `${client5} > ${to} SYN seq=900000`);
    }
  for (let i = 0; i < rounds; i++) {
    send('a', 'a:5000 > near:90 udp "query"');
    if (i % 2 === 1) send('c', 'c:9000 > a:5000 udp "reply"');
    if (i % 10 === 9) tsNs += i % 20 === 9 ? 31e9 : 121e9;
  }
  return frames;
}

const frames = exchanges(40);
const long = rowsText(runFrames(new Engine(epoch, { cache: false, backend: 'typescript' }), frames));

for (const batch of [1, 5, 256, frames.length])
  test(`the short way, batches of ${batch}`, () => {
    const engine = new Engine(epoch, { cache: true, backend: 'typescript' });
    assert.deepEqual(rowsText(runFrames(engine, frames, { batch })), long);
  });

test('the native short way', needsNative(), () => {
  const engine = new Engine(epoch, { cache: true, backend: 'native' });
  assert.deepEqual(rowsText(runFrames(engine, frames)), long);
});
