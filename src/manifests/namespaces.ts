/** Namespaces with their labels and NetIDs. */
import type { Namespace, Platform, PluginMode } from '../model/cluster.js';
import { compare, type Inventory } from './inventory.js';
import type { Notes } from './notes.js';
import { toLabels } from './schema.js';

/** The first NetID that OpenShift hands out; 1..9 are reserved. Source: openshift/sdn pkg/network/common/netid.go. */
const FIRST_VNI = 10;
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Every namespace that is an object of its own, has a NetNamespace, or holds an object; `default` always. */
export function readNamespaces(
  inventory: Inventory,
  platform: Platform,
  mode: PluginMode,
  notes: Notes,
): Namespace[] {
  const { Namespace: objects, NetNamespace } = inventory.objects;
  const named = new Map(NetNamespace.map((entry) => [entry.value.netname || entry.name, entry.value.netid]));
  const labels = new Map(objects.map((entry) => [entry.name, toLabels(entry.value.metadata.labels)]));
  const names = [
    ...new Set([...labels.keys(), ...named.keys(), ...inventory.namespaceNames, 'default']),
  ].sort(compare);
  const vnis = mode === 'subnet' ? new Map<string, number>() : allocateVnis(names, named, notes);
  return names.map((name) => {
    const own = labels.get(name) ?? {};
    // The API server adds this label from Kubernetes 1.21 on; selectors by name rely on it.
    const full = platform === 'ocp3' || NAME_LABEL in own ? own : toLabels({ ...own, [NAME_LABEL]: name });
    return { name, labels: full, vni: vnis.get(name) ?? 0 };
  });
}

/** NetIDs as named, else `default` 0 and the others from 10 up in the order of their names. */
function allocateVnis(
  names: readonly string[],
  named: ReadonlyMap<string, number>,
  notes: Notes,
): Map<string, number> {
  const vnis = new Map(named);
  const taken = new Set(named.values());
  let next = FIRST_VNI;
  for (const name of names) {
    if (vnis.has(name)) continue;
    if (name === 'default') {
      vnis.set(name, 0);
      continue;
    }
    while (taken.has(next)) next++;
    vnis.set(name, next++);
    notes.count(
      `namespaces without a NetNamespace, given NetIDs from ${FIRST_VNI} up in the order of their names`,
    );
  }
  return vnis;
}
