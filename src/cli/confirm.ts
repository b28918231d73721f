import { createInterface } from 'node:readline/promises';
import type { CliIo } from './io.ts';

/** Asks on a terminal; undefined where nobody can answer. */
export async function confirm(question: string, io: CliIo): Promise<boolean | undefined> {
  if (io.stdin.isTTY !== true) return undefined;
  const lines = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
