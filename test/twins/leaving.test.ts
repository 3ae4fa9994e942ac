/** Twins for what leaves the cluster and for groups: with and without the path cache, in either back end, in any batches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import { Engine } from '../../src/engine/engine.js';
import { isBalanced } from '../../src/packet/ledger.js';
import { assertSameRows, rowsText, runFrames, type SentFrame } from '../support/batches.js';
import { NAMES, testCluster } from '../support/cluster.js';
import { findPort, frameOf } from '../support/journey.js';
import { macsOf, sentMacs } from '../support/macs.js';
import { needsNative } from '../support/native.js';

const EIP = '192.168.1.200';
const GROUP = '239.1.2.3';
const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);

/** web leaves by an address of node1, may not reach one network outside, and may send to groups. */
function epochOf(mode: 'networkpolicy' | 'multitenant') {
  const base = testCluster({ mode });
  const rules = [{ isAllow: false, to: '198.51.100.0/24', prefixes: [parsePrefix('198.51.100.0/24')!] }];
  const network = {
    ...base.network,
    egressPolicies: [{ namespace: 'web', name: 'one', rules }],
    egressIps: [{ namespace: 'web', addresses: [parseIpv4(EIP)] }],
    hostedIps: [{ node: 'node1', addresses: [parseIpv4(EIP)] }],
    multicast: ['web'],
  };
  return compile({ ...base, network });
}

/** Connections of a (on the hosting node) and b (on the other), all going on for a while, and datagrams between them. */
function frames(epoch: ReturnType<typeof epochOf>): SentFrame[] {
  const sent: SentFrame[] = [];
  const send = (at: string, text: string, via?: string): void => {
    const bytes = frameOf(text, via === undefined ? sentMacs(at, text) : macsOf(via));
    sent.push({ bytes, port: findPort(epoch, at), tsNs: sent.length * 1e6 });
  };
  const back = (text: string): void => send('nic1', text, 'router > nic1');
  for (const pod of ['a', 'b'])
    for (let port = 40_000 + pod.charCodeAt(0); port < 40_400; port += 100) {
      send(pod, `${pod}:${port} > out:443 SYN seq=100`);
      back(`out:443 > ${EIP}:${port} SYNACK seq=500 ack=101`);
      for (let i = 0; i < 4; i++) {
        send(pod, `${pod}:${port} > out:443 ACK seq=101 ack=501 ttl=${64 - i}`);
        back(`out:443 > ${EIP}:${port} ACK seq=501 ack=101`);
        send(pod, `${pod}:${port} > out:53 udp "q${i}"`);
        back(`out:53 > ${EIP}:${port} udp "r${i}"`);
        send(pod, `${pod}:${port} > 198.51.100.7:53 udp "q${i}"`);
        send(pod, `${pod}:${port} > ${GROUP}:5000 udp "to all ${i}"`);
        send(pod, `${pod}:${port} > ${NAMES.far}:80 SYN`);
      }
    }
  return sent;
}

for (const mode of ['networkpolicy', 'multitenant'] as const)
  test(`${mode}: the same rows whatever the way, the back end and the batches`, () => {
    const epoch = epochOf(mode);
    const sent = frames(epoch);
    const rows = (options: object, batch: number, capacity = 1024): string[] => {
      using engine = new Engine(epoch, options);
      const text = rowsText(runFrames(engine, sent, { batch, capacity }));
      assert.ok(isBalanced(engine.ledger), JSON.stringify(engine.ledger));
      assert.ok(engine.ledger.copies > 0 && engine.ledger.left > 0);
      return text;
    };
    const reference = rows({ backend: 'typescript', cache: false }, 64);
    for (const backend of BACKENDS)
      for (const cache of [true, false])
        for (const batch of [1, 7, 256]) assertSameRows(rows({ backend, cache }, batch), reference);
    assertSameRows(rows({}, 64, 9), reference);
  });
