/** Label selectors of NetworkPolicies (apimachinery pkg/labels). */
import type { LabelSelector } from '../model/policy.js';

export const selectsEverything = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;

export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels)) if (labels[key] !== value) return false;
  return selector.matchExpressions.every((expression) => meets(expression, labels));
}

function meets(
  { key, operator, values }: LabelSelector['matchExpressions'][number],
  labels: Readonly<Record<string, string>>,
): boolean {
  const label = Object.hasOwn(labels, key) ? labels[key]! : null;
  if (operator === 'Exists') return label !== null;
  if (operator === 'DoesNotExist') return label === null;
  const isListed = label !== null && values.includes(label);
  return operator === 'In' ? isListed : !isListed;
}
