import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { textTable } from '../../src/cli/text-table.ts';
import { LOADERS, OURS, TIKTOKEN } from './peers.ts';
import { target } from './report.ts';
import { median } from './statistics.ts';

const ROUNDS = 7;
const PROGRAM = fileURLToPath(new URL('fresh-process.mjs', import.meta.url));
/** Uses the built package, because type stripping would add 90 ms to our result only. */
const DIST = new URL('../../dist/tokens.js', import.meta.url).href;

interface FreshProcess {
  /** Time from import to the first count. */
  readonly firstCountMs: number;
  readonly rssBytes: number;
  /** Garbage that counting 100 KB leaves on the heap. */
  readonly heapBytes: number;
}

/** First count in a new process, including the import; memory afterwards. */
export function benchFreshProcess(encoding: string): void {
  const names = Object.keys(LOADERS).filter((name) => name !== 'plain engine');
  const runs = new Map<string, FreshProcess[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) runs.get(name)?.push(runProgram(name, encoding));
  }
  const of = (name: string, field: keyof FreshProcess) =>
    median((runs.get(name) ?? []).map((run) => run[field]));
  const rows = names.map((name) => [
    name,
    of(name, 'firstCountMs').toFixed(0),
    (of(name, 'rssBytes') / 2 ** 20).toFixed(0),
    (of(name, 'heapBytes') / 1024).toFixed(0),
  ]);
  const head = ['engine', 'first count ms', 'RSS MB', 'heap KB for 100 KB'];
  console.log(`\n## A fresh process, ${encoding}\n`);
  console.log(textTable(head, rows, head.slice(1)));
  const first = of(OURS, 'firstCountMs');
  target(`${encoding}: first count in a fresh process, ms`, first, '≤', 110);
  target(`${encoding}: first count, × tiktoken's`, first / of(TIKTOKEN, 'firstCountMs'), '≤', 0.4);
  target(`${encoding}: RSS, MB`, of(OURS, 'rssBytes') / 2 ** 20, '≤', 30);
  target(`${encoding}: heap for a text of 100 KB, KB`, of(OURS, 'heapBytes') / 1024, '≤', 64);
}

function runProgram(name: string, encoding: string): FreshProcess {
  const output = execFileSync(process.execPath, ['--expose-gc', PROGRAM, name, encoding, DIST], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as FreshProcess;
}
