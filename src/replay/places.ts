/** `--at FILE[#INTERFACE]=PLACE`: says where the packets of a capture's interface enter. */
import type { Epoch } from '../tables/epoch.js';
import { PORT_KIND } from '../tables/nodes.js';
import { InputError } from '../verdict/input-error.js';
import type { TraceSource } from './trace-merge.js';

export interface PlaceRule {
  readonly file: string;
  /** Name or number of the interface; empty for all. */
  readonly interfaceName: string;
  /** Name of a port. */
  readonly place: string;
}

/** Parse one `--at`. PLACE is the name of a port: pod:web/pod-1, node1:eth0, node1:tun0.
 *  @throws InputError when there is no such port. */
export function parsePlace(text: string, epoch: Epoch): PlaceRule {
  const equals = text.lastIndexOf('=');
  const [source, place] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
  if (equals < 1) throw badPlace(text, 'FILE=PLACE or FILE#INTERFACE=PLACE');
  if (portNamed(epoch, place) < 0)
    throw badPlace(place, 'pod:NAMESPACE/NAME, NODE:eth0 or NODE:tun0 of this cluster');
  const hash = source.lastIndexOf('#');
  return hash < 1
    ? { file: source, interfaceName: '', place }
    : { file: source.slice(0, hash), interfaceName: source.slice(hash + 1), place };
}

/** Port row that the rules give to a source; -1 when they give none, or it is not there any more. The last rule that fits wins. */
export function placeOf(rules: readonly PlaceRule[], source: TraceSource, epoch: Epoch): number {
  let place: string | null = null;
  for (const rule of rules) {
    const { name, id } = source.facts;
    const isInterface =
      rule.interfaceName === '' || rule.interfaceName === name || rule.interfaceName === String(id);
    if (rule.file === source.file && isInterface) place = rule.place;
  }
  return place === null ? -1 : portNamed(epoch, place);
}

/** Does a packet that would enter at `natural` belong to the place `port`? At a pod or tun0 that is what they send
 *  themselves; at a NIC all that arrives from the network, whoever sent it. */
export function belongsTo(epoch: Epoch, port: number, natural: number): boolean {
  const { ports } = epoch.tables;
  if (natural === port) return true;
  return ports.kind[port] === PORT_KIND.NIC && (natural < 0 || ports.node[natural] !== ports.node[port]);
}

function portNamed(epoch: Epoch, name: string): number {
  const { ports } = epoch.tables;
  for (let row = 0; row < ports.rows; row++) if (epoch.text(ports.name[row]!) === name) return row;
  return -1;
}

const badPlace = (found: string, wanted: string): InputError =>
  new InputError([{ file: '--at', at: null, subject: '', field: '', found: `"${found}"`, wanted }]);
