/** `note`: information. `problem`: calls are not metered, or records are lost. */
type FindingState = 'ok' | 'note' | 'warning' | 'problem';

export interface Finding {
  readonly check: string;
  readonly state: FindingState;
  /** One sentence, with the fix where there is one. Contains no secrets. */
  readonly says: string;
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says });
export const note = (check: string, says: string): Finding => ({ check, state: 'note', says });
export const warning = (check: string, says: string): Finding => ({
  check,
  state: 'warning',
  says,
});
export const problem = (check: string, says: string): Finding => ({
  check,
  state: 'problem',
  says,
});

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
