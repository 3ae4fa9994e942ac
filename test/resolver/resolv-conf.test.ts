/** resolv.conf of pods: policies, dnsConfig, limits, and the text of the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsConfig, Pod } from '../../src/model/cluster.js';
import { formatResolvConf, parseResolvConf, podResolvConf } from '../../src/resolver/resolv-conf.js';

const CLUSTER = { address: 0xac1e000a, domain: 'cluster.local' };
const NODE = parseResolvConf('search corp.example.\nnameserver 192.0.2.53\noptions timeout:1 rotate\n');
const NO_CONFIG: DnsConfig = { nameservers: [], searches: [], options: [] };

const pod = (
  given: Partial<Pod> = {},
): Pick<Pod, 'namespace' | 'dnsPolicy' | 'dnsConfig' | 'isHostNetwork'> => ({
  namespace: 'web',
  dnsPolicy: 'ClusterFirst',
  dnsConfig: null,
  isHostNetwork: false,
  ...given,
});

const CLUSTER_TEXT =
  'search web.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 172.30.0.10\noptions ndots:5\n';
const NODE_TEXT = 'search corp.example\nnameserver 192.0.2.53\noptions timeout:1 rotate\n';

for (const { why, given, dns = CLUSTER, text } of [
  { why: 'ClusterFirst', given: {}, text: CLUSTER_TEXT },
  { why: 'ClusterFirst on the host network is Default', given: { isHostNetwork: true }, text: NODE_TEXT },
  {
    why: 'ClusterFirstWithHostNet',
    given: { isHostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
    text: CLUSTER_TEXT,
  },
  { why: 'Default', given: { dnsPolicy: 'Default' }, text: NODE_TEXT },
  { why: 'None', given: { dnsPolicy: 'None' }, text: '' },
  {
    why: 'None with dnsConfig',
    given: { dnsPolicy: 'None', dnsConfig: { ...NO_CONFIG, nameservers: ['9.9.9.9'] } },
    text: 'nameserver 9.9.9.9\n',
  },
  {
    why: 'no cluster DNS falls back to Default',
    given: {},
    dns: { ...CLUSTER, address: 0 },
    text: NODE_TEXT,
  },
  {
    why: "no cluster domain: the node's search alone",
    given: {},
    dns: { ...CLUSTER, domain: '' },
    text: 'search corp.example\nnameserver 172.30.0.10\noptions ndots:5\n',
  },
] as { why: string; given: Partial<Pod>; dns?: typeof CLUSTER; text: string }[]) {
  test(why, () => assert.equal(formatResolvConf(podResolvConf(pod(given), dns, NODE)), text));
}

test("without a known node file, the cluster's lines stand alone", () => {
  assert.equal(
    formatResolvConf(podResolvConf(pod(), CLUSTER)),
    'search web.svc.cluster.local svc.cluster.local cluster.local\nnameserver 172.30.0.10\noptions ndots:5\n',
  );
});

test('dnsConfig is appended without repeats, and its options win', () => {
  const dnsConfig: DnsConfig = {
    nameservers: ['172.30.0.10', '192.0.2.1'],
    searches: ['svc.cluster.local', 'my.example'],
    options: [
      { name: 'ndots', value: '2' },
      { name: 'edns0', value: null },
    ],
  };
  assert.deepEqual(podResolvConf(pod({ dnsConfig }), CLUSTER), {
    nameservers: ['172.30.0.10', '192.0.2.1'],
    searches: ['web.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'my.example'],
    options: [
      { name: 'ndots', value: '2' },
      { name: 'edns0', value: null },
    ],
  });
});

test('three nameservers, 32 domains, 2048 characters, no domain above 253', () => {
  const conf = (
    searches: readonly string[],
    nameservers: readonly string[] = [],
  ): ReturnType<typeof podResolvConf> =>
    podResolvConf(pod({ dnsPolicy: 'None', dnsConfig: { nameservers, searches, options: [] } }), CLUSTER);
  const names = Array.from({ length: 40 }, (_, i) => `s${i}.example`);
  assert.deepEqual(conf([], ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4']).nameservers, [
    '1.1.1.1',
    '1.1.1.2',
    '1.1.1.3',
  ]);
  assert.deepEqual(conf(names).searches, names.slice(0, 32));
  assert.deepEqual(conf(['a'.repeat(254), 'b'.repeat(253)]).searches, ['b'.repeat(253)]);
  // Twenty of 101 characters with nineteen spaces make 2039; one more would make 2141.
  const long = Array.from({ length: 30 }, (_, i) => `${i + 10}${'x'.repeat(99)}`);
  assert.deepEqual(conf(long).searches, long.slice(0, 20));
});

test("of a node's file, the last search and options line hold", () => {
  const text =
    '# made by hand\nsearch a.example\nnameserver 192.0.2.1\n  nameserver 192.0.2.2 \nsearch b.example. .\nsortlist x\noptions ndots:1\noptions attempts:3 no-aaaa\n';
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ['192.0.2.1', '192.0.2.2'],
    searches: ['b.example', '.'],
    options: [
      { name: 'attempts', value: '3' },
      { name: 'no-aaaa', value: null },
    ],
  });
});

test('what is written is read back', () => {
  const conf = podResolvConf(pod(), CLUSTER, NODE);
  assert.deepEqual(parseResolvConf(formatResolvConf(conf)), conf);
});
