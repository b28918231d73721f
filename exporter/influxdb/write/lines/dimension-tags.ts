import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { exactFieldOf, OTHER_VALUES, TEAM_TAG, tagOfDimension } from '../../usage-schema.ts';
import { Ascii } from './ascii.ts';
import { BoundedTag } from './bounded-tag.ts';

interface DimensionParts {
  /** `,dimension_feature=search`. */
  readonly tag: string;
  /** `,exact_dimension_feature=`, if the tag does not have the value. */
  readonly exact: Ascii | undefined;
  readonly value: string;
}

interface KnownTag {
  readonly lead: string;
  readonly exact: Ascii;
  readonly values: BoundedTag;
}

const NONE: readonly DimensionParts[] = [];

/** Tags of team and dimensions, each with its own bound. A constant tag of the same name stands for it. */
export class DimensionTags {
  readonly #max: number;
  readonly #constant: ReadonlySet<string>;
  readonly #known = new Map<string, KnownTag>();

  constructor(max: number, constant: ReadonlySet<string>) {
    this.#max = max;
    this.#constant = constant;
  }

  of({ team, dimensions }: UsageRecord): readonly DimensionParts[] {
    if (team === undefined && dimensions === undefined) return NONE;
    const parts: DimensionParts[] = [];
    for (const name in dimensions) this.#add(parts, tagOfDimension(name), dimensions[name]);
    this.#add(parts, TEAM_TAG, team);
    return parts;
  }

  /** Whether the tag is one of these. */
  refused(tag: string, value: string): boolean {
    const known = this.#known.get(tag);
    known?.values.refused(value);
    return known !== undefined;
  }

  #add(parts: DimensionParts[], name: string, value: string | undefined): void {
    if (value === undefined || this.#constant.has(name)) return;
    let known = this.#known.get(name);
    if (known === undefined) {
      const exact = new Ascii(`,${exactFieldOf(name)}=`);
      known = { lead: `,${name}=`, exact, values: new BoundedTag(this.#max) };
      this.#known.set(name, known);
    }
    const tag = known.values.value(value);
    if (tag === '') return;
    // Also where the value itself reads `(other)`.
    const isExact = tag !== OTHER_VALUES;
    parts.push({ tag: known.lead + tag, exact: isExact ? undefined : known.exact, value });
  }
}
