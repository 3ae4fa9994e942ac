/** Watch events in a trace's time, for the replay's tests: as text, as files, and as the replay takes them. */
import { writeFileSync } from 'node:fs';
import { changesOf } from '../../src/cli/changes.js';
import { type LoadedCluster, loadCluster, type WatchEvent } from '../../src/cluster.js';
import { parseWatch, type TimedEvent } from '../../src/manifests/watch-file.js';
import type { ReplayOptions } from '../../src/replay/replay.js';
import { InputError, type Problem } from '../../src/verdict/input-error.js';
import { EXAMPLE } from './traces.js';

/** An event, and its time: seconds from the first packet, or RFC 3339. */
export interface Timed extends WatchEvent {
  readonly time: number | string;
}

export const watchText = (events: readonly Timed[]): string =>
  events.map(({ type, object, time }) => `${JSON.stringify({ type, object, time })}\n`).join('');

export function writeWatch(path: string, events: readonly Timed[]): string {
  writeFileSync(path, watchText(events));
  return path;
}

/** The events of a text.
 *  @throws InputError when one is wrong. */
export function parsed(text: string, file = 'watch.jsonl'): TimedEvent[] {
  const problems: Problem[] = [];
  const events = parseWatch(file, text, problems);
  if (problems.length > 0) throw new InputError(problems);
  return events;
}

/** What a replay needs of these events over the cluster of examples/two-nodes. */
export async function changing(
  events: readonly Timed[],
): Promise<{ cluster: LoadedCluster; changes: Required<ReplayOptions>['changes'] }> {
  const cluster = await loadCluster(EXAMPLE);
  return { cluster, changes: changesOf(cluster, parsed(watchText(events))) };
}

/** NetworkPolicy web/closed: nothing may enter the namespace web, but what `from` selects of it. */
export const policy = (namespace: string, name: string, from?: object): WatchEvent['object'] => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: { podSelector: {}, ingress: from === undefined ? [] : [{ from: [from] }] },
});

/** Service web/jws-app, at this ClusterIP. */
export const jwsService = (clusterIP = '172.30.10.20'): WatchEvent['object'] => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'jws-app', namespace: 'web' },
  spec: { clusterIP, ports: [{ name: '8080-tcp', port: 8080 }] },
});

/** The pods of web/jws-app that answer. */
const PODS = { 'pod-1': '10.128.0.2', 'pod-2': '10.128.0.3', 'pod-3': '10.129.0.2' } as const;

/** EndpointSlice of web/jws-app with these pods. */
export const jwsApp = (...pods: readonly (keyof typeof PODS)[]): WatchEvent['object'] => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'jws-app-x7k2p',
    namespace: 'web',
    labels: { 'kubernetes.io/service-name': 'jws-app' },
  },
  addressType: 'IPv4',
  ports: [{ name: '8080-tcp', protocol: 'TCP', port: 8080 }],
  endpoints: pods.map((name) => ({
    addresses: [PODS[name]],
    conditions: { ready: true },
    nodeName: name === 'pod-3' ? 'node2' : 'node1',
    targetRef: { kind: 'Pod', namespace: 'web', name },
  })),
});
