/** The layout that the kernels of both back ends share, as the C header that the addon is built with: native/tables.h.
 *  Declared once, in TypeScript; scripts/layout-header.mjs writes the file. */
import { ETHERNET, ETHERTYPE } from '../wire/ethernet.js';
import { ICMP, ICMP_TYPE } from '../wire/icmp.js';
import { IPV4, IPV4_MF, IPV4_OFFSET_MASK, PROTOCOL } from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { CONNECTION, WINDOW, WINDOW_FLAG } from './connection-columns.js';
import { LOOKUP, SLOT } from './conntrack-lookup.js';
import { MARKS } from './last-segment.js';
import { FLOOR } from './memory-floor.js';
import { PATH, PATH_FLAG, REPEATS_AT, TOUCHES_MAX } from './path-columns.js';
import { LATEST } from './short-path.js';
import { OPTIONS } from './window-options.js';

interface Group {
  /** What the numbers are, and where they are declared. */
  readonly about: string;
  readonly type: 'int32_t' | 'size_t' | 'uint8_t' | 'uint32_t';
  /** In front of each name. */
  readonly prefix: string;
  readonly numbers: Readonly<Record<string, number>>;
  /** Flags and masks are written in hexadecimal. */
  readonly isBits?: boolean;
}

const GROUPS: readonly Group[] = [
  { about: 'Slots and answers of a lookup: conntrack-lookup.ts', type: 'int32_t', prefix: '', numbers: SLOT },
  {
    about: 'Words of a tuple, and of a row that a lookup finds',
    type: 'size_t',
    prefix: '',
    numbers: LOOKUP,
  },
  {
    about: 'Frames: src/wire',
    type: 'size_t',
    prefix: '',
    numbers: {
      ...{ ETHERNET_SIZE: ETHERNET.SIZE, ETHER_TYPE_AT: ETHERNET.TYPE, IPV4_MIN_SIZE: IPV4.MIN_SIZE },
      ...{ PORTS_SIZE: UDP.LENGTH, TCP_MIN_SIZE: TCP.MIN_SIZE, UDP_SIZE: UDP.SIZE },
      ...{ ICMP_SIZE: ICMP.SIZE, ICMP_ECHO_SIZE: ICMP.SIZE },
    },
  },
  {
    about: 'Values in their headers',
    type: 'uint32_t',
    prefix: '',
    numbers: { ETHER_TYPE_IPV4: ETHERTYPE.IPV4, FRAGMENT_MASK: IPV4_MF | IPV4_OFFSET_MASK },
    isBits: true,
  },
  { about: 'Protocols', type: 'uint8_t', prefix: '', numbers: PROTOCOL },
  {
    about: 'Types of ICMP',
    type: 'uint8_t',
    prefix: 'ICMP_',
    numbers: { ECHO_REPLY: ICMP_TYPE.ECHO_REPLY, ECHO: ICMP_TYPE.ECHO },
  },
  { about: 'A row of the path cache: path-columns.ts', type: 'size_t', prefix: 'PATH_', numbers: PATH },
  {
    about: 'Its shape: where repeats begin, two bits a touch; touches; flags',
    type: 'uint32_t',
    prefix: '',
    numbers: { PATH_REPEATS_AT: REPEATS_AT, TOUCHES_MAX },
  },
  { about: '', type: 'uint32_t', prefix: 'PATH_FLAG_', numbers: PATH_FLAG, isBits: true },
  {
    about: 'A row of conntrack: connection-columns.ts',
    type: 'size_t',
    prefix: 'CONNECTION_',
    numbers: CONNECTION,
  },
  { about: "TCP's windows in it", type: 'size_t', prefix: 'WINDOW_', numbers: WINDOW },
  { about: '', type: 'uint32_t', prefix: 'WINDOW_FLAG_', numbers: WINDOW_FLAG, isBits: true },
  {
    about: "The options' word of a window: window-options.ts",
    type: 'uint32_t',
    prefix: 'OPTIONS_',
    numbers: OPTIONS,
  },
  {
    about: 'The upper half of the marks: last-segment.ts',
    type: 'uint32_t',
    prefix: 'MARKS_',
    numbers: MARKS,
  },
  { about: "The short way's counts: short-path.ts", type: 'size_t', prefix: '', numbers: { LATEST } },
  { about: "The bench's memory floor: memory-floor.ts", type: 'size_t', prefix: 'FLOOR_', numbers: FLOOR },
];

/** native/tables.h. `version`: LAYOUT_VERSION of scripts/addon-load.cjs. */
export function layoutHeader(version: number): string {
  const groups = GROUPS.map(({ about, type, prefix, numbers, isBits }) => {
    const lines = Object.entries(numbers).map(([name, value]) => {
      const text = isBits === true ? `0x${value.toString(16)}` : `${value}`;
      return `constexpr ${type} ${constant(prefix + name)} = ${text};`;
    });
    return [...(about === '' ? [] : ['', `// ${about}.`]), ...lines].join('\n');
  });
  return `// The layout that the kernels share with TypeScript. Written by scripts/layout-header.mjs from src/kernels: not to be edited.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podplane {

// LAYOUT_VERSION of scripts/addon-load.cjs: an addon of another one is refused.
constexpr int32_t kLayoutVersion = ${version};
${groups.join('\n')}

}  // namespace podplane
`;
}

/** PATH_ASK_MAC: kPathAskMac. */
const constant = (name: string): string =>
  `k${name.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
