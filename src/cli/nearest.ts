/** Which names a mistyped one may have meant. */

/** More names than this are not compared: the answer must come at once. */
const COMPARED_MAX = 5000;

/** Up to `count` of `names` near `text`, the nearest first: those that hold it, then by edits. Kind prefixes such as
 *  `pod:` and the port count for nothing. */
export function nearestNames(text: string, names: readonly string[], count: number): string[] {
  const wanted = bare(text);
  const tail = wanted.slice(wanted.indexOf('/') + 1);
  const scored = names.slice(0, COMPARED_MAX).map((name) => {
    const key = bare(name);
    const last = key.slice(key.indexOf('/') + 1);
    const distance = Math.min(editDistance(wanted, key), editDistance(tail, last));
    return { name, distance: tail !== '' && last.includes(tail) ? Math.min(distance, 1) : distance };
  });
  const limit = Math.max(2, Math.floor(tail.length / 3));
  return scored
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name);
}

const bare = (text: string): string =>
  text.replace(/^(pod|svc|service|node|ip):/, '').replace(/:[^:/]*$/, '');

/** Levenshtein's distance with one row kept. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
