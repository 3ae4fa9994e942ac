/** Numbers of the pcapng format, shared by its reader and writer. Source: draft-ietf-opsawg-pcapng.
 *
 *  block             type(4) total length(4) body padded to 4 total length again(4)
 *  section header    byte-order magic(4) major(2) minor(2) section length(8) options
 *  interface         link type(2) reserved(2) snap length(4) options
 *  enhanced packet   interface(4) timestamp high(4) low(4) captured(4) original(4) data padded to 4, options
 *  simple packet     original(4) data padded to 4
 *  obsolete packet   interface(2) drops(2) timestamp high(4) low(4) captured(4) original(4) data padded, options
 *  option            code(2) length(2) value padded to 4; code 0 ends the list
 */

export const BlockType = {
  SectionHeader: 0x0a0d0d0a,
  Interface: 1,
  ObsoletePacket: 2,
  SimplePacket: 3,
  EnhancedPacket: 6,
} as const;

/** Offsets count from the block's first byte. */
export const BLOCK = { TYPE: 0, LENGTH: 4, BODY: 8, MIN_SIZE: 12, TRAILER_SIZE: 4 } as const;
export const SECTION = { MAGIC: 8, MAJOR: 12, MINOR: 14, LENGTH: 16, OPTIONS: 24, MIN_SIZE: 28 } as const;
export const INTERFACE = { LINK_TYPE: 8, SNAP_LENGTH: 12, OPTIONS: 16, MIN_SIZE: 20 } as const;
/** The obsolete packet block differs only in its interface, which is the first 2 bytes. */
export const PACKET = {
  INTERFACE: 8,
  TS_HIGH: 12,
  TS_LOW: 16,
  CAPTURED: 20,
  ORIGINAL: 24,
  DATA: 28,
  MIN_SIZE: 32,
} as const;
export const SIMPLE = { ORIGINAL: 8, DATA: 12, MIN_SIZE: 16 } as const;
export const OPTION = { CODE: 0, LENGTH: 2, VALUE: 4 } as const;

export const OptionCode = {
  End: 0,
  Comment: 1,
  SectionHardware: 2,
  SectionOs: 3,
  SectionApplication: 4,
  InterfaceName: 2,
  InterfaceDescription: 3,
  InterfaceTsResolution: 9,
  InterfaceFcsLength: 13,
  InterfaceTsOffset: 14,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Microseconds, where an interface says nothing. */
export const TS_RESOLUTION_DEFAULT = 6;

export const padTo4 = (length: number): number => (length + 3) & ~3;
