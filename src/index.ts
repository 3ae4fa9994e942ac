/** The public API: load a cluster, compile it, walk packets through it, read and write captures. */
export {
  type ClusterInput,
  LoadedCluster,
  loadCluster,
  type WatchEvent,
} from './cluster.js';
export { Engine, type EngineOptions } from './engine/engine.js';
export type { Hop, PacketTrace } from './engine/explain.js';
export { EngineMetrics, type MetricsOptions } from './engine/metrics.js';
export type { PolicyAllow, PolicyDenial } from './engine/policy-decision.js';
export { type StageTime, stageTimes } from './engine/stage-times.js';
export { type CaptureColumns, columnsOfInput, createColumns, FrameKind } from './io/capture-columns.js';
export type { CaptureInterface } from './io/capture-interface.js';
export { type CaptureOptions, CaptureReader, openCapture } from './io/capture-reader.js';
export {
  type CaptureWriter,
  type CaptureWriterOptions,
  createCapture,
  type OutputInterface,
} from './io/capture-writer.js';
export { LayoutError } from './layout/layout.js';
export type { LoadOptions, ManifestSource, UnusedKind } from './manifests/load.js';
export type {
  Cluster,
  ClusterDns,
  ClusterNetworkEntry,
  ContainerPort,
  DnsConfig,
  Namespace,
  Node,
  Platform,
  PluginMode,
  Pod,
  Protocol,
} from './model/cluster.js';
export type { EgressPolicy, EgressRule, NetworkObjects } from './model/network-objects.js';
export type {
  LabelSelector,
  NetworkPolicy,
  PolicyMode,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from './model/policy.js';
export type { Endpoint, Service, ServicePort, ServiceType } from './model/service.js';
export {
  type Arena,
  createArena,
  createInput,
  createOutput,
  FRAME_MAX,
  HEADROOM,
  type InputBatch,
  type OutputBatch,
  ROWS_PER_PACKET,
} from './packet/batch.js';
export {
  type ArpFields,
  type BuiltFrame,
  buildArp,
  buildEcho,
  buildTcp,
  buildUdp,
  buildVxlan,
  type EchoFields,
  type EthernetFields,
  type Ipv4Fields,
  placeFrame,
  synOptions,
  type TcpFields,
  type UdpFields,
  type VxlanFields,
} from './packet/build.js';
export {
  type DecodedArp,
  type DecodedFrame,
  type DecodedIcmp,
  type DecodedIpv4,
  type DecodedVxlan,
  decodeFrame,
} from './packet/decode.js';
export type { Ledger } from './packet/ledger.js';
export { Epoch, type Tables } from './tables/epoch.js';
export { InputError, type Problem } from './verdict/input-error.js';
export { REASONS, Reason, type ReasonText } from './verdict/reasons.js';
export { VERDICT_NAMES, Verdict, type VerdictName } from './verdict/verdict.js';
