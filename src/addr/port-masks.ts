/** Ranges of ports as OpenFlow matches them: value and mask. */

/** Split an inclusive range of ports into value and mask (openshift/sdn pkg/util/ranges). */
export function portMasks(first: number, last: number): readonly (readonly [value: number, mask: number])[] {
  const masks: (readonly [number, number])[] = [];
  let port = first;
  while (port <= last) {
    let size = port === 0 ? 0x10000 : port & -port;
    while (port + size - 1 > last) size >>= 1;
    masks.push([port, 0x10000 - size]);
    port += size;
  }
  return masks;
}
