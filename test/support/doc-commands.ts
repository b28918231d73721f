import { docBlocks, docFiles, type DocBlock } from './doc-blocks.ts';

/**
 * Blocks of the documentation that no test runs, by their first line, with the reason.
 * test/docs.test.ts checks their syntax and the files they name.
 */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'curl -s -X PUT "$URL/api/settings/console/release-1.4.0" -H "Authorization: Bearer $TOKEN" \\':
    'wants an application with an address; test/example-app/routes runs such requests',
  'npx otel-token-meter budgets list': 'test/cli/budgets.test.ts runs them',
  'npx otel-token-meter alerts list': 'needs an active alert; test/cli/alerts.test.ts runs them',
  'cd example-app/deploy': 'wants Docker and images from its registry; the compose file is checked',
  'location / {': 'wants nginx, which is no package of the tests',
  'npm install @clickhouse/client':
    'wants a server of its own; test/cli/clickhouse.test.ts runs the commands',
  'npx otel-token-meter copy --from sqlite:.token-meter/usage.db --to clickhouse:http://localhost:8123/llm':
    'test/cli/copy.test.ts runs it',
  'npm ci': 'is what the gate (.ci/run) does: the tests would run themselves',
  'export CLAUDE_CODE_ENABLE_TELEMETRY=1': 'wants Claude Code and an account',
  '@token_meter(user_id="user_id", model="model_name")':
    'shows a design in Python that never was a package',
};

export function isNotRun({ text }: DocBlock): boolean {
  return (text.split('\n')[0] ?? '') in NOT_RUN;
}

/** Commands of the shell block that starts with this text. */
export function commandsOf(doc: string, start: string): readonly string[] {
  const found = shellBlocks().filter((block) => block.doc === doc && block.text.startsWith(start));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${doc} has not one "${start}"`);
  return linesOf(block.text);
}

export function shellBlocks(): readonly DocBlock[] {
  return docFiles()
    .flatMap(docBlocks)
    .filter(({ language }) => language === 'sh');
}

/** One command per entry. A trailing backslash continues a line. */
function linesOf(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}
