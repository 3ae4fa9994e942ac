/** The lists of recent clients that session affinity keeps: one for each node and endpoint of a Service's port.
 *
 *  lists    keys i32[5 * lists]: node, ClusterIP, port << 16 | protocol, endpoint's address, its port
 *           head, tail i32: the client heard of longest ago, and last; -1 for none    count i32
 *  clients  list i32 | client i32 | stampNs f64 | prev i32 | next i32, in the order of their list
 *  slots of both: row + 1, 0 is empty; linear probing, power-of-two, load <= 0.5; removal moves later ones back.
 *  All columns are live. A list holds LIST_MAX clients: one more takes the place of the one heard of longest ago.
 *  Source: Linux net/netfilter/xt_recent.c (ip_list_tot, recent_mt, recent_entry_reap). */
import type { StateBuffer } from '../layout/state-buffer.js';
import { MISS, mix32 } from './addresses.js';

const LIST_MAX = 100;
const KEY = 5;
const ROWS_AT_START = 64;

/** Says of a list whether it stays, by the words of its key. */
export type KeepsList = (
  node: number,
  ip: number,
  portProto: number,
  address: number,
  port: number,
) => boolean;

export class RecentLists {
  #keys = new Int32Array(ROWS_AT_START * KEY);
  #head = new Int32Array(ROWS_AT_START);
  #tail = new Int32Array(ROWS_AT_START);
  #count = new Int32Array(ROWS_AT_START);
  #listSlots = new Int32Array(ROWS_AT_START * 2);
  #lists = 0;

  #list = new Int32Array(ROWS_AT_START);
  #client = new Int32Array(ROWS_AT_START);
  #stampNs = new Float64Array(ROWS_AT_START);
  #prev = new Int32Array(ROWS_AT_START);
  #next = new Int32Array(ROWS_AT_START);
  #free = new Int32Array(ROWS_AT_START);
  #slots = new Int32Array(ROWS_AT_START * 2);
  #freeCount = 0;
  #fresh = 0;

  /** How many lists there are. */
  get lists(): number {
    return this.#lists;
  }

  /** The list of these five words, or MISS. */
  find(node: number, ip: number, portProto: number, address: number, port: number): number {
    const keys = this.#keys;
    const mask = this.#listSlots.length - 1;
    let slot = listHash(node, ip, portProto, address, port) & mask;
    for (;;) {
      const list = this.#listSlots[slot]! - 1;
      if (list < 0) return MISS;
      const k = list * KEY;
      const isPort = keys[k] === node && keys[k + 1] === (ip | 0) && keys[k + 2] === (portProto | 0);
      if (isPort && keys[k + 3] === (address | 0) && keys[k + 4] === port) return list;
      slot = (slot + 1) & mask;
    }
  }

  /** The same; an empty one where there was none. */
  open(node: number, ip: number, portProto: number, address: number, port: number): number {
    const known = this.find(node, ip, portProto, address, port);
    if (known >= 0) return known;
    if (this.#lists === this.#head.length) this.#growLists();
    const list = this.#lists++;
    const k = list * KEY;
    this.#keys[k] = node;
    this.#keys[k + 1] = ip;
    this.#keys[k + 2] = portProto;
    this.#keys[k + 3] = address;
    this.#keys[k + 4] = port;
    this.#head[list] = MISS;
    this.#tail[list] = MISS;
    this.#count[list] = 0;
    this.#linkList(list);
    return list;
  }

  /** `--rcheck --seconds --reap`: was the client noted at `sinceNs` or later? When it is in the list at all, the oldest
   *  entry of the list goes if it is from before that. */
  knows(list: number, client: number, sinceNs: number): boolean {
    const row = this.#findClient(list, client);
    if (row < 0) return false;
    const isRecent = this.#stampNs[row]! >= sinceNs;
    const oldest = this.#head[list]!;
    if (this.#stampNs[oldest]! < sinceNs) this.#remove(oldest);
    return isRecent;
  }

  /** `--set`: the client was here at `nowNs`. */
  note(list: number, client: number, nowNs: number): void {
    let row = this.#findClient(list, client);
    if (row >= 0) this.#takeOut(row);
    else {
      if (this.#count[list]! >= LIST_MAX) this.#remove(this.#head[list]!);
      row = this.#claim();
      this.#list[row] = list;
      this.#client[row] = client;
      this.#linkClient(row);
    }
    this.#stampNs[row] = nowNs;
    this.#append(row);
  }

  /** Keep the lists of which `keeps` says so, under the number that `nodeNow` gives their node. */
  retain(keeps: KeepsList, nodeNow: (node: number) => number): void {
    if (this.#lists === 0) return;
    const old = new RecentLists();
    old.#become(this);
    this.clear();
    for (let from = 0; from < old.#lists; from++) {
      const word = (i: number): number => old.#keys[from * KEY + i]! >>> 0;
      const now = nodeNow(word(0));
      if (now < 0 || !keeps(now, word(1), word(2), word(3), word(4))) continue;
      const to = this.open(now, word(1), word(2), word(3), word(4));
      for (let row = old.#head[from]!; row >= 0; row = old.#next[row]!)
        this.note(to, old.#client[row]!, old.#stampNs[row]!);
    }
  }

  /** Forget all lists. */
  clear(): void {
    this.#become(new RecentLists());
  }

  /** Copy everything that a later question depends on; the slots follow from the rows. */
  save(to: StateBuffer): void {
    for (const value of [this.#lists, this.#head.length, this.#fresh, this.#client.length])
      to.putNumber(value);
    to.putArray(this.#keys, this.#lists * KEY);
    for (const column of [this.#head, this.#tail, this.#count]) to.putArray(column, this.#lists);
    for (const column of [this.#list, this.#client, this.#stampNs, this.#prev, this.#next])
      to.putArray(column, this.#fresh);
    to.putArray(this.#free, this.#freeCount);
  }

  /** Become what save() copied. */
  restore(from: StateBuffer): void {
    const lists = from.takeNumber();
    const listRoom = from.takeNumber();
    const fresh = from.takeNumber();
    const room = from.takeNumber();
    this.clear();
    while (this.#head.length < listRoom) this.#growLists();
    while (this.#client.length < room) this.#growClients();
    this.#lists = lists;
    this.#fresh = fresh;
    from.takeArray(this.#keys);
    for (const column of [this.#head, this.#tail, this.#count]) from.takeArray(column);
    for (const column of [this.#list, this.#client, this.#stampNs, this.#prev, this.#next])
      from.takeArray(column);
    this.#freeCount = from.takeArray(this.#free);
    for (let list = 0; list < lists; list++) this.#linkList(list);
    for (let list = 0; list < lists; list++)
      for (let row = this.#head[list]!; row >= 0; row = this.#next[row]!) this.#linkClient(row);
  }

  #become(other: RecentLists): void {
    this.#keys = other.#keys;
    this.#head = other.#head;
    this.#tail = other.#tail;
    this.#count = other.#count;
    this.#listSlots = other.#listSlots;
    this.#lists = other.#lists;
    this.#list = other.#list;
    this.#client = other.#client;
    this.#stampNs = other.#stampNs;
    this.#prev = other.#prev;
    this.#next = other.#next;
    this.#free = other.#free;
    this.#slots = other.#slots;
    this.#freeCount = other.#freeCount;
    this.#fresh = other.#fresh;
  }

  #findClient(list: number, client: number): number {
    const mask = this.#slots.length - 1;
    let slot = clientHash(list, client) & mask;
    for (;;) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return MISS;
      if (this.#list[row] === list && this.#client[row] === client) return row;
      slot = (slot + 1) & mask;
    }
  }

  #claim(): number {
    if (this.#freeCount > 0) return this.#free[--this.#freeCount]!;
    if (this.#fresh === this.#client.length) this.#growClients();
    return this.#fresh++;
  }

  #append(row: number): void {
    const list = this.#list[row]!;
    const last = this.#tail[list]!;
    this.#prev[row] = last;
    this.#next[row] = MISS;
    if (last < 0) this.#head[list] = row;
    else this.#next[last] = row;
    this.#tail[list] = row;
    this.#count[list]!++;
  }

  #takeOut(row: number): void {
    const list = this.#list[row]!;
    const before = this.#prev[row]!;
    const after = this.#next[row]!;
    if (before < 0) this.#head[list] = after;
    else this.#next[before] = after;
    if (after < 0) this.#tail[list] = before;
    else this.#prev[after] = before;
    this.#count[list]!--;
  }

  #remove(row: number): void {
    this.#takeOut(row);
    this.#unlinkClient(row);
    this.#free[this.#freeCount++] = row;
  }

  #linkList(list: number): void {
    const keys = this.#keys;
    const mask = this.#listSlots.length - 1;
    const k = list * KEY;
    let slot = listHash(keys[k]!, keys[k + 1]!, keys[k + 2]!, keys[k + 3]!, keys[k + 4]!) & mask;
    while (this.#listSlots[slot] !== 0) slot = (slot + 1) & mask;
    this.#listSlots[slot] = list + 1;
  }

  #linkClient(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = clientHash(this.#list[row]!, this.#client[row]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #unlinkClient(row: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = clientHash(this.#list[row]!, this.#client[row]!) & mask;
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask;
    // Whoever stands behind the hole and belongs in front of it, or in it, moves up.
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const other = slots[at]! - 1;
      const home = clientHash(this.#list[other]!, this.#client[other]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = other + 1;
      hole = at;
    }
    slots[hole] = 0;
  }

  #growLists(): void {
    const size = this.#head.length * 2;
    this.#keys = grown(this.#keys, size * KEY);
    this.#head = grown(this.#head, size);
    this.#tail = grown(this.#tail, size);
    this.#count = grown(this.#count, size);
    this.#listSlots = new Int32Array(size * 2);
    for (let list = 0; list < this.#lists; list++) this.#linkList(list);
  }

  /** Called when no row is free: all are in a list. */
  #growClients(): void {
    const size = this.#client.length * 2;
    this.#list = grown(this.#list, size);
    this.#client = grown(this.#client, size);
    this.#prev = grown(this.#prev, size);
    this.#next = grown(this.#next, size);
    this.#free = grown(this.#free, size);
    const stamps = new Float64Array(size);
    stamps.set(this.#stampNs);
    this.#stampNs = stamps;
    this.#slots = new Int32Array(size * 2);
    for (let row = 0; row < this.#fresh; row++) this.#linkClient(row);
  }
}

const clientHash = (list: number, client: number): number => mix32(client ^ Math.imul(list + 1, 0x9e3779b1));

const listHash = (node: number, ip: number, portProto: number, address: number, port: number): number =>
  mix32(
    ip ^
      Math.imul(portProto, 0x9e3779b1) ^
      Math.imul(address, 0x27d4eb2f) ^
      Math.imul(port + (node << 16), 0x165667b1),
  );

function grown(from: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size);
  to.set(from);
  return to;
}
