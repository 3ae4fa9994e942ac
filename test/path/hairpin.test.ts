/** Hairpin, both ways: the reply goes to the gateway, is translated twice on the host and comes back as the ClusterIP's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEnd, endOf } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const sourcePort = (frame: Uint8Array): number => frame[34]! * 256 + frame[35]!;

test('the reply of a hairpin returns to the client with the ClusterIP as source', () => {
  const journey = new Journey(testEpoch());
  const [request] = journey.send('a', 'a:40000 > own:80 SYN');
  const port = sourcePort(request!.bytes);
  assert.notEqual(port, 40_000, 'KUBE-POSTROUTING masquerades with --random-fully');
  const [reply] = journey.send('a', `a:8080 > g1:${port} SYNACK id=3`);
  assert.equal(endOf(reply!), 'delivered pod:web/a');
  const frame = 'tun1 > a | own:80 > a:40000 SYNACK ttl=63 id=3';
  const path = 'node1: eth0 br0[0 0 20 27 30 31] tun0 netfilter tun0 br0[0 30 31 70 80] eth0';
  checkEnd(reply!, { ends: '', frame, path }, 'reply');
  assert.equal(reply!.service, 'web/own:http');
  const [data] = journey.send('a', 'a:40000 > own:80 PSHACK "x"');
  checkEnd(
    data!,
    { ends: '', frame: `tun1 > a | g1:${port} > a:8080 PSHACK "x" ttl=63` },
    'data keeps its port',
  );
});

test('a UDP hairpin too', () => {
  const journey = new Journey(testEpoch());
  const [request] = journey.send('a', 'a:40000 > own:90 udp "q"');
  checkEnd(request!, { ends: '', frame: 'tun1 > a | g1:* > a:9000 udp "q" ttl=63' }, 'request');
  const [reply] = journey.send('a', `a:9000 > g1:${sourcePort(request!.bytes)} udp "r"`);
  checkEnd(reply!, { ends: '', frame: 'tun1 > a | own:90 > a:40000 udp "r" ttl=63' }, 'reply');
});

test('two hairpins from different ports never share one', () => {
  const journey = new Journey(testEpoch());
  const ports = new Set<number>();
  for (let client = 40_000; client < 40_200; client++)
    ports.add(sourcePort(journey.send('a', `a:${client} > own:80 SYN`)[0]!.bytes));
  assert.equal(ports.size, 200);
});

test('a packet to the gateway that belongs to no hairpin is the host’s own', () => {
  const journey = new Journey(testEpoch());
  const [stray] = journey.send('a', 'a:8080 > g1:50000 SYN');
  assert.equal(endOf(stray!), 'delivered node1:tun0');
  assert.equal(stray!.path, 'node1: eth0 br0[0 0 20 27 30 31] tun0 netfilter host');
});
