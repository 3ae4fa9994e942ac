/** Tables in a buffer: where columns lie, what is refused, and that rows come back as they were added. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freezeTables, TableBuilder } from '../../src/layout/builder.js';
import { openTables } from '../../src/layout/epoch-buffer.js';
import {
  createTable,
  LayoutError,
  layout,
  openTable,
  TABLE_HEADER_SIZE,
  tableSize,
} from '../../src/layout/layout.js';

const SAMPLE = layout('SMP1', { time: 'f64', a: 'u32', b: 'i32', c: 'u16', d: 'u8' });

test('every column begins at a multiple of 8, widest first, behind a header of 64', () => {
  const buffer = new ArrayBuffer(tableSize(SAMPLE, 3));
  const table = createTable(SAMPLE, buffer, 0, 3, 3, 1);
  assert.equal(table.time.byteOffset, TABLE_HEADER_SIZE);
  assert.equal(table.a.byteOffset, 64 + 24);
  assert.equal(table.b.byteOffset, 64 + 24 + 16);
  assert.equal(table.c.byteOffset, 64 + 24 + 32);
  assert.equal(table.d.byteOffset, 64 + 24 + 40);
  assert.equal(buffer.byteLength, 64 + 24 + 48);
});

test('the header, octet by octet, little-endian', () => {
  const buffer = new ArrayBuffer(tableSize(SAMPLE, 2));
  createTable(SAMPLE, buffer, 0, 1, 2, 9);
  const view = new DataView(buffer);
  assert.equal(Buffer.from(buffer, 0, 4).toString('latin1'), 'SMP1');
  const words = [4, 8, 12, 16, 20].map((at) => view.getUint32(at, true));
  assert.deepEqual(words, [1, 1, 2, 9, buffer.byteLength]);
});

test('rows come back, at the edges of their types', () => {
  const builder = new TableBuilder(SAMPLE);
  builder.add({ time: 1.5, a: 0xffffffff, b: -1, c: 0xffff, d: 0xff });
  builder.add({ time: -0, a: 0, b: 0x7fffffff, c: 1, d: 2 });
  builder.set(1, 'd', 3);
  const { epoch, open } = openTables(freezeTables([builder], 5));
  const table = open(0, SAMPLE);
  assert.equal(epoch, 5);
  assert.deepEqual([table.rows, table.capacity], [2, 2]);
  assert.deepEqual([...table.a], [0xffffffff, 0]);
  assert.deepEqual([...table.b], [-1, 0x7fffffff]);
  assert.deepEqual([...table.c, ...table.d], [0xffff, 1, 0xff, 3]);
});

test('an empty table is a table', () => {
  const { open } = openTables(freezeTables([new TableBuilder(SAMPLE)], 1));
  assert.equal(open(0, SAMPLE).rows, 0);
});

test('what does not fit is a LayoutError', () => {
  const buffer = new ArrayBuffer(tableSize(SAMPLE, 3));
  createTable(SAMPLE, buffer, 0, 3, 3, 1);
  const view = new DataView(buffer);
  const other = layout('OTH1', { a: 'u32' });
  assert.throws(() => openTable(other, buffer, 0), LayoutError, 'another magic');
  assert.throws(() => openTable(SAMPLE, buffer, 4), LayoutError, 'not aligned');
  assert.throws(() => openTable(SAMPLE, buffer.slice(0, 100), 0), LayoutError, 'cut');
  view.setUint32(8, 4, true);
  assert.throws(() => openTable(SAMPLE, buffer, 0), LayoutError, 'more rows than room');
  view.setUint32(8, 3, true);
  view.setUint32(4, 2, true);
  assert.throws(() => openTable(SAMPLE, buffer, 0), LayoutError, 'another version');
});

test('a table beyond the directory is a LayoutError', () => {
  const { open } = openTables(freezeTables([new TableBuilder(SAMPLE)], 1));
  assert.throws(() => open(1, SAMPLE), LayoutError);
});
