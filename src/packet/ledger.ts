/** The ledger: every packet that came in or was made is somewhere.
 *  in + generated + copies = delivered + left + answered + rejected + dropped + merged + pending */
import { Verdict } from '../verdict/verdict.js';

export interface Ledger {
  in: number;
  generated: number;
  copies: number;
  delivered: number;
  left: number;
  answered: number;
  rejected: number;
  dropped: number;
  merged: number;
  /** Held right now. */
  pending: number;
}

export const createLedger = (): Ledger => ({
  in: 0,
  generated: 0,
  copies: 0,
  delivered: 0,
  left: 0,
  answered: 0,
  rejected: 0,
  dropped: 0,
  merged: 0,
  pending: 0,
});

/** A packet has its verdict. */
export function countVerdict(ledger: Ledger, verdict: number): void {
  switch (verdict) {
    case Verdict.Delivered:
      ledger.delivered++;
      return;
    case Verdict.Left:
      ledger.left++;
      return;
    case Verdict.Answered:
      ledger.answered++;
      return;
    case Verdict.Rejected:
      ledger.rejected++;
      return;
    case Verdict.Merged:
      ledger.merged++;
      return;
    default:
      ledger.dropped++;
  }
}

/** Add the counts of `from` to `to`. */
export function addLedger(to: Ledger, from: Ledger): void {
  for (const key of Object.keys(to) as (keyof Ledger)[]) to[key] += from[key];
}

export const isBalanced = (l: Ledger): boolean =>
  l.in + l.generated + l.copies ===
  l.delivered + l.left + l.answered + l.rejected + l.dropped + l.merged + l.pending;
