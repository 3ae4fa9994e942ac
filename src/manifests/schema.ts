/** The leaves that the schemas of all kinds share. Each schema's message is the "would do" of its error.
 *  Unknown fields pass, and null is as good as absent: Kubernetes decodes both to the default. */
import { BlockList, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseIpv4 } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';

export const text = z.string('text (in quotes, if it looks like a number or a boolean)');
export const truth = z.boolean('true or false');

/** A loose mapping. */
export const mapping = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape, 'a mapping');

export const listOf = <Item extends z.ZodType>(item: Item) => z.array(item, 'a list');

/** A whole number within bounds. */
export const whole = (least: number, most: number) => {
  const wanted = `a whole number from ${least} to ${most}`;
  return z
    .number(wanted)
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, wanted);
};

export const portNumber = whole(1, 65535);
export const count = whole(0, 0x7fffffff);

/** A port as IntOrString, from `least` up: a number, or the name of a container's port. */
export const portOrName = (least: 0 | 1) =>
  z.custom<number | string>((port) => {
    const number = typeof port === 'string' ? toPort(port) : port;
    if (typeof number === 'string') return true;
    return Number.isInteger(number) && Number(number) >= least && Number(number) <= 65535;
  }, 'a port number from 1 to 65535, or a port name');

/** `"8080"` is taken for the number that it looks like: no port name is all digits. */
export const toPort = (port: number | string): number | string =>
  typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;

const isAddress = (value: string): boolean => value === '' || parseIpv4(value) !== -1 || isIPv6(value);

/** An address of either family; the model keeps IPv4 alone. */
export const address = z
  .string('an IP address, such as 10.128.0.5')
  .refine(isAddress, 'an IP address, such as 10.128.0.5');

/** Unspecified, loopback, link-local: no other host's. Source: Kubernetes pkg/apis/core/validation ValidateNonSpecialIP. */
const isSpecialIpv4 = (address: number): boolean =>
  address === 0 || address >>> 24 === 127 || address >>> 16 === 0xa9fe || address >>> 8 === 0xe00000;
const specialIpv6 = new BlockList();
for (const [network, length] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff02::', 16],
  ['::ffff:0.0.0.0', 128],
  ['::ffff:127.0.0.0', 104],
  ['::ffff:169.254.0.0', 112],
  ['::ffff:224.0.0.0', 120],
] as const)
  specialIpv6.addSubnet(network, length, 'ipv6');

/** May a Service have the address as an external one, or as an endpoint? */
export function isUsualAddress(value: string): boolean {
  const ipv4 = parseIpv4(value);
  return ipv4 === -1 ? isIPv6(value) && !specialIpv6.check(value, 'ipv6') : !isSpecialIpv4(ipv4);
}

export const USUAL_ADDRESS = 'an IP address that is not unspecified, loopback or link-local';

export const usualAddress = z.string(USUAL_ADDRESS).refine(isUsualAddress, USUAL_ADDRESS);

/** An address, or `None` for a headless Service. */
export const clusterIp = z
  .string('an IP address, such as 172.30.0.10, or None')
  .refine((value) => value === 'None' || isAddress(value), 'an IP address, such as 172.30.0.10, or None');

/** A network of either family. */
export const network = z
  .string('a network, such as 10.128.0.0/23')
  .refine(
    (value) => value === '' || parsePrefix(value) !== null || isIpv6Prefix(value),
    'a network, such as 10.128.0.0/23',
  );

export const ipv4Address = z
  .string('an IPv4 address, such as 192.168.1.200')
  .refine((value) => parseIpv4(value) !== -1, 'an IPv4 address, such as 192.168.1.200');

export const ipv4Network = z
  .string('an IPv4 network, such as 10.128.0.0/23')
  .refine((value) => parsePrefix(value) !== null, 'an IPv4 network, such as 10.128.0.0/23');

const isIpv6Prefix = (value: string): boolean => {
  const [base = '', length = '', ...rest] = value.split('/');
  return rest.length === 0 && isIPv6(base) && /^\d{1,3}$/.test(length) && Number(length) <= 128;
};

export const protocol = z.enum(['TCP', 'UDP', 'SCTP', ''], 'TCP, UDP or SCTP');

export const labels = z.record(z.string(), text.nullable(), 'a mapping of names to text');

/** Labels as the model has them: a null value is the empty text that Kubernetes makes of it. */
export const toLabels = (value: Record<string, string | null> | null | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(value ?? {})
      .map(([key, label]) => [key, label ?? ''] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

export const metadata = mapping({
  name: text.nullish(),
  generateName: text.nullish(),
  namespace: text.nullish(),
  uid: text.nullish(),
  labels: labels.nullish(),
  annotations: labels.nullish(),
  // Text in a file, a Date from a client library: only whether it is there counts.
  deletionTimestamp: z.unknown().optional(),
  ownerReferences: listOf(mapping({ kind: text.nullish(), name: text.nullish() })).nullish(),
});

export const selector = mapping({
  matchLabels: labels.nullish(),
  matchExpressions: listOf(
    mapping({
      key: text,
      operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'In, NotIn, Exists or DoesNotExist'),
      values: listOf(text).nullish(),
    }).refine(
      // Source: Kubernetes apimachinery ValidateLabelSelectorRequirement.
      ({ operator, values }) => /In$/.test(operator) === (values ?? []).length > 0,
      'values for In and NotIn, none for Exists and DoesNotExist',
    ),
  ).nullish(),
});
