/** NetworkPolicy, a table for each thing that it can say: policies in, then packets and who lets them through, by the
 *  API's text and on OpenShift SDN.
 *
 *  A question: `from > to protocol port: api sdn`; `yes` or `no`, with the quirk behind an answer of the SDN's in brackets.
 *  One word stands for both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDenied, type Protocol, policyOf, SMALL, World } from './world.js';

interface Feature {
  readonly feature: string;
  /** Policies as `namespace: spec`. */
  readonly policies: readonly string[];
  readonly asks: readonly string[];
}

const FEATURES: readonly Feature[] = [
  {
    feature: 'without a policy everything passes',
    policies: [],
    asks: [
      'ops/mon > shop/web tcp 8080: yes',
      'shop/web > 203.0.113.9 udp 53: yes',
      '203.0.113.9 > shop/web tcp 1: yes',
    ],
  },
  {
    feature: 'an empty podSelector isolates the namespace; nothing is allowed',
    policies: ['shop: { podSelector: {} }'],
    asks: [
      'ops/mon > shop/web tcp 8080: no',
      'shop/web > shop/db tcp 5432: no',
      'shop/web > ops/mon tcp 80: yes',
      'ops/mon > default/old tcp 80: yes',
      'ops/mon > shop/web icmp 0: no',
    ],
  },
  {
    feature: 'a podSelector isolates those that it selects',
    policies: ['shop: { podSelector: { matchLabels: { app: web } } }'],
    asks: [
      'ops/mon > shop/web tcp 8080: no',
      'ops/mon > shop/db tcp 5432: yes',
      'ops/mon > default/old tcp 80: yes',
    ],
  },
  {
    feature: 'policyTypes by default: ingress, and egress where there is an egress rule',
    policies: ['shop: { podSelector: {}, egress: [{ to: [{ podSelector: {} }] }] }'],
    asks: [
      'shop/web > ops/mon tcp 80: no',
      'shop/web > shop/db tcp 5432: no',
      'ops/mon > shop/web tcp 80: no',
    ],
  },
  {
    feature: 'policyTypes Egress alone leaves ingress open',
    policies: ['shop: { podSelector: {}, policyTypes: [Egress] }'],
    asks: [
      'shop/web > ops/mon tcp 80: no',
      'ops/mon > shop/web tcp 80: yes',
      'shop/web > 203.0.113.9 tcp 80: no',
    ],
  },
  {
    feature: 'an empty rule allows everything',
    policies: ['shop: { podSelector: {}, ingress: [{}] }'],
    asks: [
      'ops/mon > shop/web tcp 8080: yes',
      '203.0.113.9 > shop/web udp 9: yes',
      'ops/mon > shop/web icmp 0: yes',
    ],
  },
  {
    feature: 'podSelector alone: pods of the same namespace',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }] }] }',
    ],
    asks: ['shop/web > shop/db tcp 1: yes', 'default/old > shop/db tcp 1: no', 'ops/mon > shop/db tcp 1: no'],
  },
  {
    feature: 'an empty podSelector as a peer: every pod of the namespace, and nobody from outside',
    policies: ['shop: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }'],
    asks: ['shop/web > shop/db tcp 1: yes', 'ops/mon > shop/db tcp 1: no', '203.0.113.9 > shop/db tcp 1: no'],
  },
  {
    feature: 'namespaceSelector alone: every pod of those namespaces',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } } }] }] }',
    ],
    asks: [
      'ops/mon > shop/web tcp 1: yes',
      'default/old > shop/web tcp 1: no',
      'shop/db > shop/web tcp 1: no',
    ],
  },
  {
    feature: 'namespaceSelector and podSelector: both must hold',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } }, podSelector: { matchLabels: { app: web } } }] }] }',
    ],
    asks: ['ops/mon > shop/db tcp 1: no', 'default/old > shop/db tcp 1: no', 'shop/web > shop/db tcp 1: no'],
  },
  {
    feature: 'an empty namespaceSelector: every pod; on the SDN, everybody',
    policies: [
      'shop: { podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ from: [{ namespaceSelector: {} }] }], egress: [{ to: [{ namespaceSelector: {} }] }] }',
    ],
    asks: [
      'ops/mon > shop/web tcp 1: yes',
      '203.0.113.9 > shop/web tcp 1: no yes (empty-namespace-selector)',
      'shop/web > ops/mon tcp 1: yes',
      'shop/web > 203.0.113.9 tcp 1: no yes (empty-namespace-selector)',
    ],
  },
  {
    feature: 'a namespace has the label of its name',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }] }] }',
    ],
    asks: ['ops/mon > shop/web tcp 1: yes', 'default/old > shop/web tcp 1: no'],
  },
  {
    feature: 'NetID 0 is that of the namespace default, of the nodes and of the outside',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: default } } }] }] }',
    ],
    asks: [
      'default/old > shop/web tcp 1: yes',
      'ops/mon > shop/web tcp 1: no',
      '203.0.113.9 > shop/web tcp 1: no yes (netid-zero)',
      'node:n2 > shop/web tcp 1: no yes (netid-zero)',
    ],
  },
  {
    feature: 'expressions: In, NotIn, Exists, DoesNotExist',
    policies: [
      'shop: { podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, x] }] }, ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: env, operator: Exists }] }, podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [web] }] } }] }] }',
      'shop: { podSelector: { matchExpressions: [{ key: tier, operator: DoesNotExist }] } }',
    ],
    asks: [
      'ops/mon > shop/web tcp 1: yes',
      'default/old > shop/web tcp 1: no',
      'default/old > shop/db tcp 1: yes',
    ],
  },
  {
    feature: 'ipBlock with except, for addresses outside and for those of pods',
    policies: [
      'shop: { podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ from: [{ ipBlock: { cidr: 203.0.113.0/24, except: [203.0.113.8/30] } }, { ipBlock: { cidr: 10.129.0.3/32 } }] }], egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [10.129.0.0/23, 192.168.0.0/16] } }] }] }',
    ],
    asks: [
      '203.0.113.7 > shop/web tcp 1: yes',
      '203.0.113.9 > shop/web tcp 1: no',
      '203.0.114.1 > shop/web tcp 1: no',
      'ops/mon > shop/web tcp 1: yes',
      'default/old > shop/web tcp 1: no',
      'shop/web > 203.0.113.9 tcp 1: yes',
      'shop/web > ops/mon tcp 1: no',
      'shop/web > default/old tcp 1: yes',
    ],
  },
  {
    feature: 'blocks within blocks: each has its ports',
    policies: [
      'shop: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 203.0.113.0/24 } }], ports: [{ port: 80 }] }] }',
      'shop: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 203.0.113.0/30 } }], ports: [{ port: 90 }] }] }',
      'shop: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 203.0.113.1/32 } }], ports: [{ port: 100 }] }] }',
    ],
    asks: [
      '203.0.113.1 > shop/web tcp 80: yes',
      '203.0.113.1 > shop/web tcp 90: yes',
      '203.0.113.1 > shop/web tcp 100: yes',
      '203.0.113.2 > shop/web tcp 90: yes',
      '203.0.113.2 > shop/web tcp 100: no',
      '203.0.113.4 > shop/web tcp 80: yes',
      '203.0.113.4 > shop/web tcp 90: no',
    ],
  },
  {
    feature: 'an IPv6 block says nothing of IPv4',
    policies: ['shop: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "fd00::/8" } }] }] }'],
    asks: ['ops/mon > shop/web tcp 1: no', '203.0.113.9 > shop/web tcp 1: no'],
  },
  {
    feature: 'ports by number: TCP unless said otherwise; one protocol is not the others',
    policies: [
      'shop: { podSelector: {}, ingress: [{ ports: [{ port: 80 }, { port: 53, protocol: UDP }, { port: 36412, protocol: SCTP }] }] }',
    ],
    asks: [
      'ops/mon > shop/web tcp 80: yes',
      'ops/mon > shop/web tcp 81: no',
      'ops/mon > shop/web udp 80: no',
      'ops/mon > shop/web udp 53: yes',
      'ops/mon > shop/web sctp 36412: yes',
      'ops/mon > shop/web sctp 80: no',
      'ops/mon > shop/web icmp 0: no',
    ],
  },
  {
    feature: 'a protocol without a port: all its ports',
    policies: ['shop: { podSelector: {}, ingress: [{ ports: [{ protocol: UDP }] }] }'],
    asks: [
      'ops/mon > shop/web udp 1: yes',
      'ops/mon > shop/web udp 65535: yes',
      'ops/mon > shop/web tcp 1: no',
    ],
  },
  {
    feature: 'a range of ports, both ends included; the SDN adds port 0',
    policies: ['shop: { podSelector: {}, ingress: [{ ports: [{ port: 1000, endPort: 2047 }] }] }'],
    asks: [
      'ops/mon > shop/web tcp 999: no',
      'ops/mon > shop/web tcp 1000: yes',
      'ops/mon > shop/web tcp 1023: yes',
      'ops/mon > shop/web tcp 2047: yes',
      'ops/mon > shop/web tcp 2048: no',
      'ops/mon > shop/web tcp 0: no yes (end-port-zero)',
      'ops/mon > shop/web udp 1500: no',
    ],
  },
  {
    feature: 'a named port on ingress is the policed pod’s own; the SDN knows none',
    policies: ['shop: { podSelector: {}, ingress: [{ ports: [{ port: http }] }] }'],
    asks: [
      'ops/mon > shop/web tcp 8080: yes no (named-port)',
      'ops/mon > shop/web tcp 5432: no',
      'ops/mon > shop/db tcp 5432: yes no (named-port)',
      'ops/mon > shop/db tcp 8080: no',
    ],
  },
  {
    feature: 'a named port on egress is the other end’s, of the rule’s protocol',
    policies: [
      'shop: { podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ podSelector: {} }, { ipBlock: { cidr: 10.129.0.0/24 } }], ports: [{ port: http }, { port: http, protocol: UDP }] }] }',
    ],
    asks: [
      'shop/web > shop/db tcp 5432: yes no (named-port)',
      'shop/web > shop/db tcp 8080: no',
      'shop/web > ops/mon udp 8080: yes no (named-port)',
      'shop/web > ops/mon tcp 8080: no',
      'shop/web > 203.0.113.9 tcp 8080: no',
    ],
  },
  {
    feature: 'policies add up',
    policies: [
      'shop: { podSelector: {} }',
      'shop: { podSelector: { matchLabels: { app: web } }, ingress: [{ ports: [{ port: 80 }] }] }',
      'shop: { podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } } }], ports: [{ port: 90 }] }] }',
    ],
    asks: [
      'default/old > shop/web tcp 80: yes',
      'default/old > shop/web tcp 90: no',
      'ops/mon > shop/web tcp 90: yes',
      'ops/mon > shop/db tcp 80: no',
    ],
  },
  {
    feature: 'egress and ingress must both allow',
    policies: [
      'shop: { podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ port: 80 }] }] }',
      'ops: { podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { team: shop } } }], ports: [{ port: 80 }, { port: 90 }] }] }',
    ],
    asks: [
      'ops/mon > shop/web tcp 80: yes',
      'ops/mon > shop/web tcp 90: no',
      'ops/mon > default/old tcp 80: no',
      'default/old > shop/web tcp 80: yes',
    ],
  },
  {
    feature: 'host-network pods are outside of policy: neither selected nor a peer',
    policies: [
      'ops: { podSelector: {}, policyTypes: [Ingress, Egress] }',
      'shop: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } } }] }] }',
    ],
    asks: [
      'shop/web > node:n2 tcp 80: yes',
      'node:n2 > shop/web tcp 80: no',
      'ops/mon > shop/web tcp 80: no',
    ],
  },
  {
    feature:
      'the node’s own probes pass, those of another node do not; the way to the own node is open by the API',
    policies: ['shop: { podSelector: {}, policyTypes: [Ingress, Egress] }'],
    asks: [
      'node:n1 > shop/web tcp 8080: yes',
      'node:n2 > shop/web tcp 8080: no',
      'shop/web > node:n1 tcp 10250: yes no (own-node)',
      'shop/web > 10.128.0.1 tcp 10250: yes no (own-node)',
      'shop/web > node:n2 tcp 10250: no',
    ],
  },
  {
    feature: 'egress is judged behind the Service: the pod and its port',
    policies: [
      'ops: { podSelector: {}, policyTypes: [Egress], egress: [{ ports: [{ port: 8080 }] }] }',
      'default: { podSelector: {}, policyTypes: [Egress], egress: [{ ports: [{ port: 80 }] }] }',
    ],
    asks: ['ops/mon > svc:shop/web tcp 80: yes', 'default/old > svc:shop/web tcp 80: no'],
  },
];

const QUESTION = /^(\S+) > (\S+) (tcp|udp|sctp|icmp) (\d+): (yes|no)(?: (yes|no) \(([a-z-]+)\))?$/;

for (const { feature, policies, asks } of FEATURES)
  test(feature, async () => {
    const objects = [...SMALL, ...policies.map(policyOf)];
    using api = await World.load(objects, { policy: 'api' });
    using sdn = await World.load(objects, { policy: 'sdn' });
    for (const ask of asks) {
      const [, from, to, protocol, port, byApi, bySdn, quirk = ''] = QUESTION.exec(ask)!;
      const question = { from: from!, to: to!, protocol: protocol as Protocol, port: Number(port) };
      assert.equal(isDenied(api.trace(question)) ? 'no' : 'yes', byApi, `api: ${ask}`);
      const trace = sdn.trace(question);
      assert.equal(isDenied(trace) ? 'no' : 'yes', bySdn ?? byApi, `sdn: ${ask}`);
      const quirks = [...trace.allowedBy.map((allow) => allow.quirk), trace.denial?.quirk ?? ''];
      assert.equal(
        quirks
          .filter((text) => text !== '')
          .join(' ')
          .replace(/:.*/, ''),
        quirk,
        `quirk: ${ask}`,
      );
    }
  });

test('replies pass, whatever isolates the pod that asked', async () => {
  const isolated = [
    'shop: { podSelector: {}, policyTypes: [Ingress] }',
    'ops: { podSelector: {}, policyTypes: [Egress] }',
  ].map(policyOf);
  for (const mode of ['api', 'sdn'] as const) {
    using world = await World.load([...SMALL, ...isolated], { policy: mode });
    const asked = world.trace({ from: 'shop/web', to: 'ops/mon', protocol: 'tcp', port: 1 });
    assert.equal(asked.verdict, 'answered', 'ops/mon does not listen, and says so');
    const [reset] = world.caused;
    assert.deepEqual([reset!.verdict, reset!.exit], ['delivered', 'pod:shop/web'], mode);
    assert.ok(isDenied(world.trace({ from: 'ops/mon', to: 'shop/web', protocol: 'tcp', port: 1 })), mode);
  }
});
