/** A foreign judge of DNS replies: tshark reads them without a complaint. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { buildDns } from '../../src/compile/dns.js';
import { freezeTables, type TableBuilder } from '../../src/layout/builder.js';
import { openTables } from '../../src/layout/epoch-buffer.js';
import { answerDns } from '../../src/stages/dns/answer.js';
import { openDns } from '../../src/tables/dns-table.js';
import { DNS_TYPE, writeDnsQuery } from '../../src/wire/dns.js';
import { PROTOCOL, writeIpv4 } from '../../src/wire/ipv4.js';
import { fillUdpChecksum, writeUdp } from '../../src/wire/udp.js';
import { cluster, endpoint, service } from '../compile/dns-cluster.js';
import { needs } from '../support/needs.js';

const LINKTYPE_RAW = 101;
const CLIENT = 0x0a800005;
const SERVER = 0xac1e000a;
const many = Array.from({ length: 100 }, (_, i) => endpoint(formatIpv4(0x0a800102 + i)));
const model = cluster([
  service('app', { clusterIp: '172.30.10.20' }),
  service('many', { isHeadless: true, endpoints: [many] }),
  service('in', { type: 'ExternalName', externalName: 'app.web.svc.cluster.local' }),
]);
const builders = buildDns(model) as readonly unknown[] as readonly TableBuilder<never>[];
const tables = openDns(openTables(freezeTables(builders, 1)).open, 0);

/** One classic pcap record: an IPv4 datagram with the reply to a query for `name`. */
function record(name: string, type: number): Uint8Array {
  const bytes = new Uint8Array(4096);
  const p = new DataView(bytes.buffer);
  const asked = writeDnsQuery(p, 3000, 1, name, type);
  const length = answerDns(tables, p, bytes, 3000, 3000 + asked, 44);
  p.setUint32(8, length + 28);
  p.setUint32(12, length + 28);
  writeIpv4(p, 16, 0, length + 28, 1, 0, 64, PROTOCOL.UDP, SERVER, CLIENT);
  writeUdp(p, 36, 53, 40_000, length + 8);
  fillUdpChecksum(p, 36, 44 + length, SERVER, CLIENT);
  return bytes.slice(0, 44 + length);
}

test('tshark reads every reply, checksums included, and has no remark', needs('tshark'), () => {
  const header = new DataView(new ArrayBuffer(24));
  [0xa1b2c3d4, 0x00020004, 0, 0, 65_535, LINKTYPE_RAW].forEach((word, i) => {
    header.setUint32(i * 4, word);
  });
  const records = [
    record('app.web.svc.cluster.local', DNS_TYPE.A),
    record('many.web.svc.cluster.local', DNS_TYPE.A),
    record('in.web.svc.cluster.local', DNS_TYPE.A),
    record('gone.web.svc.cluster.local', DNS_TYPE.A),
    record('dns-version.cluster.local', DNS_TYPE.TXT),
    record('example.com', DNS_TYPE.A),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'podplane-dns-'));
  try {
    const file = join(folder, 'replies.pcap');
    writeFileSync(file, Buffer.concat([new Uint8Array(header.buffer), ...records]));
    const fields = [
      'dns.flags.rcode',
      'dns.count.answers',
      'dns.count.auth_rr',
      'udp.checksum.status',
      '_ws.malformed',
    ];
    const options = ['-o', 'udp.check_checksum:TRUE', '-T', 'fields', '-E', 'separator=|'];
    const run = spawnSync('tshark', ['-r', file, ...options, ...fields.flatMap((field) => ['-e', field])]);
    assert.equal(run.status, 0, String(run.stderr));
    assert.deepEqual(String(run.stdout).trim().split('\n'), [
      '0|1|0|1|',
      '0|29|0|1|',
      '0|2|0|1|',
      '3|0|1|1|',
      '0|1|0|1|',
      '2|0|0|1|',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
