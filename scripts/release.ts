import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** `npm run release [-- --dry-run]`: checks, tags and publishes the version in package.json. */
const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
const dryRun = values['dry-run'];

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
const show = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'inherit' });
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const tag = `v${version}`;
const problems = [
  run('git', 'status', '--porcelain') !== '' && 'the working tree is not clean',
  run('git', 'branch', '--show-current') !== 'main' && 'the current branch is not main',
  run('git', 'tag', '--list', tag) !== '' && `${tag} already exists: increment the version`,
  !readFileSync('CHANGELOG.md', 'utf8').split('\n').includes(`## ${version}`) &&
    `CHANGELOG.md has no section "## ${version}"`,
].filter((problem) => problem !== false);

for (const problem of problems) process.stderr.write(`release: ${problem}\n`);
if (problems.length > 0 && !dryRun) process.exit(1);

if (!dryRun) show('bash', '.ci/run');
const provenance = process.env['GITHUB_ACTIONS'] === 'true' || process.env['GITLAB_CI'] === 'true';
if (!dryRun && !provenance) {
  process.stderr.write(
    'release: provenance requires a CI job with an identity; nothing was published\n',
  );
  process.exit(1);
}
if (!dryRun) show('git', 'tag', '--sign', '--message', tag, tag);
show('npm', 'publish', ...(dryRun ? ['--dry-run'] : ['--provenance', '--access', 'public']));
