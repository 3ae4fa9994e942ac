/** The typed door to the dns-packet package, which judges our DNS messages. */
import { createRequire } from 'node:module';

export interface JudgedRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly data?: unknown;
  readonly udpPayloadSize?: number;
  readonly extendedRcode?: number;
  readonly flag_do?: boolean;
  readonly options?: readonly unknown[];
}

export interface JudgedMessage {
  readonly id: number;
  readonly type: 'query' | 'response';
  readonly opcode: string;
  readonly rcode: string;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
  readonly flag_rd: boolean;
  readonly flag_ra: boolean;
  readonly flag_cd: boolean;
  readonly questions: readonly { readonly name: string; readonly type: string; readonly class: string }[];
  readonly answers: readonly JudgedRecord[];
  readonly authorities: readonly JudgedRecord[];
  readonly additionals: readonly JudgedRecord[];
}

interface DnsPacket {
  encode(message: object): Uint8Array;
  decode(message: Uint8Array): JudgedMessage;
}

const judge = createRequire(import.meta.url)('dns-packet') as DnsPacket;

/** Bytes of a message as dns-packet writes it. */
export const encodeJudged = (message: object): Uint8Array => Uint8Array.from(judge.encode(message));

/** A message as dns-packet reads it; it wants a Buffer. */
export const decodeJudged = (message: Uint8Array): JudgedMessage => judge.decode(Buffer.from(message));

/** RD in a query for dns-packet. */
export const RECURSION_DESIRED = 0x0100;
