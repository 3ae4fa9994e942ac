import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { dumpIptables } from '../../src/dump/iptables.js';
import { testEpoch } from '../support/cluster.js';
import { needs } from '../support/needs.js';
import { normaliseIptables } from './normalise.js';

const NODE1 = 0;
const linesOf = (text: string): string[] => text.split('\n');

/** Rules of Service web/web (TCP 8080) with two endpoints, a on node1 and b on node2, in the order of the chains. */
const WEB = [
  '-A KUBE-SERVICES -d 172.30.10.20/32 -p tcp -m comment --comment "web/web cluster IP" -m tcp --dport 8080 -j KUBE-SVC-SVC',
  '-A KUBE-SVC-SVC -d 172.30.10.20/32 ! -i tun0 -p tcp -m comment --comment "web/web cluster IP" -m tcp --dport 8080 -j KUBE-MARK-MASQ',
  '-A KUBE-SVC-SVC -m comment --comment "web/web -> 10.128.0.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-A',
  '-A KUBE-SVC-SVC -m comment --comment "web/web -> 10.129.0.2:8080" -j KUBE-SEP-B',
  '-A KUBE-SEP-A -s 10.128.0.2/32 -m comment --comment "web/web" -j KUBE-MARK-MASQ',
  '-A KUBE-SEP-A -p tcp -m comment --comment "web/web" -m tcp -j DNAT --to-destination 10.128.0.2:8080',
];

test('a Service is a portal, a chain of chances, and a chain for each endpoint', () => {
  const text = dumpIptables(testEpoch(), NODE1);
  const chain = /-A KUBE-SERVICES .*"web\/web cluster IP".* -j (\S+)/.exec(text)![1]!;
  const [a, b] = ['10.128.0.2:8080', '10.129.0.2:8080'].map(
    (target) => new RegExp(`"web/web -> ${target}".* -j (\\S+)`).exec(text)![1]!,
  );
  const lines = linesOf(text);
  for (const line of WEB) {
    const wanted = line.replaceAll('KUBE-SVC-SVC', chain).replace('KUBE-SEP-A', a!).replace('KUBE-SEP-B', b!);
    assert.ok(lines.includes(wanted), wanted);
  }
});

test('a Service without endpoints is rejected in filter and unknown in nat', () => {
  const about = linesOf(dumpIptables(testEpoch(), NODE1)).filter((line) => line.includes('172.30.10.99'));
  assert.deepEqual(about, [
    '-A KUBE-SERVICES -d 172.30.10.99/32 -p tcp -m comment --comment "web/none:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    '-A KUBE-SERVICES -d 172.30.10.99/32 -p udp -m comment --comment "web/none:u has no endpoints" -m udp --dport 90 -j REJECT --reject-with icmp-port-unreachable',
  ]);
});

test('where traffic policy Local finds no endpoint on the node, filter drops', () => {
  const text = dumpIptables(testEpoch({ internalPolicy: 'Local' }), NODE1);
  assert.match(text, /"web\/far:http has no local endpoints" .* -j DROP\n/);
  assert.match(text, /"web\/near:http cluster IP" .* -j KUBE-SVL-/);
});

test('upstream marks with bit 14 and tells pods by their network', () => {
  const text = dumpIptables(testEpoch({ platform: 'kubernetes' }), NODE1);
  assert.match(text, /-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000\/0x4000\n/);
  assert.match(text, /-A KUBE-SVC-\S+ ! -s 10\.128\.0\.0\/14 -d 172\.30\.10\.20\/32 -p tcp /);
  assert.doesNotMatch(text, /! -i tun0 -p/);
});

test('explanations stand before the rules, and change none', () => {
  const plain = dumpIptables(testEpoch(), NODE1);
  const explained = dumpIptables(testEpoch(), NODE1, true);
  assert.match(explained, /# Service web\/web -> pod:web\/a\n-A KUBE-SVC-/);
  assert.equal(
    linesOf(explained)
      .filter((line) => !line.startsWith('#'))
      .join('\n'),
    plain,
  );
});

test(
  'iptables-restore loads it, and iptables-save says the same again',
  needs('iptables-restore', 'unshare', 'root'),
  () => {
    for (const options of [{}, { platform: 'kubernetes' }, { internalPolicy: 'Local' }] as const) {
      const dump = dumpIptables(testEpoch(options), NODE1, true);
      const loaded = spawnSync('unshare', ['-n', 'sh', '-c', 'iptables-restore && iptables-save'], {
        input: dump,
        encoding: 'utf8',
      });
      assert.equal(loaded.status, 0, loaded.stderr);
      assert.deepEqual(normaliseIptables(loaded.stdout), normaliseIptables(dump));
    }
  },
);
