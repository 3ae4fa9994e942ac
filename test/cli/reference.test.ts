/** References: what each form names, and what is said when it names nothing or too much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestNames } from '../../src/cli/nearest.js';
import { ReferenceBook, referenceName } from '../../src/cli/reference.js';
import { endText, type PacketProtocol, targetOf } from '../../src/cli/target.js';
import { loadCluster } from '../../src/cluster.js';
import { TWO_NODES } from './run-cli.js';

const TWIN = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod-1', namespace: 'isolated' },
  spec: { nodeName: 'node2', containers: [] },
  status: { phase: 'Running', podIP: '10.129.0.9' },
};
const { model } = await loadCluster(TWO_NODES);
const twins = await loadCluster([TWO_NODES, TWIN]);
const book = new ReferenceBook(model);

const NAMES: readonly (readonly [text: string, is: string])[] = [
  ['pod:web/pod-1', 'pod:web/pod-1'],
  ['pod:pod-1', 'pod:web/pod-1'],
  ['pod-1', 'pod:web/pod-1'],
  ['web/pod-1', 'pod:web/pod-1'],
  ['ip:10.128.0.2', 'pod:web/pod-1'],
  ['10.128.0.2:8080', 'pod:web/pod-1'],
  ['10-128-0-2.web.pod.cluster.local', 'pod:web/pod-1'],
  ['svc:web/jws-app:8080', 'svc:web/jws-app'],
  ['service:web/jws-app', 'svc:web/jws-app'],
  ['jws-app', 'svc:web/jws-app'],
  ['jws-app:8080-tcp', 'svc:web/jws-app'],
  ['jws-app.web', 'svc:web/jws-app'],
  ['jws-app.web.svc:8080', 'svc:web/jws-app'],
  ['jws-app.web.svc.cluster.local', 'svc:web/jws-app'],
  ['jws-app.web.svc.cluster.local.', 'svc:web/jws-app'],
  ['node:node1', 'node:node1'],
  ['node1', 'node:node1'],
  ['ip:1.2.3.4:80', 'ip:1.2.3.4'],
  ['1.2.3.4', 'ip:1.2.3.4'],
];
for (const [text, is] of NAMES)
  test(`${text} is ${is}`, () => {
    assert.equal(referenceName(book.find('--to', text)), is);
  });

const MISSES: readonly (readonly [text: string, says: RegExp])[] = [
  ['pod:web/pod-9', /^--to: pod:web\/pod-9 names nothing here, would do: pod:web\/pod-1, pod:web\/pod-2/],
  ['pod:wbe/pod-1', /would do: pod:web\/pod-1/],
  ['svc:web/jws-ap', /would do: svc:web\/jws-app$/],
  ['jws-ap.web', /would do: svc:web\/jws-app$/],
  ['node:node7', /would do: node:node1, node:node2$/],
  ['ip:1.2.3', /ip:1\.2\.3 holds no IPv4 address, would do: ip:1\.2\.3\.4 or/],
  ['quite-another-thing', /names nothing here, would do: pod:NAMESPACE\/NAME, svc:/],
];
for (const [text, says] of MISSES)
  test(`${text} names nothing, and the message helps`, () => {
    assert.throws(() => book.find('--to', text), { name: 'InputError', message: says });
  });

test('a bare name that two things have lists both; in full it is found', () => {
  const both = new ReferenceBook(twins.model);
  assert.throws(() => both.find('--from', 'pod-1'), {
    message: '--from: pod-1 names 2 things, would do: pod:isolated/pod-1, pod:web/pod-1',
  });
  assert.equal(referenceName(both.find('--from', 'pod:isolated/pod-1')), 'pod:isolated/pod-1');
});

const TARGETS: readonly (readonly [text: string, protocol: PacketProtocol | '', is: string])[] = [
  ['svc:web/jws-app:8080', '', 'tcp 172.30.10.20:8080'],
  ['svc:web/jws-app:8080-tcp', '', 'tcp 172.30.10.20:8080'],
  ['svc:web/jws-app', '', 'tcp 172.30.10.20:8080'],
  ['svc:web/jws-app:81', '', 'tcp 172.30.10.20:81'],
  ['svc:web/jws-app', 'icmp', 'icmp 172.30.10.20'],
  ['svc:openshift-dns/dns-default:dns', '', 'udp 172.30.0.10:53'],
  ['svc:openshift-dns/dns-default:53', '', 'tcp 172.30.0.10:53'],
  ['svc:openshift-dns/dns-default', 'udp', 'udp 172.30.0.10:53'],
  ['pod:web/pod-3', '', 'tcp 10.129.0.2:8080'],
  ['pod:web/pod-3:9', 'udp', 'udp 10.129.0.2:9'],
  ['pod:web/shell', '', 'tcp 10.128.0.5:80'],
  ['pod:openshift-dns/dns-default-a:dns', '', 'udp 10.128.0.4:5353'],
  ['node:node1:6443', '', 'tcp 192.168.1.101:6443'],
  ['node:node1', 'icmp', 'icmp 192.168.1.101'],
  ['ip:1.2.3.4:80', '', 'tcp 1.2.3.4:80'],
];
for (const [text, protocol, is] of TARGETS)
  test(`a packet to ${text}${protocol === '' ? '' : ` by ${protocol}`} goes to ${is}`, () => {
    const target = targetOf('--to', book.find('--to', text), protocol === '' ? undefined : protocol);
    assert.equal(`${target.protocol} ${endText(target.address, target.port)}`, is);
  });

const NO_TARGETS: readonly (readonly [text: string, says: RegExp])[] = [
  [
    'svc:openshift-dns/dns-default',
    /has 3 ports, would do: svc:openshift-dns\/dns-default:dns, .*:dns-tcp, /,
  ],
  ['svc:web/jws-app:http', /http is no port, would do: svc:web\/jws-app:8080-tcp$/],
  ['node:node1', /node:node1 is named without a port, would do: node:node1:80, or --proto icmp/],
  ['ip:1.2.3.4:99999', /99999 is no port/],
];
for (const [text, says] of NO_TARGETS)
  test(`${text} is no target, and the message helps`, () => {
    assert.throws(() => targetOf('--to', book.find('--to', text), undefined), { message: says });
  });

test('the nearest names come first, and far ones not at all', () => {
  const names = ['pod:web/pod-1', 'pod:web/pod-10', 'svc:web/jws-app', 'node:node1'];
  assert.deepEqual(nearestNames('pod:web/pod-1x', names, 2), ['pod:web/pod-1', 'pod:web/pod-10']);
  assert.deepEqual(nearestNames('app', names, 3), ['svc:web/jws-app']);
  assert.deepEqual(nearestNames('entirely-different', names, 3), []);
});
