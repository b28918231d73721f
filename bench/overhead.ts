import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs, isDeepStrictEqual } from 'node:util';
import { PEERS, versionOf, type Peer } from './overhead/peers.ts';
import type { CpuResult, MemoryResult, ShapeResult } from './overhead/program.ts';
import { CHUNKS } from './overhead/replies.ts';
import { startServer } from './overhead/server.ts';

const USAGE = `Measures overhead and correctness of otel-token-meter and its peers on the openai SDK.

  npm run bench:overhead -- [--rounds N] [--only NAME,NAME]

  --rounds N   interleaved rounds of the CPU measurement, the median counts (default 5)
  --only NAME  only these rows, by name; the bare SDK always runs
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const wanted = values.only?.split(',').map((name) => name.trim().toLowerCase());
const rows = PEERS.map((peer, index) => ({ peer, index })).filter(
  ({ peer }) =>
    peer.name === 'bare' || wanted === undefined || wanted.includes(peer.name.toLowerCase()),
);
const program = new URL('overhead/program.ts', import.meta.url);

async function run(index: number, mode: string, flags: readonly string[], serverUrl = '') {
  const peer = PEERS[index] as Peer;
  const child = spawn(
    process.execPath,
    [
      '--conditions=otel-token-meter/source',
      ...flags,
      ...(peer.flags ?? []),
      program.pathname,
      String(index),
      mode,
      serverUrl,
    ],
    {
      cwd: new URL('.', import.meta.url),
      env: { ...process.env, ...peer.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let errors = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const found = /^RESULT (.*)$/m.exec(output)?.[1];
  if (found === undefined) {
    throw new Error(`${peer.name} ended with ${String(code)} in ${mode}:\n${errors.slice(-2000)}`);
  }
  return JSON.parse(found) as unknown;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}

const cpu = new Map<number, CpuResult[]>();
const memory = new Map<number, MemoryResult>();
const shapes = new Map<number, readonly ShapeResult[]>();
const { server, url } = await startServer();
for (const { index, peer } of rows) {
  progress(`shapes and memory: ${peer.name} on openai ${peer.openai}`);
  shapes.set(index, (await run(index, 'shapes', [])) as ShapeResult[]);
  memory.set(index, (await run(index, 'memory', [])) as MemoryResult);
}
const rounds = Math.max(1, Number.parseInt(values.rounds, 10) || 1);
for (let round = 0; round < rounds; round += 1) {
  // The order changes each round, because earlier runs affect a shared machine.
  const order = round % 2 === 0 ? rows : rows.toReversed();
  for (const { index, peer } of order) {
    progress(`round ${round + 1} of ${rounds}: ${peer.name} on openai ${peer.openai}`);
    const results = cpu.get(index) ?? [];
    results.push((await run(index, 'cpu', [], url)) as CpuResult);
    cpu.set(index, results);
  }
}
progress('');
server.close();

/** Time that a peer adds to the bare SDK of the same major, per round. */
function added(index: number, of: (result: CpuResult) => number): number {
  const bare = cpu.get(bareOf(index)) ?? [];
  return median(
    (cpu.get(index) ?? []).map((result, round) => of(result) - of(bare[round] as CpuResult)),
  );
}

function bareOf(index: number): number {
  const { openai } = PEERS[index] as Peer;
  return PEERS.findIndex((peer) => peer.name === 'bare' && peer.openai === openai);
}

interface Verdict {
  readonly right: number;
  readonly broken: readonly string[];
  readonly silent: readonly string[];
  readonly withoutTokens: readonly string[];
  readonly paysOn: readonly string[];
}

/** A case is broken if the result for the caller or the process differs from the bare SDK. */
function judge(index: number): Verdict {
  const bare = shapes.get(bareOf(index)) ?? [];
  const verdict = { right: 0, broken: [], silent: [], withoutTokens: [], paysOn: [] } as {
    right: number;
    broken: string[];
    silent: string[];
    withoutTokens: string[];
    paysOn: string[];
  };
  for (const [at, result] of (shapes.get(index) ?? []).entries()) {
    const { title, seen, unhandled, spans, sentAfterHold } = result;
    const expected = bare[at];
    if (sentAfterHold > (expected?.sentAfterHold ?? 0)) verdict.paysOn.push(title);
    if (!isDeepStrictEqual(seen, expected?.seen) || unhandled > 0) verdict.broken.push(title);
    else if (spans.length === 0) verdict.silent.push(title);
    else if (!spans.some((span) => span.inputTokens)) verdict.withoutTokens.push(title);
    else verdict.right += 1;
  }
  return verdict;
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

const us = (value: number): string => value.toFixed(1);
const chunk = (target: 'fetch' | 'server') => (result: CpuResult) =>
  (result[target].stream - result[target].plain) / CHUNKS;

const lines: string[] = [
  `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds`,
  '',
  '| openai | | µs a call, in process | µs a chunk, in process | µs a call, server | µs a chunk, server | KB allocated a call | bytes kept a call | right of 27 |',
  '|---|---|---|---|---|---|---|---|---|',
];
for (const { index, peer } of rows) {
  const version = peer.package === undefined ? '' : ` ${versionOf(peer.package)}`;
  const heap = memory.get(index) as MemoryResult;
  const bareHeap = memory.get(bareOf(index)) as MemoryResult;
  const cells =
    peer.name === 'bare'
      ? [
          us(median((cpu.get(index) ?? []).map(({ fetch }) => fetch.plain))),
          median((cpu.get(index) ?? []).map(chunk('fetch'))).toFixed(2),
          us(median((cpu.get(index) ?? []).map(({ server: target }) => target.plain))),
          median((cpu.get(index) ?? []).map(chunk('server'))).toFixed(2),
          (heap.allocated / 1024).toFixed(1),
          heap.retained.toFixed(0),
          '',
        ]
      : [
          signed(
            added(index, ({ fetch }) => fetch.plain),
            1,
          ),
          signed(added(index, chunk('fetch')), 2),
          signed(
            added(index, ({ server: target }) => target.plain),
            1,
          ),
          signed(added(index, chunk('server')), 2),
          signed((heap.allocated - bareHeap.allocated) / 1024, 1),
          signed(heap.retained - bareHeap.retained, 0),
          String(judge(index).right),
        ];
  lines.push(`| ${peer.openai} | ${peer.name}${version} | ${cells.join(' | ')} |`);
}
lines.push(
  '',
  '| openai | | breaks | no span | span without tokens | keeps generating after a break |',
);
lines.push('|---|---|---|---|---|---|');
for (const { index, peer } of rows.filter(({ peer: row }) => row.name !== 'bare')) {
  const { broken, silent, withoutTokens, paysOn } = judge(index);
  const lists = [broken, silent, withoutTokens, paysOn].map(
    (titles) => titles.join('; ') || 'none',
  );
  lines.push(`| ${peer.openai} | ${peer.name} | ${lists.join(' | ')} |`);
}
process.stdout.write(`${lines.join('\n')}\n`);
process.exit(0);
