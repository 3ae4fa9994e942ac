/** Rules and tables in iptables-save's words and order. Source: iptables iptables/iptables.c (print_rule4). */

/** One rule; the fields stand in the order in which iptables-save prints them. A leading `! ` negates. */
export interface Rule {
  readonly chain: string;
  /** Prefixes with their length. */
  readonly source?: string;
  readonly destination?: string;
  readonly inDevice?: string;
  readonly outDevice?: string;
  readonly protocol?: string;
  readonly comment?: string;
  /** Further matches as they are printed, `-m udp --dport 53`. */
  readonly matches?: string;
  /** Target with its options, without `-j`. */
  readonly target: string;
  /** The Kubernetes object behind the rule, or who installs it. */
  readonly object: string;
}

export interface DumpedTable {
  readonly name: 'nat' | 'filter' | 'raw';
  /** Built-in chains, which have the policy ACCEPT. */
  readonly builtIn: readonly string[];
  readonly chains: readonly string[];
  readonly rules: readonly Rule[];
}

/** `-A CHAIN …`, as iptables-save prints it. */
export function ruleLine(rule: Rule): string {
  const parts = [`-A ${rule.chain}`];
  const option = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    parts.push(value.startsWith('! ') ? `! ${name} ${value.slice(2)}` : `${name} ${value}`);
  };
  option('-s', rule.source);
  option('-d', rule.destination);
  option('-i', rule.inDevice);
  option('-o', rule.outDevice);
  option('-p', rule.protocol);
  if (rule.comment !== undefined) parts.push(`-m comment --comment ${quoted(rule.comment)}`);
  if (rule.matches !== undefined) parts.push(rule.matches);
  parts.push(`-j ${rule.target}`);
  return parts.join(' ');
}

// xtables_save_string leaves only these characters unquoted.
const quoted = (text: string): string => (/^[\w-]+$/.test(text) ? text : `"${text}"`);

/** Tables as iptables-restore reads them. With `explain` the object stands on a line of its own before its rules,
 *  as iptables-restore takes comments nowhere else. */
export function tablesText(tables: readonly DumpedTable[], explain: boolean): string {
  const lines: string[] = [];
  for (const table of tables) {
    lines.push(`*${table.name}`);
    for (const chain of table.builtIn) lines.push(`:${chain} ACCEPT [0:0]`);
    for (const chain of table.chains) lines.push(`:${chain} - [0:0]`);
    let object = '';
    for (const rule of table.rules) {
      if (explain && rule.object !== object) lines.push(`# ${rule.object}`);
      object = rule.object;
      lines.push(ruleLine(rule));
    }
    lines.push('COMMIT');
  }
  return `${lines.join('\n')}\n`;
}
