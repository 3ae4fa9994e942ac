/** Questions about a name in wire form that no single row answers: is it in the zone, does it spell a pod's address. */
import { DnsKind, DnsPodMode, type DnsTables, lookupDnsName, sameDnsName } from '../../tables/dns-table.js';

const MISS = -1;
const DASH = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const DOTTED_PARTS = 4;
/** `pod` in wire form. */
const POD_LABEL = Uint8Array.of(3, 112, 111, 100);
/** Labels that may stand before the zone: two more than address, namespace and `pod`, as for a port and a
 *  protocol; the server looks at neither (plugin/kubernetes parse.go, findPods). */
const LABELS_MAX = 5;

/** Offset at which the zone's own name begins in the name `bytes[at, at + size)`; -1 when it is not in the zone. */
export function dnsZoneAt(tables: DnsTables, bytes: Uint8Array, at: number, size: number): number {
  const zoneSize = tables.zone.nameSize[0]!;
  const zoneAt = at + size - zoneSize;
  let label = at;
  while (label < zoneAt) label += bytes[label]! + 1;
  // Only a label's beginning counts: xcluster.local is another zone.
  if (label !== zoneAt) return MISS;
  return sameDnsName(tables.bytes.octet, tables.zone.nameAt[0]!, bytes, zoneAt, zoneSize) ? zoneAt : MISS;
}

/** Address that a name of the form a-b-c-d.ns.pod.ZONE spells, u32; -1 when it is of another form, when the
 *  namespace does not exist, or when the mode is off. No such pod need exist. */
export function podAddress(tables: DnsTables, bytes: Uint8Array, at: number, zoneAt: number): number {
  if (tables.zone.podMode[0] !== DnsPodMode.Insecure) return MISS;
  let labels = 0;
  let pod = MISS;
  let namespace = MISS;
  let address = MISS;
  for (let label = at; label < zoneAt; label += bytes[label]! + 1) {
    address = namespace;
    namespace = pod;
    pod = label;
    labels++;
  }
  if (address < 0 || labels > LABELS_MAX) return MISS;
  if (!sameDnsName(POD_LABEL, 0, bytes, pod, POD_LABEL.length)) return MISS;
  const end = zoneAt + tables.zone.nameSize[0]!;
  const row = lookupDnsName(tables.names, tables.bytes.octet, bytes, namespace, end - namespace);
  if (row < 0 || tables.names.kind[row] !== DnsKind.Empty) return MISS;
  return dashedAddress(bytes, address + 1, namespace);
}

/** a-b-c-d in `bytes[at, end)` to a u32, or -1; a leading zero is refused, as Go's net.ParseIP does. */
function dashedAddress(bytes: Uint8Array, at: number, end: number): number {
  let address = 0;
  let parts = 0;
  let part = 0;
  let digits = 0;
  for (let i = at; i <= end; i++) {
    const octet = i === end ? DASH : bytes[i]!;
    if (octet === DASH) {
      if (digits === 0 || part > 255) return MISS;
      address = address * 256 + part;
      parts++;
      part = 0;
      digits = 0;
    } else {
      if (octet < ZERO || octet > NINE || (digits > 0 && part === 0) || digits === 3) return MISS;
      part = part * 10 + octet - ZERO;
      digits++;
    }
  }
  return parts === DOTTED_PARTS ? address : MISS;
}
