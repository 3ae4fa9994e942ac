/** Brings two iptables-save texts into one form: what they say stays, what only print order and rounding make differs not. */

/** Sorted lines: chains without counters, rules in their chain's order, chances as the kernel keeps them. */
export function normaliseIptables(text: string): string[] {
  let table = '';
  const chains: string[] = [];
  const rules = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    else if (line.startsWith(':')) chains.push(`${table} ${line.replace(/ \[.*$/, '')}`);
    else if (line.startsWith('-A ')) {
      const key = `${table} ${line.split(' ')[1]!}`;
      rules.set(key, [...(rules.get(key) ?? []), line.replace(/(--probability )(\S+)/, storedChance)]);
    }
  }
  const inOrder = [...rules].map(([key, list]) => `${key}\n  ${list.join('\n  ')}`);
  return [...chains, ...inOrder].sort();
}

/** xt_statistic keeps a chance as a multiple of 2^-31. */
const storedChance = (_: string, option: string, value: string): string =>
  `${option}${Math.round(Number(value) * 2 ** 31)}`;
