/** Which endpoints a Service's connections may take, by readiness, node and platform. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import { usableEndpoints } from '../../src/compile/services.js';
import type { Endpoint } from '../../src/model/service.js';
import { findService } from '../../src/tables/services.js';
import { address, testCluster, testEpoch } from '../support/cluster.js';

const endpoint = (last: number, isReady: boolean, isServing = isReady, isTerminating = false): Endpoint => ({
  address: 0x0a800000 + last,
  port: 8080,
  isReady,
  isServing,
  isTerminating,
  node: 'node1',
  hostname: '',
  pod: '',
});

for (const [why, endpoints, usable] of [
  ['ready ones alone', [endpoint(1, true), endpoint(2, false)], [1]],
  ['terminating ones not while one is ready', [endpoint(1, true), endpoint(2, false, true, true)], [1]],
  [
    'serving and terminating ones when none is ready',
    [endpoint(1, false), endpoint(2, false, true, true)],
    [2],
  ],
  ['terminating ones that do not serve never', [endpoint(1, false, false, true)], []],
  ['none', [], []],
] as readonly (readonly [string, readonly Endpoint[], readonly number[]])[])
  test(`usable endpoints: ${why}`, () => {
    assert.deepEqual(
      usableEndpoints(endpoints).map((one) => one.address & 255),
      usable,
    );
  });

/** Endpoint names behind a Service's port as `node` sees them; null when the port is none of a Service. */
function behind(epoch: ReturnType<typeof testEpoch>, ip: number, port: number, proto: number, node: number) {
  const { services, serviceSlots, endpoints } = epoch.tables;
  const row = findService(services, serviceSlots, ip, ((port << 16) | proto) >>> 0, node);
  if (row < 0) return null;
  const first = services.first[row]!;
  return Array.from({ length: services.count[row]! }, (_, i) =>
    epoch.text(endpoints.name[first + i]!).replace('pod:', ''),
  );
}

const DNS_BOTH = ['openshift-dns/d', 'openshift-dns/e'];
for (const [platform, node1, node2] of [
  ['ocp4', ['openshift-dns/d'], ['openshift-dns/e']],
  ['ocp3', DNS_BOTH, DNS_BOTH],
  ['kubernetes', DNS_BOTH, DNS_BOTH],
] as const)
  test(`cluster DNS on ${platform}`, () => {
    const epoch = testEpoch({ platform });
    for (const [port, proto] of [
      [53, 17],
      [53, 6],
    ] as const) {
      assert.deepEqual(behind(epoch, address('dns'), port, proto, 0), node1);
      assert.deepEqual(behind(epoch, address('dns'), port, proto, 1), node2);
    }
    assert.deepEqual(
      behind(epoch, address('dns'), 53, 17, 2)?.sort(),
      DNS_BOTH,
      'a node without one takes all',
    );
  });

test('ports and protocols are told apart', () => {
  const epoch = testEpoch();
  assert.deepEqual(behind(epoch, address('far'), 80, 6, 0), ['web/b']);
  assert.equal(behind(epoch, address('far'), 80, 17, 0), null);
  assert.equal(behind(epoch, address('far'), 81, 6, 0), null);
  assert.deepEqual(behind(epoch, address('none'), 80, 6, 0), []);
});

test('headless and ExternalName Services translate nothing', () => {
  const cluster = testCluster();
  const headless = cluster.services.map((one) => ({ ...one, clusterIp: 0, isHeadless: true }));
  assert.equal(compile({ ...cluster, services: headless }).tables.services.rows, 0);
});
