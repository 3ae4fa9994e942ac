/** Watch events, one by one, give what a full compile of the objects gives that are there in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LoadedCluster, loadCluster, type WatchEvent } from '../../src/cluster.js';
import { Epoch } from '../../src/tables/epoch.js';
import { InputError } from '../../src/verdict/input-error.js';
import { epochText } from '../support/epoch-text.js';
import {
  anyEvent,
  BASE,
  type KubeObject,
  keyOf,
  PODS,
  pod,
  SERVICES,
  service,
  slice,
} from '../support/watch.js';

/** What a plain loader makes of the objects. */
const fresh = (objects: Iterable<KubeObject>): Promise<LoadedCluster> =>
  loadCluster({ objects: [...objects] });

/** The objects after an event. */
function put(objects: Map<string, KubeObject>, { type, object }: { type: string; object: KubeObject }): void {
  if (type === 'DELETED') objects.delete(keyOf(object));
  else objects.set(keyOf(object), object);
}

const startObjects = (): Map<string, KubeObject> => new Map(BASE.map((object) => [keyOf(object), object]));
/** Made of the one before it by writing rows. */
const isSmall = (epoch: Epoch): boolean => epoch.history !== null;

test('random events: tables, model and notes are those of a full compile, and refused events change nothing', async () => {
  let small = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 25 }), async (events) => {
      const objects = startObjects();
      const cluster = await fresh(objects.values());
      let number = 1;
      for (const event of events) {
        const wanted = new Map(objects);
        put(wanted, event);
        const full = await fresh(wanted.values()).catch((error: unknown) => error);
        const apply = (): Epoch => cluster.apply(event);
        if (full instanceof InputError) {
          assert.throws(apply, InputError);
          refused++;
          continue;
        }
        const { model, notes, unused } = full as LoadedCluster;
        put(objects, event);
        const epoch = apply();
        number++;
        if (isSmall(epoch)) small++;
        assert.equal(epoch.number, number);
        assert.deepEqual(cluster.model, model);
        assert.deepEqual([cluster.notes, cluster.unused], [notes, unused]);
        assert.deepEqual(epochText(epoch), epochText((full as LoadedCluster).compile(number)));
      }
      const [applied, compiled] = [cluster, await fresh(objects.values())].map((one) =>
        one.compile(number).save(),
      );
      assert.ok(Buffer.from(applied!).equals(Buffer.from(compiled!)), 'byte for byte');
    }),
    { numRuns: 60, seed: 20260301 },
  );
  assert.ok(small > 100, `${small} events took the small way`);
  assert.ok(refused > 0, `${refused} events were refused`);
});

const anew = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: '77', generation: 3 },
});
/** Node 2, at the address of node `n`. */
function heartbeat(n: number): KubeObject {
  const node = anew(BASE.find(({ kind, metadata }) => kind === 'Node' && metadata.name === 'node2')!);
  const addresses = [{ type: 'InternalIP', address: `192.168.1.${n}` }];
  return { ...node, status: { addresses, conditions: [{ type: 'Ready', lastHeartbeatTime: 'now' }] } };
}
const ONLY_A: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'only-a', namespace: 'web' },
  spec: { podSelector: { matchLabels: { app: 'a' } } },
};
const up = (n: number) => ({ n, isReady: true });
const MORE = service('more', { clusterIP: '172.30.0.99', ports: [{ port: 80 }] });
const ALIAS = service('alias', { type: 'ExternalName', externalName: 'db.example.com' });
/** What is taken in place, and what is not. */
const EVENTS: readonly (readonly [why: string, event: WatchEvent, isSmall: boolean])[] = [
  [
    'an endpoint more',
    { type: 'MODIFIED', object: slice('by-slice-1', 'by-slice', [up(1), up(2), up(3)]) },
    true,
  ],
  ['an endpoint less', { type: 'MODIFIED', object: slice('by-slice-1', 'by-slice', [up(2)]) }, true],
  ['another slice', { type: 'ADDED', object: slice('by-slice-2', 'by-slice', [up(9)]) }, true],
  ['a slice gone', { type: 'DELETED', object: slice('by-slice-1', 'by-slice', []) }, true],
  ['a slice that changes hands', { type: 'MODIFIED', object: slice('by-slice-1', 'by-pods', [up(1)]) }, true],
  ['a pod that is not ready any more', { type: 'MODIFIED', object: pod(1, false) }, true],
  ['a pod said again', { type: 'MODIFIED', object: pod(1, true) }, true],
  ['a slice that was never there', { type: 'DELETED', object: slice('none', 'by-slice', []) }, true],
  ['a pod with other labels', { type: 'MODIFIED', object: pod(1, true, { app: 'z' }) }, true],
  ['a pod gone', { type: 'DELETED', object: pod(1, true) }, true],
  ['a heartbeat of a node', { type: 'MODIFIED', object: heartbeat(2) }, true],
  ['a node at another address', { type: 'MODIFIED', object: heartbeat(9) }, false],
  ['a Service with a new resource version', { type: 'MODIFIED', object: anew(SERVICES[0]!) }, true],
  ['the first policy of all', { type: 'ADDED', object: ONLY_A }, false],
  ['a pod more', { type: 'ADDED', object: pod(PODS + 1, true) }, true],
  ['a Service gone', { type: 'DELETED', object: SERVICES[0]! }, true],
  ['a Service more', { type: 'ADDED', object: MORE }, true],
  ['a Service that is an alias', { type: 'ADDED', object: ALIAS }, true],
  ['a Service whose address must be given', { type: 'ADDED', object: service('given', {}) }, false],
  ['the Service of cluster DNS gone', { type: 'DELETED', object: SERVICES.at(-1)! }, false],
  [
    'another node served by a node-local Service',
    { type: 'ADDED', object: slice('l', 'local', [up(1)]) },
    true,
  ],
  ['a slice of no Service', { type: 'ADDED', object: slice('n', 'nobody', [up(1)]) }, true],
];
for (const [why, event, wanted] of EVENTS)
  test(`${wanted ? 'rewrites the rows that it touches' : 'compiles anew'}: ${why}`, async () => {
    const cluster = await fresh(BASE);
    cluster.compile();
    assert.equal(isSmall(cluster.apply(event)), wanted);
  });

test('rewrites the rows that it touches: a policy more, changed and gone, where there are others', async () => {
  const cluster = await fresh([...BASE, ONLY_A]);
  cluster.compile();
  const open = {
    ...ONLY_A,
    metadata: { ...ONLY_A.metadata, name: 'open' },
    spec: { podSelector: {}, ingress: [{}] },
  };
  const asksMore = { ...open, spec: { podSelector: { matchLabels: { tier: 'front' } } } };
  for (const [type, object] of [
    ['ADDED', open],
    ['MODIFIED', asksMore],
    ['DELETED', asksMore],
    ['DELETED', ONLY_A],
  ] as const) {
    const epoch = cluster.apply({ type, object });
    assert.ok(isSmall(epoch), `${type} ${object.metadata.name}`);
    assert.deepEqual(epochText(epoch), epochText(cluster.compile(epoch.number)));
  }
});

test('rewrites the rows that it touches: a policy asks for labels that pods got before anything asked', async () => {
  const deny = { ...ONLY_A, metadata: { ...ONLY_A.metadata, name: 'deny' }, spec: { podSelector: {} } };
  const from = [{ podSelector: { matchLabels: { app: 'z' } } }];
  const fromZ = { ...ONLY_A, spec: { podSelector: {}, ingress: [{ from }] } };
  const cluster = await fresh([...BASE, deny]);
  cluster.compile();
  for (const object of [pod(1, true, { app: 'z' }), fromZ]) {
    const epoch = cluster.apply({ type: 'ADDED', object });
    assert.ok(isSmall(epoch), object.kind);
    assert.deepEqual(epochText(epoch), epochText(cluster.compile(epoch.number)));
  }
});

test('two Services that claim one address from outside: whoever goes, the other has it', async () => {
  const claim = (name: string, clusterIP: string): KubeObject =>
    service(name, { clusterIP, ports: [{ port: 80 }], externalIPs: ['198.51.100.7'] });
  const [one, two] = [claim('one', '172.30.0.91'), claim('two', '172.30.0.92')];
  for (const gone of [one, two]) {
    const cluster = await fresh([...BASE, one, two]);
    cluster.compile();
    cluster.apply({ type: 'MODIFIED', object: pod(1, false) });
    for (const type of ['DELETED', 'ADDED'] as const) {
      const epoch = cluster.apply({ type, object: gone });
      assert.deepEqual(
        epochText(epoch),
        epochText(cluster.compile(epoch.number)),
        `${type} ${gone.metadata.name}`,
      );
    }
  }
});

test('rewrites the rows that it touches: Services of every kind, there and gone and there again', async () => {
  const cluster = await fresh(BASE);
  cluster.compile();
  const outside: KubeObject = {
    ...service('outside', {
      type: 'LoadBalancer',
      clusterIP: '172.30.0.98',
      ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
      externalIPs: ['198.51.100.7'],
      loadBalancerSourceRanges: ['203.0.113.0/24'],
    }),
    status: { loadBalancer: { ingress: [{ ip: '198.51.100.20' }] } },
  };
  const moved = { ...outside, spec: { ...(outside['spec'] as object), clusterIP: '172.30.0.97' } };
  const headless = service('alias', { clusterIP: 'None', ports: [{ port: 80 }], selector: { app: 'a' } });
  const other = service('alias', { type: 'ExternalName', externalName: 'other.example.com' });
  const kinds = [MORE, ALIAS, outside, moved, SERVICES[3]!, headless, other, headless];
  const steps = kinds.flatMap((object) =>
    (['ADDED', 'MODIFIED', 'DELETED', 'ADDED'] as const).map((type) => ({ type, object })),
  );
  for (const event of steps) {
    const epoch = cluster.apply(event);
    assert.ok(isSmall(epoch), `${event.type} ${event.object.metadata.name}`);
    assert.deepEqual(epochText(epoch), epochText(cluster.compile(epoch.number)));
  }
});

test('rewrites the rows that it touches: pods beside a single one, whose rules shared all their fields with themselves', async () => {
  const others = BASE.filter(({ kind }) => kind !== 'Pod');
  const cluster = await fresh([...others, pod(1, true), ONLY_A]);
  cluster.compile();
  const numbers = [2, 3, 4, 5, 6];
  const events = [
    ...numbers.map((n) => ({ type: 'ADDED' as const, object: pod(n, true) })),
    ...[1, ...numbers].map((n) => ({ type: 'DELETED' as const, object: pod(n, true) })),
    { type: 'ADDED' as const, object: pod(4, true) },
  ];
  for (const event of events) {
    const epoch = cluster.apply(event);
    assert.ok(isSmall(epoch), `${event.type} ${event.object.metadata.name}`);
    assert.deepEqual(epochText(epoch), epochText(cluster.compile(epoch.number)));
  }
});

test('a table set is overwritten two changes later unless it is held', async () => {
  const cluster = await fresh(BASE);
  const flip = (isReady: boolean): Epoch => cluster.apply({ type: 'MODIFIED', object: pod(1, isReady) });
  const compiled = flip(false);
  const [still, held] = [epochText(compiled), flip(true)];
  const text = epochText(held);
  held.hold();
  const loose = flip(false);
  for (let i = 0; i < 6; i++) flip(i % 2 === 0);
  assert.throws(() => loose.text(0), RangeError);
  assert.throws(() => loose.save(), RangeError);
  assert.throws(() => loose.hold(), RangeError);
  assert.deepEqual(epochText(held), text);
  assert.deepEqual(epochText(compiled), still, 'what was compiled whole stays');
  held.release();
});

test('when the spare rows are used up the cluster is compiled anew', async () => {
  const cluster = await fresh(BASE);
  let compiles = 0;
  let last: Epoch | null = null;
  for (let i = 0; i < 300; i++) {
    // Hostnames that never come again use up the room for names.
    const ends = Array.from({ length: 6 }, (_, k) => ({
      n: k + 1,
      isReady: true,
      hostname: `host-${i}-${k}-${'x'.repeat(40)}`,
    }));
    const epoch = cluster.apply({ type: 'MODIFIED', object: slice('by-slice-1', 'by-slice', ends) });
    if (!isSmall(epoch)) compiles++;
    last = epoch;
  }
  assert.equal(compiles, 3);
  assert.deepEqual(epochText(last!), epochText(cluster.compile()));
});

test('saved, a changed table set is loaded as any other', async () => {
  const cluster = await fresh(BASE);
  cluster.apply({ type: 'MODIFIED', object: pod(1, false) });
  const epoch = cluster.apply({ type: 'MODIFIED', object: pod(1, true) });
  const saved = epoch.save();
  assert.deepEqual(epochText(Epoch.load(saved)), epochText(epoch));
  saved[saved.length >> 1]! ^= 1;
  assert.throws(() => Epoch.load(saved), /checksum/);
});

test('what is no event is a TypeError', async () => {
  const cluster = await fresh(BASE);
  for (const event of [null, {}, { type: 'BOOKMARK', object: BASE[0] }, { type: 'ADDED', object: null }])
    assert.throws(() => cluster.apply(event as unknown as WatchEvent), TypeError);
});

test('events that are taken as one give what they give one after the other', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(anyEvent, { maxLength: 6 }), { maxLength: 6 }), async (groups) => {
      const objects = startObjects();
      const cluster = await fresh(objects.values());
      cluster.compile();
      for (const group of groups) {
        const wanted = new Map(objects);
        for (const event of group) put(wanted, event);
        const before = cluster.model;
        try {
          const epoch = cluster.fork().apply(group);
          assert.deepEqual(cluster.model, before, 'a fork is changed for itself');
          const full = await fresh(wanted.values());
          assert.deepEqual(epochText(epoch), epochText(full.compile(epoch.number)));
          assert.deepEqual(epochText(cluster.apply(group)), epochText(epoch));
          assert.deepEqual(cluster.model, full.model);
          for (const event of group) put(objects, event);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          refused++;
          assert.throws(() => cluster.apply(group), InputError);
          assert.deepEqual(cluster.model, before, 'none of a group that is refused is taken');
        }
      }
    }),
    { numRuns: 30, seed: 20260304 },
  );
  assert.ok(refused > 0, `${refused} groups were refused`);
});
