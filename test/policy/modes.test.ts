/** Which mode is in force, and what the SDN's limit of flows does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDenied, policyOf, SMALL, World } from './world.js';

test('10,000 flows of one policy: the SDN leaves its allows out, the API knows no such limit', async () => {
  const ports = Array.from({ length: 5000 }, (_, i) => ({ port: i + 1 }));
  const policy = (count: number): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'shop', name: 'many' },
    spec: {
      podSelector: {},
      ingress: [
        {
          from: [{ podSelector: {} }, { ipBlock: { cidr: '203.0.113.0/24' } }],
          ports: ports.slice(0, count),
        },
      ],
    },
  });
  const question = { from: 'shop/web', to: 'shop/db', protocol: 'tcp', port: 7 } as const;
  for (const [count, mode, quirk] of [
    [5000, 'sdn', 'too-many-flows'],
    [4999, 'sdn', null],
    [5000, 'api', null],
  ] as const) {
    using world = await World.load([...SMALL, policy(count)], { policy: mode });
    const { denial, allowedBy } = world.trace(question);
    assert.equal(denial?.quirk.replace(/:.*/, '') ?? null, quirk, `${count} ports, ${mode}`);
    const rule = 'NetworkPolicy shop/many ingress[0].ports[6]';
    assert.equal(denial?.nearest?.rule ?? allowedBy[0]!.rule, rule);
  }
});

test('subnet and multitenant mode know no NetworkPolicy', async () => {
  const deny = policyOf('shop: { podSelector: {}, policyTypes: [Ingress, Egress] }', 0);
  for (const pluginName of ['redhat/openshift-ovs-subnet', 'redhat/openshift-ovs-multitenant']) {
    const [network, ...others] = SMALL;
    using world = await World.load([{ ...network, pluginName }, ...others, deny], { policy: 'api' });
    const question = { from: 'default/old', to: 'shop/web', protocol: 'tcp', port: 8080 } as const;
    assert.ok(!isDenied(world.trace(question)), pluginName);
  }
});

test('the mode is that of the platform unless it is named', async () => {
  const deny = policyOf('shop: { podSelector: {}, ingress: [{ ports: [{ port: http }] }] }', 0);
  const question = { from: 'ops/mon', to: 'shop/web', protocol: 'tcp', port: 8080 } as const;
  using openshift = await World.load([...SMALL, deny]);
  assert.ok(isDenied(openshift.trace(question)));
  using kubernetes = await World.load([...SMALL, deny], { platform: 'kubernetes' });
  assert.ok(!isDenied(kubernetes.trace(question)));
});
