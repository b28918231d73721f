import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `npm run release [-- --dry-run]`: checks, packs what package.json says into `release/`, with its SBOM
 * and its notes, and publishes that tarball with provenance.
 */
const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
const dryRun = values['dry-run'];
const FOLDER = 'release';

const run = (command: string, ...args: readonly string[]): string => runIn('.', command, ...args);
const runIn = (cwd: string, command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  }).trim();
const show = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'inherit' });
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const tag = `v${version}`;
const notes = sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version);
const hasIdentity = process.env['GITHUB_ACTIONS'] === 'true' || process.env['GITLAB_CI'] === 'true';
const problems = [
  run('git', 'status', '--porcelain') !== '' && 'the working tree is not clean',
  run('git', 'branch', '--show-current') !== 'main' && 'the current branch is not main',
  run('git', 'tag', '--list', tag) !== '' && `${tag} already exists: increment the version`,
  notes === undefined && `CHANGELOG.md has no section "## ${version}"`,
  !hasIdentity && 'provenance requires a CI job with an identity',
].filter((problem) => problem !== false);

for (const problem of problems) process.stderr.write(`release: ${problem}\n`);
if (problems.length > 0 && !dryRun) process.exit(1);
if (!dryRun) show('bash', '.ci/run');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
const tarball = run('npm', 'pack', '--silent', '--pack-destination', FOLDER).split('\n').at(-1);
writeSboms(resolve(FOLDER, tarball ?? ''));
writeFileSync(`${FOLDER}/notes.md`, notes ?? '');
const how = dryRun ? ['--dry-run'] : ['--provenance', '--access', 'public'];
show('npm', 'publish', `./${FOLDER}/${tarball}`, ...how);

/** Of the tarball as a user installs it: a workspace that links to itself makes `npm sbom` recurse without end. */
function writeSboms(file: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-sbom-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "name": "release", "version": "0.0.0" }');
    const npm = (...args: readonly string[]): string => runIn(folder, 'npm', ...args);
    npm('install', '--ignore-scripts', '--no-audit', '--no-fund', file);
    for (const format of ['spdx', 'cyclonedx']) {
      const sbom = npm('sbom', `--sbom-format=${format}`, '--sbom-type=library');
      writeFileSync(`${FOLDER}/sbom.${format}.json`, `${sbom}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The text below the heading of a version. */
function sectionOf(changelog: string, heading: string): string | undefined {
  const lines = changelog.split('\n');
  const start = lines.indexOf(`## ${heading}`);
  if (start < 0) return undefined;
  const end = lines.findIndex((line, at) => at > start && line.startsWith('## '));
  return lines
    .slice(start + 1, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}
