/** A table set: all tables of a compiled cluster in one shared buffer, with the number of the set. */
import {
  epochInside,
  holdEpoch,
  isLive,
  openTables,
  releaseEpoch,
  sealedCopy,
} from '../layout/epoch-buffer.js';
import { LayoutError, type TableOf } from '../layout/layout.js';
import { ADDRESS_TABLE } from './addresses.js';
import { DNS_NAMES, DNS_ORDER, type DnsTables, openDns } from './dns-table.js';
import { EGRESS_IP_TABLE, type EgressIps } from './egress-ips.js';
import {
  FLOW_ACTION,
  FLOW_FIELD,
  FLOW_RULE,
  FLOW_SLOTS,
  FLOW_SUBTABLE,
  FLOW_TABLE,
  FLOW_VALUE,
  type FlowTables,
} from './flows.js';
import { FRONT_SLOTS, FRONT_TABLE, RANGE_TABLE } from './fronts.js';
import {
  CONFIG_TABLE,
  LISTEN_TABLE,
  NAMESPACE_TABLE,
  NETWORK_TABLE,
  NODE_TABLE,
  OFPORT_TABLE,
  POD_TABLE,
  PORT_TABLE,
} from './nodes.js';
import { openPolicies, POLICY_ORDER, POLICY_PODS } from './policies.js';
import { ENDPOINT_TABLE, SERVICE_SLOTS, SERVICE_TABLE } from './services.js';
import { readString, STRING_BYTES, STRING_INDEX } from './strings.js';

/** The order in which tables lie in the buffer. */
export const EPOCH_ORDER = [
  CONFIG_TABLE,
  NETWORK_TABLE,
  NODE_TABLE,
  POD_TABLE,
  OFPORT_TABLE,
  LISTEN_TABLE,
  PORT_TABLE,
  NAMESPACE_TABLE,
  ADDRESS_TABLE,
  SERVICE_TABLE,
  SERVICE_SLOTS,
  ENDPOINT_TABLE,
  FRONT_TABLE,
  FRONT_SLOTS,
  RANGE_TABLE,
  FLOW_TABLE,
  FLOW_SUBTABLE,
  FLOW_FIELD,
  FLOW_RULE,
  FLOW_VALUE,
  FLOW_SLOTS,
  FLOW_ACTION,
  STRING_INDEX,
  STRING_BYTES,
  ...DNS_ORDER,
  ...POLICY_ORDER,
  EGRESS_IP_TABLE,
] as const;

/** Number of the first table of cluster DNS, and of the first of NetworkPolicies. */
export const FIRST_DNS_TABLE = EPOCH_ORDER.indexOf(DNS_NAMES);
const FIRST_POLICY_TABLE = EPOCH_ORDER.indexOf(POLICY_PODS);

/** Open views of one table set; what stages read. */
export interface Tables {
  readonly config: TableOf<typeof CONFIG_TABLE>;
  readonly networks: TableOf<typeof NETWORK_TABLE>;
  readonly nodes: TableOf<typeof NODE_TABLE>;
  readonly pods: TableOf<typeof POD_TABLE>;
  readonly ofports: TableOf<typeof OFPORT_TABLE>;
  readonly listen: TableOf<typeof LISTEN_TABLE>;
  readonly ports: TableOf<typeof PORT_TABLE>;
  readonly namespaces: TableOf<typeof NAMESPACE_TABLE>;
  readonly addresses: TableOf<typeof ADDRESS_TABLE>;
  readonly services: TableOf<typeof SERVICE_TABLE>;
  readonly serviceSlots: TableOf<typeof SERVICE_SLOTS>;
  readonly endpoints: TableOf<typeof ENDPOINT_TABLE>;
  readonly fronts: TableOf<typeof FRONT_TABLE>;
  readonly frontSlots: TableOf<typeof FRONT_SLOTS>;
  readonly ranges: TableOf<typeof RANGE_TABLE>;
  readonly flows: FlowTables;
  readonly egressIps: EgressIps;
  readonly dns: DnsTables;
}

/** Rows that differ between two table sets, where what they stand for differs. */
export interface RowChanges {
  /** Of Services: they are others', or none's, or have other endpoints. */
  readonly services: readonly number[];
  /** Of rules of br0: they are other rules', or none's. */
  readonly rules: readonly number[];
}

/** The table sets that grew out of one another by changes in place: rows of nodes and all that is not told of here stand for what
 *  they stood for, or for something new. */
export interface EpochHistory {
  /** What changed after set `from`, up to set `to`; null when that is not known any more. */
  changes(from: number, to: number): RowChanges | null;
}

export const joinChanges = (list: readonly RowChanges[]): RowChanges => ({
  services: [...new Set(list.flatMap(({ services }) => services))],
  rules: [...new Set(list.flatMap(({ rules }) => rules))],
});

/** What changed from one table set to another; null when anything may differ. */
export const changesBetween = (from: Epoch, to: Epoch): RowChanges | null =>
  from.history === null || from.history !== to.history ? null : from.history.changes(from.number, to.number);

/** A compiled cluster. The buffer may be handed to other threads or saved as it is.
 *
 *  A live one, which a small change made of the one before, is overwritten some changes later unless somebody holds it:
 *  an engine does while it runs on it. */
export class Epoch {
  readonly number: number;
  readonly tables: Tables;
  readonly #strings: TableOf<typeof STRING_INDEX>;
  readonly #bytes: TableOf<typeof STRING_BYTES>;

  /** @throws LayoutError when the buffer is no table set of this build: magic, version, size or checksum. */
  constructor(
    readonly buffer: SharedArrayBuffer,
    /** Of a live table set: where it comes from. */
    readonly history: EpochHistory | null = null,
  ) {
    const { epoch, open } = openTables(buffer);
    this.number = epoch;
    let i = 0;
    const places = {
      config: open(i++, CONFIG_TABLE),
      networks: open(i++, NETWORK_TABLE),
      nodes: open(i++, NODE_TABLE),
      pods: open(i++, POD_TABLE),
      ofports: open(i++, OFPORT_TABLE),
      listen: open(i++, LISTEN_TABLE),
      ports: open(i++, PORT_TABLE),
      namespaces: open(i++, NAMESPACE_TABLE),
      addresses: open(i++, ADDRESS_TABLE),
    };
    this.tables = {
      ...places,
      services: open(i++, SERVICE_TABLE),
      serviceSlots: open(i++, SERVICE_SLOTS),
      endpoints: open(i++, ENDPOINT_TABLE),
      fronts: open(i++, FRONT_TABLE),
      frontSlots: open(i++, FRONT_SLOTS),
      ranges: open(i++, RANGE_TABLE),
      flows: {
        table: open(i++, FLOW_TABLE),
        subtable: open(i++, FLOW_SUBTABLE),
        field: open(i++, FLOW_FIELD),
        rule: open(i++, FLOW_RULE),
        value: open(i++, FLOW_VALUE),
        slots: open(i++, FLOW_SLOTS),
        action: open(i++, FLOW_ACTION),
        policies: openPolicies(open, FIRST_POLICY_TABLE, places.addresses, places.nodes),
      },
      dns: openDns(open, FIRST_DNS_TABLE),
      egressIps: open(EPOCH_ORDER.indexOf(EGRESS_IP_TABLE), EGRESS_IP_TABLE),
    };
    this.#strings = open(i++, STRING_INDEX);
    this.#bytes = open(i++, STRING_BYTES);
  }

  /** Keep a live table set from being overwritten, until release(): for whoever reads it beside an engine, or hands it to
   *  another thread.
   *  @throws RangeError when it has been overwritten. */
  hold(): void {
    if (!holdEpoch(this.buffer, this.number)) throw this.#overwritten();
  }

  /** Undo one hold(). */
  release(): void {
    releaseEpoch(this.buffer);
  }

  /** The table set as bytes, to be written to a file.
   *  @throws RangeError when it has been overwritten. */
  save(): Uint8Array {
    this.#checkCurrent();
    return sealedCopy(this.buffer);
  }

  /** Read a saved table set.
   *  @throws LayoutError as the constructor does. */
  static load(bytes: Uint8Array): Epoch {
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    if (bytes.length >= 64 && isLive(buffer))
      throw new LayoutError('epoch: saved while it was being changed');
    return new Epoch(buffer);
  }

  /** Text of string `id`; allocates, for reports only.
   *  @throws RangeError when the table set has been overwritten. */
  text(id: number): string {
    this.#checkCurrent();
    return readString(this.#strings, this.#bytes, id);
  }

  #checkCurrent(): void {
    if (epochInside(this.buffer) !== this.number) throw this.#overwritten();
  }

  #overwritten(): RangeError {
    return new RangeError(`table set ${this.number} has been overwritten by a later one: hold() keeps one`);
  }
}
