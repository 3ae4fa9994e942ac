/** The whole compile: a cluster's model to one table set. The same cluster gives the same bytes. */
import { freezeTables, type TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import { EPOCH_ORDER, Epoch } from '../tables/epoch.js';
import { buildBridge } from './bridge.js';
import { buildDns } from './dns.js';
import { buildEgressIps } from './egress-ips.js';
import { buildFronts } from './fronts.js';
import { buildPlaces } from './nodes.js';
import { readPolicySet } from './policy.js';
import { buildPolicyTables } from './policy-tables.js';
import { buildServices } from './services.js';
import { Strings } from './strings.js';

/** Compile `cluster` into table set number `epoch`. */
export function compile(cluster: Cluster, epoch = 1): Epoch {
  const strings = new Strings();
  const places = buildPlaces(cluster, strings);
  const { services, slots, endpoints, runs } = buildServices(cluster, places, strings);
  const policies = readPolicySet(cluster, places.pod);
  const bridge = buildBridge(cluster, places, policies, strings);
  const flows = bridge.finish();
  const policyTables = buildPolicyTables(cluster, policies, bridge.policyRows, strings);
  const egressIps = buildEgressIps(cluster, strings);
  const builders = [
    ...places.builders,
    places.addresses,
    services,
    slots,
    endpoints,
    ...buildFronts(cluster, runs),
    ...flows,
    strings.index,
    strings.bytes,
    ...buildDns(cluster, epoch),
    ...policyTables,
    egressIps,
  ] as unknown as TableBuilder<never>[];
  // A table in the wrong place would only show when it is opened.
  EPOCH_ORDER.forEach((layout, i) => {
    if (builders[i]?.layout !== (layout as unknown)) throw new Error(`table ${i} is not ${layout.magic}`);
  });
  return new Epoch(freezeTables(builders, epoch));
}
