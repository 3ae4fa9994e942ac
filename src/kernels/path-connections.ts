/** The short way's connections: are those that the path met still as they were, and what does the packet leave with
 *  them? Nothing has changed where the answer is no. */
import { PROTOCOL } from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { CONNECTION, senderAt, WINDOW, WINDOW_FLAG } from './connection-columns.js';
import {
  cameAgain,
  countRetransmission,
  isSameSegment,
  LAST_DIRECTION,
  metAgain,
  setLastKind,
} from './last-segment.js';
import { PATH, PATH_FLAG, repeatsAt } from './path-columns.js';
import {
  boundsBroken,
  EITHER_UNACKNOWLEDGED,
  highestSack,
  InWindow,
  isAfter,
  learnWindow,
  RETRANSMISSIONS_MAX,
  UNACKNOWLEDGED_NS,
  windowTimeoutNs,
} from './tcp-window.js';
import { receiverFlags, senderScale, turned } from './window-options.js';

const STATE_BITS = 0xff;
const ESTABLISHED = 3;
const SEGMENT_ACK = 3;
/** CT_FLAG bits where the marks have them. */
const SEEN_REPLY = 0x100;
const ASSURED = 0x200;
const KNOWN_BITS = STATE_BITS | SEEN_REPLY | ASSURED;
const OPEN = ESTABLISHED | SEEN_REPLY | ASSURED;
const ESTABLISHED_NS = 86_400e9;
const UDP_NS = 30e9;
const UDP_STREAM_NS = 120e9;
const ICMP_NS = 30e9;
/** Of options with the sender below. */
const RECEIVER_SACK = receiverFlags(WINDOW_FLAG.SACK_PERMITTED);

/** Let the connections of the path's row judge the segment at l4, which ends at `packetEnd`, and learn from it.
 *
 *  Those that one packet meets after another have mostly seen the same: where all windows are the first's, the segment is
 *  judged once and all learn the same. To meet it once more then counts as a retransmission and changes nothing else,
 *  unless it widens the window, which it does each time. The words are those of tcp-window's learnWindow, kept in
 *  variables because they go into several rows. */
export function meetTcp(
  p: DataView,
  paths: Int32Array,
  path: number,
  rows: Int32Array,
  times: Float64Array,
  l4: number,
  packetEnd: number,
  nowNs: number,
): boolean {
  const shape = paths[path + PATH.SHAPE]!;
  const touches = shape & 0xff;
  if (touches === 0) return true;
  const seq = p.getInt32(l4 + TCP.SEQ);
  const ack = p.getInt32(l4 + TCP.ACK);
  const window = p.getUint16(l4 + TCP.WINDOW);
  const header = (p.getUint8(l4 + TCP.OFFSET) >>> 4) << 2;
  const end = (seq + packetEnd - l4 - header) | 0;
  const data = ((end - seq) << 16) | window;
  const sacked = header === TCP.MIN_SIZE ? ack : highestSack(p, l4, ack);
  const firstTouch = paths[path + PATH.TOUCH]!;
  const direction = firstTouch & 1;
  const first = (firstTouch >> 1) * CONNECTION.ROW;
  let isOne = (shape & (PATH_FLAG.DISTINCT << 16)) !== 0;
  for (let k = 0; k < touches; k++) {
    const touch = paths[path + PATH.TOUCH + k]!;
    const row = (touch >> 1) * CONNECTION.ROW;
    if (rows[row + CONNECTION.BORN] !== paths[path + PATH.BORN + k]) return false;
    if (times[(row + CONNECTION.EXPIRES) >> 1]! <= nowNs) return false;
    if (!isOpen(rows[row + CONNECTION.MARKS]!, touch & 1)) return false;
    if (k > 0) isOne = isOne && ((touch ^ firstTouch) & 1) === 0 && isAlike(rows, row, first);
  }
  const side = direction * WINDOW.SIDE;
  const sender = first + WINDOW.SIDES + side;
  const receiver = first + WINDOW.SIDES + WINDOW.SIDE - side;
  let options = turned(rows[first + WINDOW.OPTIONS]!, direction);
  const sack = (options & RECEIVER_SACK) !== 0 ? sacked : ack;
  if (rows[sender + WINDOW.MAX_WINDOW] === 0) return false;
  const isTaken = boundsBroken(rows, sender, receiver, seq, end, sack) === InWindow.ACCEPT;
  const receiverWindow = rows[receiver + WINDOW.MAX_WINDOW]!;
  const isWidening = receiverWindow !== 0 && isAfter(end, rows[sender + WINDOW.MAX_END]!);
  if (!isTaken || !isOne || isWidening)
    return meetEach(paths, path, rows, times, seq, end, ack, sacked, window, data, nowNs);

  const scaled = window << senderScale(options);
  const wide = scaled + ((sack - ack) >>> 0);
  const oldWindow = rows[sender + WINDOW.MAX_WINDOW]!;
  const senderWindow = oldWindow >>> 0 < wide ? wide | 0 : oldWindow;
  const oldEnd = rows[sender + WINDOW.END]!;
  const isNew = isAfter(end, oldEnd);
  const senderEnd = isNew ? end : oldEnd;
  const oldAck = rows[sender + WINDOW.MAX_ACK]!;
  const isAckNew = (options & WINDOW_FLAG.MAX_ACK_SET) === 0 || isAfter(ack, oldAck);
  const senderAck = isAckNew ? ack : oldAck;
  const edge = (sack + scaled) | 0;
  const oldMaxEnd = rows[receiver + WINDOW.MAX_END]!;
  const nextMaxEnd = scaled === 0 ? (edge + 1) | 0 : edge;
  const receiverMaxEnd = isAfter(edge, (oldMaxEnd - 1) | 0) ? nextMaxEnd : oldMaxEnd;
  options |= WINDOW_FLAG.MAX_ACK_SET | (isNew ? WINDOW_FLAG.UNACKNOWLEDGED : 0);
  if (ack === rows[receiver + WINDOW.END]) options &= ~receiverFlags(WINDOW_FLAG.UNACKNOWLEDGED);
  const isAgain = isSameSegment(rows, first, direction, seq, ack, data);
  const asKept = turned(options, direction);
  // As windowTimeoutNs; what follows from words that all rows get is asked once.
  const isShortened = (options & EITHER_UNACKNOWLEDGED) !== 0 || window === 0;
  for (let k = 0; k < touches; k++) {
    const row = (paths[path + PATH.TOUCH + k]! >> 1) * CONNECTION.ROW;
    const from = row + WINDOW.SIDES + side;
    const to = row + WINDOW.SIDES + WINDOW.SIDE - side;
    rows[from + WINDOW.END] = senderEnd;
    rows[from + WINDOW.MAX_WINDOW] = senderWindow;
    rows[from + WINDOW.MAX_ACK] = senderAck;
    rows[to + WINDOW.MAX_END] = receiverMaxEnd;
    rows[row + WINDOW.LAST_SEQ] = seq;
    rows[row + WINDOW.LAST_ACK] = ack;
    rows[row + WINDOW.LAST_DATA] = data;
    rows[row + WINDOW.OPTIONS] = asKept;
    const before = rows[row + CONNECTION.MARKS]!;
    const marks = metAgain(before, direction, isAgain, (shape >>> repeatsAt(k)) & 3, SEGMENT_ACK);
    rows[row + CONNECTION.MARKS] = marks;
    const isShort = isShortened || cameAgain(marks) >= RETRANSMISSIONS_MAX || (marks & SEEN_REPLY) === 0;
    times[(row + CONNECTION.EXPIRES) >> 1] = nowNs + (isShort ? UNACKNOWLEDGED_NS : ESTABLISHED_NS);
  }
  return true;
}

/** The same for connections of any kind that are there and open: judge the segment on every one first, then let each learn
 *  in turn. */
function meetEach(
  paths: Int32Array,
  path: number,
  rows: Int32Array,
  times: Float64Array,
  seq: number,
  end: number,
  ack: number,
  sacked: number,
  window: number,
  data: number,
  nowNs: number,
): boolean {
  const shape = paths[path + PATH.SHAPE]!;
  const touches = shape & 0xff;
  let liberal = 0;
  for (let k = 0; k < touches; k++) {
    const touch = paths[path + PATH.TOUCH + k]!;
    const row = (touch >> 1) * CONNECTION.ROW;
    const [sender, receiver] = [senderAt(touch), senderAt(touch ^ 1)];
    if (rows[sender + WINDOW.MAX_WINDOW] === 0) return false;
    const options = turned(rows[row + WINDOW.OPTIONS]!, touch & 1);
    const sack = (options & RECEIVER_SACK) !== 0 ? sacked : ack;
    if (boundsBroken(rows, sender, receiver, seq, end, sack) === InWindow.ACCEPT) continue;
    // A connection picked up in the middle takes the segment all the same, and learns nothing from it.
    if ((options & WINDOW_FLAG.LIBERAL) === 0) return false;
    liberal |= 1 << k;
  }
  for (let k = 0; k < touches; k++) {
    const touch = paths[path + PATH.TOUCH + k]!;
    const row = (touch >> 1) * CONNECTION.ROW;
    const isLiberal = (liberal & (1 << k)) !== 0;
    for (let more = isLiberal ? 0 : 1 + ((shape >>> repeatsAt(k)) & 3); more > 0; more--) {
      const options = turned(rows[row + WINDOW.OPTIONS]!, touch & 1);
      const sack = (options & RECEIVER_SACK) !== 0 ? sacked : ack;
      learnWindow(rows, row, touch & 1, end, ack, sack, window << senderScale(options), true);
      countRetransmission(rows, row, touch & 1, seq, ack, data);
    }
    setLastKind(rows, row, SEGMENT_ACK);
    const isAnswered = (rows[row + CONNECTION.MARKS]! & SEEN_REPLY) !== 0;
    const usual = isAnswered ? ESTABLISHED_NS : UNACKNOWLEDGED_NS;
    times[(row + CONNECTION.EXPIRES) >> 1] = nowNs + windowTimeoutNs(rows, row, true, usual);
  }
  return true;
}

/** Established, and nothing that this packet changes: the first reply changes what conntrack knows, and so does the
 *  packet that makes a connection assured; the long way sees to them. */
function isOpen(marks: number, direction: number): boolean {
  if ((marks & KNOWN_BITS) === OPEN) return true;
  return (marks & STATE_BITS) === ESTABLISHED && (marks & SEEN_REPLY) === 0 && direction === 0;
}

/** Have both rows the same windows, and the same last segment? Written out, as the compiler does not unroll loops. */
function isAlike(rows: Int32Array, one: number, other: number): boolean {
  const a = one + WINDOW.SIDES;
  const b = other + WINDOW.SIDES;
  const marks = (rows[one + CONNECTION.MARKS]! ^ rows[other + CONNECTION.MARKS]!) & LAST_DIRECTION;
  const original =
    (rows[a]! ^ rows[b]!) |
    (rows[a + 1]! ^ rows[b + 1]!) |
    (rows[a + 2]! ^ rows[b + 2]!) |
    (rows[a + 3]! ^ rows[b + 3]!);
  const reply =
    (rows[a + 4]! ^ rows[b + 4]!) |
    (rows[a + 5]! ^ rows[b + 5]!) |
    (rows[a + 6]! ^ rows[b + 6]!) |
    (rows[a + 7]! ^ rows[b + 7]!);
  const last =
    (rows[a + 8]! ^ rows[b + 8]!) |
    (rows[a + 9]! ^ rows[b + 9]!) |
    (rows[a + 10]! ^ rows[b + 10]!) |
    (rows[a + 11]! ^ rows[b + 11]!);
  return (marks | original | reply | last) === 0;
}

/** UDP and echo: only the timeout moves. */
export function refresh(
  paths: Int32Array,
  path: number,
  connections: Int32Array,
  times: Float64Array,
  protocol: number,
  nowNs: number,
): boolean {
  const touches = paths[path + PATH.SHAPE]! & 0xff;
  for (let k = 0; k < touches; k++) {
    const touch = paths[path + PATH.TOUCH + k]!;
    const row = (touch >> 1) * CONNECTION.ROW;
    if (connections[row + CONNECTION.BORN] !== paths[path + PATH.BORN + k]) return false;
    if (times[(row + CONNECTION.EXPIRES) >> 1]! <= nowNs) return false;
    if ((touch & 1) === 1 && (connections[row + CONNECTION.MARKS]! & SEEN_REPLY) === 0) return false;
  }
  for (let k = 0; k < touches; k++) {
    const row = (paths[path + PATH.TOUCH + k]! >> 1) * CONNECTION.ROW;
    const hasReply = (connections[row + CONNECTION.MARKS]! & SEEN_REPLY) !== 0;
    const isStream = hasReply && nowNs > times[(row + CONNECTION.STREAM) >> 1]!;
    if (isStream && protocol === PROTOCOL.UDP) connections[row + CONNECTION.MARKS]! |= ASSURED;
    const timeoutNs = protocol === PROTOCOL.ICMP ? ICMP_NS : isStream ? UDP_STREAM_NS : UDP_NS;
    times[(row + CONNECTION.EXPIRES) >> 1] = nowNs + timeoutNs;
  }
  return true;
}
