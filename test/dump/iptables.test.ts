import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import { dumpIptables } from '../../src/dump/iptables.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { testCluster, testEpoch } from '../support/cluster.js';
import { externalEpoch } from '../support/external.js';
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

/** Lines of the dump that hold `part`, chains' hashes cut off. */
const about = (epoch: Epoch, part: string): string[] =>
  linesOf(dumpIptables(epoch, NODE1))
    .filter((line) => line.startsWith('-A') && line.includes(part))
    .map((line) => line.replaceAll(/(KUBE-(?:SVC|SVL|EXT|FW|SEP))-\w+/g, '$1'));

const BALANCED = {
  externalIps: [parseIpv4('198.51.100.7')],
  loadBalancerIps: [parseIpv4('198.51.100.8')],
  sourceRanges: [parsePrefix('203.0.113.0/24')!, parsePrefix('192.168.1.0/24')!],
};

test('policy Cluster: every address leads to KUBE-EXT, which masquerades all', () => {
  assert.deepEqual(about(externalEpoch({ near: BALANCED }), 'web/near:http'), [
    '-A KUBE-SERVICES -d 172.30.10.22/32 -p tcp -m comment --comment "web/near:http cluster IP" -m tcp --dport 80 -j KUBE-SVC',
    '-A KUBE-SVC -d 172.30.10.22/32 ! -i tun0 -p tcp -m comment --comment "web/near:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
    '-A KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "web/near:http external IP" -m tcp --dport 80 -j KUBE-EXT',
    '-A KUBE-SERVICES -d 198.51.100.8/32 -p tcp -m comment --comment "web/near:http loadbalancer IP" -m tcp --dport 80 -j KUBE-FW',
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "web/near:http" -m tcp --dport 30080 -j KUBE-EXT',
    '-A KUBE-EXT -m comment --comment "masquerade traffic for web/near:http external destinations" -j KUBE-MARK-MASQ',
    '-A KUBE-FW -s 203.0.113.0/24 -m comment --comment "web/near:http loadbalancer IP" -j KUBE-EXT',
    '-A KUBE-FW -s 192.168.1.0/24 -m comment --comment "web/near:http loadbalancer IP" -j KUBE-EXT',
    '-A KUBE-FW -s 198.51.100.8/32 -m comment --comment "web/near:http loadbalancer IP" -j KUBE-EXT',
    '-A KUBE-SVC -m comment --comment "web/near:http -> 10.128.0.3:8080" -j KUBE-SEP',
    '-A KUBE-SEP -s 10.128.0.3/32 -m comment --comment "web/near:http" -j KUBE-MARK-MASQ',
    '-A KUBE-SEP -p tcp -m comment --comment "web/near:http" -m tcp -j DNAT --to-destination 10.128.0.3:8080',
    '-A KUBE-PROXY-FIREWALL -d 198.51.100.8/32 -p tcp -m comment --comment "web/near:http traffic not accepted by KUBE-FW" -m tcp --dport 80 -j DROP',
  ]);
});

test('policy Local: pods and the node take any endpoint; where the node has none, the rest is dropped', () => {
  const far = { externalPolicy: 'Local', healthCheckNodePort: 31_000 } as const;
  const epoch = externalEpoch({ far, near: { externalPolicy: 'Local' } });
  assert.deepEqual(about(epoch, 'web/far:http').slice(2, -3), [
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "web/far:http" -m tcp --dport 30081 -j KUBE-EXT',
    '-A KUBE-EXT -i tun0 -m comment --comment "pod traffic for web/far:http external destinations" -j KUBE-SVC',
    '-A KUBE-EXT -m comment --comment "masquerade LOCAL traffic for web/far:http external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ',
    '-A KUBE-EXT -m comment --comment "route LOCAL traffic for web/far:http external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC',
    '-A KUBE-SVC -m comment --comment "web/far:http -> 10.129.0.2:8080" -j KUBE-SEP',
    '-A KUBE-SEP -s 10.129.0.2/32 -m comment --comment "web/far:http" -j KUBE-MARK-MASQ',
  ]);
  assert.deepEqual(about(epoch, 'web/far:http').slice(-2), [
    '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "web/far:http has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30081 -j DROP',
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "web/far:http health check node port" -m tcp --dport 31000 -j ACCEPT',
  ]);
  assert.match(dumpIptables(epoch, NODE1), /-A KUBE-EXT-\w+ -j KUBE-SVL-/);
});

test('a node port without endpoints is rejected', () => {
  assert.deepEqual(about(externalEpoch(), '--dport 30082'), [
    '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "web/none:http has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30082 -j REJECT --reject-with icmp-port-unreachable',
  ]);
});

test('session affinity: who is in an endpoint’s list keeps it, and every new connection notes it again', () => {
  const lines = about(externalEpoch({ web: { affinityTimeoutSec: 600 } }), 'recent').map((line) =>
    line.replaceAll(/--comment "[^"]*"/g, '--comment C'),
  );
  const known = '-m recent --rcheck --seconds 600 --reap --name KUBE-SEP --mask 255.255.255.255 --rsource';
  const noted = '-m recent --set --name KUBE-SEP --mask 255.255.255.255 --rsource';
  assert.deepEqual(lines, [
    `-A KUBE-SVC -m comment --comment C ${known} -j KUBE-SEP`,
    `-A KUBE-SVC -m comment --comment C ${known} -j KUBE-SEP`,
    `-A KUBE-SEP -p tcp -m comment --comment C ${noted} -m tcp -j DNAT --to-destination 10.128.0.2:8080`,
    `-A KUBE-SEP -p tcp -m comment --comment C ${noted} -m tcp -j DNAT --to-destination 10.129.0.2:8080`,
  ]);
});

test(
  'iptables-restore loads it, and iptables-save says the same again',
  needs('iptables-restore', 'unshare', 'root'),
  () => {
    const local = { externalPolicy: 'Local', affinityTimeoutSec: 600 } as const;
    for (const epoch of [
      testEpoch(),
      testEpoch({ platform: 'kubernetes' }),
      testEpoch({ internalPolicy: 'Local' }),
      externalEpoch({ near: BALANCED, far: { ...BALANCED, ...local }, web: local }),
      externalEpoch({ far: { ...BALANCED, ...local, internalPolicy: 'Local' } }, { platform: 'kubernetes' }),
    ]) {
      const dump = dumpIptables(epoch, NODE1, true);
      const loaded = spawnSync('unshare', ['-n', 'sh', '-c', 'iptables-restore && iptables-save'], {
        input: dump,
        encoding: 'utf8',
      });
      assert.equal(loaded.status, 0, loaded.stderr);
      assert.deepEqual(normaliseIptables(loaded.stdout), normaliseIptables(dump));
    }
  },
);

test('the node that hosts an egress address translates its mark, and lets nobody connect to it', () => {
  const base = testCluster();
  const address = parseIpv4('192.168.1.200');
  const egressIps = [{ namespace: 'web', addresses: [address] }];
  const hostedIps = [{ node: 'node2', addresses: [address] }];
  const epoch = compile({ ...base, network: { ...base.network, egressIps, hostedIps } });
  const about = (node: number): string[] =>
    linesOf(dumpIptables(epoch, node)).filter((line) => /0x10003e8|192\.168\.1\.200/.test(line));
  assert.deepEqual(about(NODE1), []);
  assert.deepEqual(about(1), [
    '-A OPENSHIFT-MASQUERADE -s 10.128.0.0/14 -d 10.128.0.0/14 -m mark --mark 0x10003e8 -j MASQUERADE',
    '-A OPENSHIFT-MASQUERADE -s 10.128.0.0/14 -m mark --mark 0x10003e8 -j SNAT --to-source 192.168.1.200',
    '-A OPENSHIFT-FIREWALL-ALLOW -d 192.168.1.200/32 -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable',
  ]);
});
