/** `podplane trace`: what it tells of a packet's way, as JSON and as text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli, runJson, TWO_NODES } from './run-cli.js';

interface Hop {
  readonly node: string;
  readonly device: string;
  readonly table?: number;
  readonly rule?: { readonly priority: number; readonly object: string };
  readonly tunnel?: { readonly src: string; readonly dst: string; readonly vni: number };
  readonly ttl: number | null;
  readonly length: number;
  readonly rewrites: readonly { readonly kind: string; readonly before: string; readonly after: string }[];
}

interface Trace {
  readonly what: string;
  readonly verdict: string;
  readonly reason: string | null;
  readonly dnat: string | null;
  readonly snat: string | null;
  readonly endpoint: string | null;
  readonly exit: string | null;
  readonly isolatedBy?: string;
  readonly hops: readonly Hop[];
  readonly end: {
    readonly src: string;
    readonly dst: string;
    readonly ttl: number;
    readonly afterNs: number;
  };
  readonly caused: readonly Trace[];
  readonly reply?: Trace;
  readonly noReply?: string;
}

/** What was rewritten on the way, in order. */
const rewrites = ({ hops }: Trace): string[] =>
  hops.flatMap((hop) => hop.rewrites).map(({ kind, before }) => `${kind} ${before}`);

const trace = (from: string, to: string, ...more: string[]): Trace =>
  runJson<Trace>(['trace', '-c', TWO_NODES, '--from', from, '--to', to, ...more]);

/** `node1 eth0, br0, tun0`: each device once for each stay. */
function devices(hops: readonly Hop[]): string {
  const places: string[] = [];
  let last = '';
  for (const { node, device } of hops) {
    const place = `${node} ${device}`;
    if (place !== last) places.push(place);
    last = place;
  }
  return places.join(', ');
}

/** Source ports whose hash makes jws-app choose each endpoint differ by seed: the first that reaches `endpoint`. */
function traceTo(endpoint: string, ...more: string[]): Trace {
  for (let sport = 32_768; sport < 32_800; sport++) {
    const found = trace('pod:web/pod-1', 'svc:web/jws-app:8080', '--sport', String(sport), ...more);
    if (found.endpoint === endpoint) return found;
  }
  throw new Error(`no source port of 32 leads to ${endpoint}`);
}

test('pod to pod on another node goes br0, vxlan0, the underlay, vxlan0, br0', () => {
  const { verdict, exit, hops, dnat } = trace('pod:web/pod-1', 'pod:web/pod-3:8080');
  assert.equal(verdict, 'delivered');
  assert.equal(exit, 'pod:web/pod-3');
  assert.equal(dnat, null);
  assert.equal(
    devices(hops),
    'node1 eth0, node1 br0, node1 vxlan0, node1 eth0, node2 eth0, node2 vxlan0, node2 br0, node2 eth0',
  );
  const wire = hops.find((hop) => hop.tunnel !== undefined)!;
  assert.match(wire.tunnel!.src, /^192\.168\.1\.101:\d+$/);
  assert.equal(wire.tunnel!.dst, '192.168.1.102:4789');
  assert.equal(wire.tunnel!.vni, 1001);
  assert.equal(wire.length, hops[0]!.length + 50);
});

test('a ClusterIP is translated on tun0; its reply is translated back in br0 table 31', () => {
  const { verdict, dnat, snat, hops, reply } = traceTo('pod:web/pod-3', '--reply');
  assert.equal(verdict, 'delivered');
  assert.equal(dnat, '10.129.0.2:8080');
  assert.equal(snat, null);
  const there = hops.find((hop) => hop.rewrites.some(({ kind }) => kind === 'DNAT'))!;
  assert.equal(there.device, 'netfilter');
  assert.deepEqual(there.rewrites, [{ kind: 'DNAT', before: '172.30.10.20:8080', after: '10.129.0.2:8080' }]);
  const back = reply!.hops.find((hop) => hop.rewrites.some(({ kind }) => kind === 'un-DNAT'))!;
  assert.deepEqual([back.device, back.table], ['br0', 31]);
  assert.equal(reply!.verdict, 'delivered');
  assert.equal(reply!.what, 'TCP SYN+ACK');
  assert.equal(reply!.end.src, '172.30.10.20:8080');
  assert.ok(!devices(reply!.hops).includes('tun0'), 'the reply does not pass tun0');
});

test('a pod that reaches itself through its Service is masqueraded', () => {
  const { dnat, snat, reply } = traceTo('pod:web/pod-1', '--reply');
  assert.equal(dnat, '10.128.0.2:8080');
  assert.match(snat!, /^10\.128\.0\.1:\d+$/);
  assert.equal(reply!.end.src, '172.30.10.20:8080');
});

test('br0 hops name the Kubernetes object behind their rule', () => {
  const { hops } = trace('pod:web/pod-1', 'pod:web/pod-3:8080');
  const objects = hops
    .map((hop) => hop.rule?.object)
    .filter((object) => object !== undefined && object !== '');
  for (const object of ['Pod web/pod-1', 'HostSubnet node2', 'HostSubnet node1', 'Pod web/pod-3'])
    assert.ok(objects.includes(object), `${object} in ${objects.join(', ')}`);
});

const ENDS: readonly {
  why: string;
  args: [from: string, to: string, ...more: string[]];
  verdict: string;
  reason: string | null;
  caused?: string;
}[] = [
  {
    why: 'no endpoints',
    args: ['pod:web/pod-1', 'svc:web/no-endpoints:80'],
    verdict: 'rejected',
    reason: 'no-endpoints',
    caused: 'ICMP port unreachable',
  },
  {
    why: 'a closed port',
    args: ['pod:web/pod-1', 'pod:web/pod-3:81'],
    verdict: 'answered',
    reason: 'tcp-reset',
    caused: 'TCP RST+ACK',
  },
  {
    why: 'a closed UDP port',
    args: ['pod:web/pod-1', 'pod:web/pod-3:81', '--proto', 'udp'],
    verdict: 'answered',
    reason: 'port-unreachable',
    caused: 'ICMP port unreachable',
  },
  {
    why: 'an isolated namespace',
    args: ['pod:web/pod-1', 'svc:isolated/vault'],
    verdict: 'dropped',
    reason: 'policy-ingress',
  },
  {
    why: 'an address in no subnet',
    args: ['pod:web/pod-1', 'ip:10.130.0.7:80'],
    verdict: 'dropped',
    reason: 'unknown-subnet',
  },
  {
    why: 'the world',
    args: ['pod:web/pod-1', 'ip:8.8.8.8:53', '--proto', 'udp'],
    verdict: 'left',
    reason: null,
  },
  { why: 'a node sends', args: ['node:node1', 'pod:web/pod-3'], verdict: 'delivered', reason: null },
  {
    why: 'DNS by UDP',
    args: ['pod-1', 'svc:openshift-dns/dns-default:dns'],
    verdict: 'delivered',
    reason: null,
  },
];
for (const { why, args, verdict, reason, caused } of ENDS)
  test(`${why}: ${verdict}${reason === null ? '' : `, ${reason}`}`, () => {
    const found = trace(...args);
    assert.equal(found.verdict, verdict);
    assert.equal(found.reason, reason);
    assert.deepEqual(
      found.caused.map((packet) => packet.what),
      caused === undefined ? [] : [caused],
    );
  });

test('an isolated namespace names the policy', () => {
  assert.equal(trace('pod:web/pod-1', 'svc:isolated/vault').isolatedBy, 'NetworkPolicy isolated/deny-all');
});

test('a ping to a ClusterIP ends after three seconds of packet time, with host unreachable', () => {
  const { reason, end, caused, hops } = trace('pod:web/pod-1', 'svc:web/jws-app', '--proto', 'icmp');
  assert.equal(reason, 'host-unreachable');
  assert.equal(end.afterNs, 3e9);
  assert.deepEqual(
    caused.map((packet) => [packet.what, packet.verdict, packet.exit]),
    [['ICMP host unreachable', 'delivered', 'pod:web/pod-1']],
  );
  assert.equal(hops.at(-1)!.device, 'tun0');
});

test('--respond lets the pod answer; then --reply has nothing to send', () => {
  const { caused, reply, noReply } = trace('pod:web/pod-1', 'pod:web/pod-3:8080', '--respond', '--reply');
  assert.deepEqual(
    caused.map((packet) => packet.what),
    ['TCP SYN+ACK'],
  );
  assert.equal(reply, undefined);
  assert.equal(noReply, 'it has been answered already');
});

test('the text shows tables with objects, NAT before and after, the tunnel and the verdict', () => {
  const args = ['trace', '-c', TWO_NODES, '--from', 'pod-2', '--to', 'svc:isolated/vault'];
  const { out, code } = runCli(args);
  assert.equal(code, 0);
  assert.match(
    out,
    /^TCP SYN {2}10\.128\.0\.3:32768 > 172\.30\.10\.50:8200 {2}pod:web\/pod-2 → svc:isolated\/vault:8200$/m,
  );
  assert.match(
    out,
    /table {2}20 +100 +\S*nw_src=10\.128\.0\.3\S* +load:0x3e9->reg0, goto_table:27 +Pod web\/pod-2$/m,
  );
  assert.match(out, /DNAT {2}172\.30\.10\.50:8200 → 10\.129\.0\.5:8200 {2}Service isolated\/vault:http$/m);
  assert.match(out, /TTL {2}64 → 63$/m);
  assert.match(
    out,
    /VXLAN {2}vni 1001 {2}192\.168\.1\.101:\d+ > 192\.168\.1\.102:4789 {2}ttl 64 {2}116 bytes$/m,
  );
  assert.match(
    out,
    /^ {2}✘ dropped .*\n {4}policy-ingress: A NetworkPolicy .*\n {4}isolated by NetworkPolicy isolated\/deny-all\n {4}no rule of them allows anything$/m,
  );
  assert.ok(!out.includes('\u001b'), 'no colour into a pipe');
});

test('--fail-on makes the verdict the exit code', () => {
  const args = ['trace', '-c', TWO_NODES, '--from', 'pod-1', '--to', 'svc:isolated/vault', '--fail-on'];
  assert.equal(runCli([...args, 'dropped,rejected']).code, 3);
  assert.equal(runCli([...args, 'rejected']).code, 0);
  assert.equal(runCli([...args, 'boredom']).code, 2);
});

const MISTAKES: readonly (readonly [args: string[], says: RegExp])[] = [
  [
    ['--from', 'pod-9', '--to', 'pod-1'],
    /^podplane: --from: pod-9 names nothing here, would do: pod:web\/pod-1,/,
  ],
  [['--from', 'pod-1'], /required option '--to <reference>'/],
  [['--from', 'svc:web/jws-app', '--to', 'pod-1'], /--from: svc:web\/jws-app sends no packets/],
  [['--from', 'pod-1', '--to', 'pod-3', '--proto', 'sctp'], /Allowed choices are tcp, udp, icmp/],
  [['--from', 'pod-1', '--to', 'pod-3', '--sport', '70000'], /A whole number from 0 to 65535 is wanted/],
];
for (const [args, says] of MISTAKES)
  test(`trace ${args.join(' ')} ends with 2`, () => {
    const { code, err, out } = runCli(['trace', '-c', TWO_NODES, ...args]);
    assert.equal(code, 2);
    assert.match(err, says);
    assert.equal(out, '');
  });

test('from outside to a node port: what is done, and undone in the reply', () => {
  const report = trace('203.0.113.9', 'node1:30080', '--reply');
  assert.equal(report.verdict, 'delivered');
  const natOf = (one: Trace): string[] => rewrites(one).filter((text) => text.includes('NAT'));
  assert.deepEqual(natOf(report), ['DNAT 192.168.1.101:30080', 'SNAT 203.0.113.9:32768']);
  assert.deepEqual(natOf(report.reply!), [`un-SNAT ${report.end.src}`, `un-DNAT ${report.end.dst}`]);
  assert.equal(report.reply!.end.src, '192.168.1.101:30080');
  assert.equal(report.reply!.end.dst, '203.0.113.9:32768');
  assert.equal(report.reply!.exit, 'node1:eth0');
});

test('--reply of a node to a stranger goes through its own stack, and leaves by its NIC', () => {
  const { reply } = runJson<{ reply: { verdict: string; exit: string } }>([
    ...['trace', '-c', TWO_NODES, '--from', '203.0.113.9', '--to', 'node1:22', '--reply'],
  ]);
  assert.deepEqual([reply.verdict, reply.exit], ['left', 'node1:eth0']);
});
