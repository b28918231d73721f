import { fileProblem, objectsAt, onlyMembers } from './file-problem.ts';
import { parseScope, type Scope, SCOPE_MEMBERS, type ScopedCall } from './scope.ts';

/** A discount or a margin, in per cent. */
export interface Adjustment {
  /** `discounts[0]`. */
  readonly where: string;
  readonly scope: Scope;
  readonly percent: number;
}

type AdjustmentMember = 'discounts' | 'margins';

const ALLOWED: Readonly<Record<AdjustmentMember, string>> = {
  discounts: 'a number from 0 to 100 (per cent)',
  margins: 'a number above -100 (per cent)',
};

/** `discounts` or `margins` of a price file. */
export function parseAdjustments(
  content: Readonly<Record<string, unknown>>,
  member: AdjustmentMember,
): readonly Adjustment[] {
  const [least, most] = member === 'discounts' ? [0, 100] : [-99.999_999, Infinity];
  return objectsAt(content, member).map(([where, entry]) => {
    onlyMembers(entry, where, [...SCOPE_MEMBERS, 'percent']);
    const { percent } = entry;
    if (
      typeof percent !== 'number' ||
      !Number.isFinite(percent) ||
      percent < least ||
      percent > most
    ) {
      return fileProblem(`${where}.percent`, percent, ALLOWED[member]);
    }
    return { where, scope: parseScope(entry, where, { needsModel: false }), percent };
  });
}

/** The first one that fits. */
export function adjustmentFor(
  adjustments: readonly Adjustment[],
  call: ScopedCall,
): Adjustment | undefined {
  return adjustments.find(({ scope }) => scope.fits(call));
}
