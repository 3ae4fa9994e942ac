import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointChain, serviceChain } from '../../src/dump/chain-names.js';

/** kubernetes pkg/proxy/iptables/proxier_test.go, and chains of real clusters. */
const VECTORS: readonly [name: string, protocol: string, suffix: string][] = [
  ['ns1/svc1:p80', 'tcp', 'XPGD46QRK7WJZT7O'],
  ['openshift-dns/dns-default:dns', 'udp', 'BGNS3J6UB7MMLVDO'],
  ['openshift-dns/dns-default:dns-tcp', 'tcp', '6BRQXW4I6ZZ3LHZH'],
  ['default/kubernetes:https', 'tcp', 'NPX46M4PTMTKRN6Y'],
  ['web/jws-app:8080-tcp', 'tcp', 'XAPMWXO4LDFUHBPH'],
  ['ns1/svc1', 'tcp', 'AQI2S6QIMU7PVVRP'],
];

for (const [name, protocol, suffix] of VECTORS)
  test(`the chains of ${name} end in ${suffix}`, () => {
    for (const kind of ['SVC', 'SVL', 'EXT', 'FW'] as const)
      assert.equal(serviceChain(kind, name, protocol), `KUBE-${kind}-${suffix}`);
  });

test("an endpoint's chain is named after Service, protocol and address", () => {
  assert.equal(endpointChain('ns1/svc1:p80', 'tcp', '10.180.0.1:80'), 'KUBE-SEP-SXIVWICOYRO3J4NJ');
});
