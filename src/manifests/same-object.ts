/** Tells objects that differ in nothing that is read: heartbeats of nodes, new resource versions, the status of what plays no part. */
import { isMapping, type Mapping, type ReadObject } from './object-reader.js';

/** Fields of metadata that are the API server's alone. */
const BOOKKEEPING: readonly string[] = ['resourceVersion', 'managedFields', 'generation'];

/** Do both objects, of one kind and name, give the same model? `isExpanded`: owners' pods are made. False when that is not
 *  certain. */
export function isSameToModel(before: ReadObject, after: ReadObject, isExpanded: boolean): boolean {
  if (before.kind !== after.kind || before.object.apiVersion !== after.object.apiVersion) return false;
  if (before.kind === null || (before.kind === 'Owner' && !isExpanded)) return true;
  return essence(before) === essence(after);
}

function essence({ kind, object }: ReadObject): string {
  const value = object.value as Mapping;
  const metadata = Object.entries(asMapping(value['metadata'])).filter(([key]) => !BOOKKEEPING.includes(key));
  const rest = kind === 'Node' ? { ...value, status: nodeStatus(asMapping(value['status'])) } : value;
  return JSON.stringify({ ...rest, metadata: Object.fromEntries(metadata) });
}

/** A kubelet tells every some seconds that it is there, and which images it has. */
function nodeStatus({ addresses, nodeInfo }: Mapping): Mapping {
  return { addresses, version: asMapping(nodeInfo)['kubeletVersion'] };
}

const asMapping = (value: unknown): Mapping => (isMapping(value) ? value : {});
