/** Session affinity: a client keeps its endpoint for as long as it comes back in time, on each node by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import { StateBuffer } from '../../src/layout/state-buffer.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { externalCluster, externalEpoch } from '../support/external.js';
import { Journey } from '../support/journey.js';

const SECONDS = 600;
const sticky = { web: { affinityTimeoutSec: SECONDS } };
const epoch = externalEpoch(sticky);

/** Endpoint that a new connection of `client` from `sport` takes. */
function choose(journey: Journey, sport: number, client = 's', at = client): string {
  const via = at.startsWith('nic') ? `router > ${at}` : undefined;
  const to = at.startsWith('nic') ? `n${at.slice(-1)}:30084` : 'web:8080';
  return journey.send(at, `${client}:${sport} > ${to} SYN`, via)[0]!.endpoint;
}

/** The same for many ports, in one run. */
const choices = (journey: Journey, client: string, at = client): Set<string> =>
  new Set(Array.from({ length: 24 }, (_, i) => choose(journey, 41_000 + i, client, at)));

test('without it every connection chooses anew; with it all of a client take one', () => {
  assert.equal(choices(new Journey(externalEpoch()), 's').size, 2);
  assert.equal(choices(new Journey(epoch), 's').size, 1);
  const clients = Array.from({ length: 24 }, (_, i) => `203.0.113.${i + 1}`);
  const journey = new Journey(epoch);
  assert.equal(new Set(clients.map((client) => choose(journey, 1, client, 'nic1'))).size, 2);
});

test('every new connection begins the time anew; when it is over, chance decides', () => {
  const kept = new Journey(epoch);
  const first = choose(kept, 1);
  for (let sport = 2; sport < 30; sport++) {
    kept.wait(SECONDS);
    assert.equal(choose(kept, sport), first);
  }
  const lost = new Journey(epoch);
  const found = new Set<string>();
  for (let sport = 1; sport < 30; sport++) {
    found.add(choose(lost, sport));
    lost.wait(SECONDS + 0.001);
  }
  assert.equal(found.size, 2);
});

test('packets of a connection that goes on do not begin it anew', () => {
  const journey = new Journey(epoch);
  const goOn = () => journey.send('s', 's:1 > web:8080 ACK')[0]!.endpoint;
  const first = goOn();
  for (let sport = 2; ; sport++) {
    assert.ok(sport < 100, 'chance must fall on the other one some time');
    // Never longer than conntrack keeps a connection without replies.
    for (const seconds of [250, 250, SECONDS - 499]) {
      journey.wait(seconds);
      assert.equal(goOn(), first);
    }
    if (choose(journey, sport) !== first) return;
  }
});

test('all addresses of a Service share what is known, and each node knows its own clients', () => {
  const journey = new Journey(epoch);
  const first = choose(journey, 1, '203.0.113.5', 'nic1');
  const cluster = journey.send('nic1', '203.0.113.5:2 > web:8080 SYN', 'router > nic1')[0]!;
  assert.equal(cluster.endpoint, first);
  const others = Array.from({ length: 30 }, (_, i) => `203.0.113.${i + 10}`);
  const isSame = others.map(
    (client) => choose(journey, 1, client, 'nic1') === choose(journey, 1, client, 'nic2'),
  );
  assert.ok(isSame.includes(true) && isSame.includes(false), 'the nodes do not agree');
});

test('a list holds 100 clients: the one heard of longest ago is forgotten', () => {
  const journey = new Journey(epoch);
  const client = (i: number): string => `203.0.${i >> 8}.${i & 255}`;
  const chosen = Array.from({ length: 400 }, (_, i) => choose(journey, 1, client(i), 'nic1'));
  const isKept = (i: number): boolean => choose(journey, 2, client(i), 'nic1') === chosen[i];
  const newest = Array.from({ length: 60 }, (_, i) => isKept(399 - i));
  assert.deepEqual(new Set(newest), new Set([true]));
  const oldest = Array.from({ length: 60 }, (_, i) => isKept(i));
  assert.ok(oldest.includes(false));
});

test('an engine that goes back knows what it knew then', () => {
  const journey = new Journey(epoch);
  const first = choose(journey, 1);
  const state = new StateBuffer();
  journey.engine.saveState(state);
  const next = Array.from({ length: 40 }, (_, i) => choose(journey, 1, `203.0.113.${i + 1}`, 'nic1'));
  state.rewind();
  journey.engine.restoreState(state);
  assert.deepEqual(
    next.map((_, i) => choose(journey, 1, `203.0.113.${i + 1}`, 'nic1')),
    next,
  );
  assert.equal(choose(journey, 2), first);
});

/** The cluster without pod `gone` behind its Services. */
function without(gone: string, number: number): Epoch {
  const cluster = externalCluster(sticky);
  const services = cluster.services.map((service) => ({
    ...service,
    ports: service.ports.map((port) => ({
      ...port,
      endpoints: port.endpoints.filter((endpoint) => !endpoint.pod.endsWith(`/${gone}`)),
    })),
  }));
  return compile({ ...cluster, services }, number);
}

test('a change of the cluster keeps the lists of endpoints that stay, and those alone', () => {
  const journey = new Journey(epoch);
  const clients = Array.from({ length: 30 }, (_, i) => `203.0.113.${i + 1}`);
  const ask = (sport: number): string[] => clients.map((client) => choose(journey, sport, client, 'nic1'));
  const before = ask(1);
  journey.engine.install(without('a', 2));
  journey.engine.install(compile(externalCluster(sticky), 3));
  const after = ask(2);
  const wereAt = (pod: string, list: readonly string[]) => list.filter((_, i) => before[i] === pod);
  assert.deepEqual(new Set(wereAt('pod:web/b', after)), new Set(['pod:web/b']));
  assert.equal(new Set(wereAt('pod:web/a', after)).size, 2, 'those of the one that went choose anew');
});
