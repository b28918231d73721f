import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErasedUsers, noteErasure } from '../../../exporter/delivery/erased-users.ts';
import type { LineChunk } from '../../../exporter/spool/line-queue.ts';

const TIMEOUT_MS = 60_000;
const lineOf = (user: string): LineChunk => ({
  body: Buffer.from(`${user}\n`),
  lines: 1,
  multiline: false,
});
const usersOf = (chunks: readonly LineChunk[]): readonly string[] =>
  chunks.map(({ body }) => String(body).trim());

describe('exporter/delivery: erased users and writes under way', () => {
  let folder: string;
  let erased: ErasedUsers;
  const now = Date.now();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-erased-'));
    erased = new ErasedUsers(folder, TIMEOUT_MS, (line) => ({
      user: String(line).trim(),
      timeMs: now - 1000,
    }));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('an erasure waits for a write that began before it, and no longer', async () => {
    const events: string[] = [];
    const written = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const write = erased.writing([lineOf('ann'), lineOf('bob')], async (left) => {
      begun.resolve();
      await written.promise;
      events.push(`wrote ${usersOf(left).join(' and ')}`);
    });
    await begun.promise;
    const erasure = noteErasure(folder, 'ann', now).then(() => events.push('noted'));
    // A write that begins after the note knows of it, however long the other one takes.
    let left: readonly string[] = ['ann'];
    while (left.length > 0) {
      left = await erased.writing([lineOf('ann')], async (chunks) => usersOf(chunks));
    }
    assert.deepEqual(events, []);
    written.resolve();
    await Promise.all([write, erasure]);
    assert.deepEqual(events, ['wrote ann and bob', 'noted']);
    assert.deepEqual(readdirSync(folder), ['erased-users.json']);
  });

  it('does not wait for the write of a process that died in it longer than that could take', async () => {
    writeFileSync(join(folder, `sending-${Date.now() - 1}-dead`), '');
    writeFileSync(join(folder, `sending-${Date.now() + 300}-dead`), '');
    await noteErasure(folder, 'ann', now);
    const left = await erased.writing([lineOf('ann')], async (chunks) => usersOf(chunks));
    assert.deepEqual(left, []);
    assert.deepEqual(readdirSync(folder), ['erased-users.json'], 'what the dead left is gone');
  });

  it('can be given up', async () => {
    writeFileSync(join(folder, `sending-${Date.now() + TIMEOUT_MS}-other`), '');
    const signal = AbortSignal.timeout(50);
    await assert.rejects(noteErasure(folder, 'ann', now, signal), { name: 'AbortError' });
  });

  it('writes all the same where the folder takes no file', async () => {
    rmSync(folder, { recursive: true });
    const left = await erased.writing([lineOf('ann')], async (chunks) => usersOf(chunks));
    assert.deepEqual(left, ['ann']);
    await assert.rejects(
      erased.writing([lineOf('ann')], async () => await Promise.reject(new Error('refused'))),
      /refused/,
    );
  });
});
