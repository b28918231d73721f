/** What a roll-up says about itself. */
export interface RollUpState {
  /** Marks that it knows. */
  readonly marks: number;
  readonly calls: number;
  /** Of the marks that it knows, those of erasures. */
  readonly erasures: number;
  /** Another one when the roll-up was changed without its calls; 0: never. */
  readonly revision: number;
}

export interface Mark {
  readonly marker: string;
  /** When it was written, ms. */
  readonly atMs: number;
  /** Of the user whose calls are about to be deleted. */
  readonly erases: string | undefined;
}

/** Marks by the start of their hour. */
export type Marks = ReadonlyMap<number, readonly Mark[]>;

/** Whose calls are about to go, or are gone. */
export interface ErasureNote {
  /** Of the erasure, so that nothing says which of two were of the same user. */
  readonly marker: string;
  readonly digest: string;
}

export const erasuresIn = (marks: readonly Mark[]): readonly ErasureNote[] =>
  marks.flatMap(({ marker, erases }) => (erases === undefined ? [] : [{ marker, digest: erases }]));

/** What erasures have noted about an hour and its roll-up does not know. */
export function unknownErasures(
  { erasures }: RollUpState,
  marks: readonly Mark[] = [],
): readonly ErasureNote[] {
  const notes = erasuresIn(marks);
  // All of them: a clock that is wrong may have put a new one before those that are known.
  return notes.length === erasures ? [] : notes;
}

/** Whether calls have come to an hour, or were changed, that its roll-up does not have. */
export function hasUnknownCalls(state: RollUpState, marks: readonly Mark[] = []): boolean {
  return state.marks - state.erasures !== marks.length - erasuresIn(marks).length;
}
