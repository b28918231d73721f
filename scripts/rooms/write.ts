import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lintOverrides, withRooms } from './made-from-rooms.ts';
import { rooms } from './rooms.ts';

/**
 * Generates the import rules of .oxlintrc.json, and the drawing and table of docs/architecture.md.
 */
const LINT = fileURLToPath(new URL('../../.oxlintrc.json', import.meta.url));
const DOC = fileURLToPath(new URL('../../docs/architecture.md', import.meta.url));

const lint = JSON.parse(readFileSync(LINT, 'utf8')) as Record<string, unknown>;
writeFileSync(
  LINT,
  `${JSON.stringify({ ...lint, overrides: lintOverrides(rooms) }, undefined, 2)}\n`,
);
writeFileSync(DOC, withRooms(readFileSync(DOC, 'utf8'), rooms));
