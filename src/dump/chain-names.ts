/** kube-proxy's chain names. Source: kubernetes pkg/proxy/iptables/proxier.go (portProtoHash, servicePortEndpointChainName). */
import { createHash } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LENGTH = 16;

/** First 16 characters of SHA-256 in base32 (RFC 4648). */
function hash16(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let name = '';
  for (let i = 0; i < LENGTH; i++) {
    const bit = i * 5;
    const pair = (digest[bit >>> 3]! << 8) | digest[(bit >>> 3) + 1]!;
    name += BASE32[(pair >>> (11 - (bit & 7))) & 31];
  }
  return name;
}

export type ServiceChain = 'SVC' | 'SVL' | 'EXT' | 'FW';

/** Chain of a service port: `servicePortName` is `namespace/name` or `namespace/name:port`, `protocol` in lower case. */
export const serviceChain = (kind: ServiceChain, servicePortName: string, protocol: string): string =>
  `KUBE-${kind}-${hash16(servicePortName + protocol)}`;

/** Chain of one endpoint, `endpoint` as `address:port`. */
export const endpointChain = (servicePortName: string, protocol: string, endpoint: string): string =>
  `KUBE-SEP-${hash16(servicePortName + protocol + endpoint)}`;
