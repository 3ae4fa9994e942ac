/** Reads one line of `podplane probe`. */
import { PACKET_PROTOCOLS, type PacketProtocol } from './target.js';

export interface Probe {
  /** Given back as it came. */
  readonly id?: unknown;
  readonly from: string;
  readonly to: string;
  readonly proto: PacketProtocol | undefined;
  /** A number or a name as text; '' when the line has none. */
  readonly port: string;
  readonly sport: number | undefined;
  readonly fresh: boolean;
}

/** What is wrong with a line: the field, what was found and what would do. */
export interface ProbeError {
  readonly id?: unknown;
  readonly error: string;
}

export function readProbe(line: string): Probe | ProbeError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { error: `no JSON: ${(error as Error).message}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { error: 'a JSON object is wanted: {"from":"pod:web/pod-1","to":"svc:web/jws-app:8080"}' };
  const fields = value as Readonly<Record<string, unknown>>;
  const id = 'id' in fields ? { id: fields['id'] } : {};
  const wrong = firstWrong(fields);
  if (wrong !== null) return { ...id, error: wrong };
  const { from, to, proto, port, sport, fresh } = fields;
  return {
    ...id,
    from: from as string,
    to: to as string,
    proto: isGiven(proto) ? ((proto as string).toLowerCase() as PacketProtocol) : undefined,
    port: isGiven(port) ? String(port) : '',
    sport: isGiven(sport) ? (sport as number) : undefined,
    fresh: fresh === true,
  };
}

/** null counts as not given, as JSON writers mean it. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const isPort = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 65_536;

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';

const CHECKS: readonly [field: string, isRight: (value: unknown) => boolean, wanted: string][] = [
  ['from', isName, 'a reference such as pod:web/pod-1'],
  ['to', isName, 'a reference such as svc:web/jws-app:8080'],
  [
    'proto',
    (value) =>
      !isGiven(value) ||
      (typeof value === 'string' && PACKET_PROTOCOLS.some((known) => known === value.toLowerCase())),
    'tcp, udp or icmp',
  ],
  ['port', (value) => !isGiven(value) || isPort(value) || isName(value), "a port's number or name"],
  ['sport', (value) => !isGiven(value) || isPort(value), 'a whole number from 0 to 65535'],
  ['fresh', (value) => !isGiven(value) || typeof value === 'boolean', 'true or false'],
];

function firstWrong(fields: Readonly<Record<string, unknown>>): string | null {
  for (const [field, isRight, wanted] of CHECKS) {
    const value = fields[field];
    if (!isRight(value))
      return `${field}: ${value === undefined ? 'missing' : JSON.stringify(value)}, would do: ${wanted}`;
  }
  return null;
}
