/** The line of a field: a document that has a problem is parsed a second time, into positions alone. */
import { EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml';
import { countLines, type ManifestDocument } from './documents.js';

/** Keys and indices from a document's root to a field. */
export type Path = readonly (string | number)[];

/** A parsed node's place: `start` is an offset into the document's text. */
interface Place {
  readonly start: number;
  /** Of a mapping: where its keys stand and what they hold. */
  readonly fields: Map<string, Place>;
  readonly items: Place[];
}

/** Answers the line of a path in `document`, or of its nearest ancestor that is written down; null for an
 *  object that never was text. */
export function locator(document: ManifestDocument): (path: Path) => number | null {
  const { text, firstLine } = document;
  if (text === null) return () => null;
  const root = readPlaces(text)[document.indexInText];
  return (path) => firstLine + countLines(text.slice(0, root === undefined ? 0 : find(root, path).start));
}

function find(root: Place, path: Path): Place {
  let place = root;
  for (const step of path) {
    const next = typeof step === 'number' ? place.items[step] : findField(place, step);
    if (next === undefined) break;
    place = next;
  }
  return place;
}

/** Merges of merges that are followed; a mapping may merge itself in. */
const MERGE_DEPTH = 8;

/** A key of the mapping itself, or of one that it merges in with `<<`. */
function findField(place: Place, key: string, depth = 0): Place | undefined {
  const own = place.fields.get(key);
  if (own !== undefined) return own;
  const merged = place.fields.get('<<');
  if (merged === undefined || depth === MERGE_DEPTH) return undefined;
  return [merged, ...merged.items]
    .map((source) => findField(source, key, depth + 1))
    .find((found) => found !== undefined);
}

function readPlaces(text: string): Place[] {
  // JSON may be indented with tabs, YAML may not; the offsets are the same.
  const source = /^\s*[[{]/.test(text) ? text.replaceAll('\t', ' ') : text;
  try {
    return new PlaceReader(source, parseEvents(source, {})).documents();
  } catch {
    return []; // JSON that is no YAML: the line of the document has to do
  }
}

class PlaceReader {
  private at = 0;
  private readonly anchors = new Map<string, Place>();

  constructor(
    private readonly source: string,
    private readonly events: readonly Event[],
  ) {}

  documents(): Place[] {
    const roots: Place[] = [];
    while (this.at < this.events.length) {
      this.at++; // the document's own event
      this.anchors.clear();
      roots.push(this.isAtPop() ? newPlace(0) : this.node(null));
      this.at++;
    }
    return roots;
  }

  /** Read the node at the cursor. `keyStart` is where a field's key stands, which is the line people look for. */
  private node(keyStart: number | null): Place {
    const event = this.events[this.at++]!;
    if (event.type === EVENT_ID.ALIAS) {
      const target = this.anchors.get(this.source.slice(event.anchorStart, event.anchorEnd));
      return target ?? newPlace(keyStart ?? event.anchorStart);
    }
    if (event.type === EVENT_ID.SCALAR) return this.named(newPlace(keyStart ?? event.valueStart), event);
    if (event.type === EVENT_ID.SEQUENCE) {
      const place = this.named(newPlace(keyStart ?? event.start), event);
      while (!this.isAtPop()) place.items.push(this.node(null));
      this.at++;
      return place;
    }
    if (event.type !== EVENT_ID.MAPPING) return newPlace(keyStart ?? 0);
    const first = this.events[this.at];
    // The event of a document's root starts where the text does, comments included: its first key is what is meant.
    const start = first?.type === EVENT_ID.SCALAR ? first.valueStart : event.start;
    const place = this.named(newPlace(keyStart ?? start), event);
    while (!this.isAtPop()) this.field(place);
    this.at++;
    return place;
  }

  private field(mapping: Place): void {
    const key = this.events[this.at]!;
    if (key.type !== EVENT_ID.SCALAR) {
      this.node(null);
      this.node(null);
      return;
    }
    this.at++;
    mapping.fields.set(getScalarValue(this.source, key), this.node(key.valueStart));
  }

  private named(place: Place, event: { anchorStart: number; anchorEnd: number }): Place {
    if (event.anchorStart >= 0)
      this.anchors.set(this.source.slice(event.anchorStart, event.anchorEnd), place);
    return place;
  }

  private isAtPop(): boolean {
    return this.at >= this.events.length || this.events[this.at]!.type === EVENT_ID.POP;
  }
}

const newPlace = (start: number): Place => ({ start, fields: new Map(), items: [] });
