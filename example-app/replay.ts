/**
 * `npm run replay -- FILE.jsonl` replays every assistant turn of recorded conversations as a call
 * with the `openai` SDK to the demo model, and records it in the configured ledger. The dashboard
 * of a running application shows the calls live.
 */
import { parseArgs } from 'node:util';
import { readConversations } from './demo-model/recorded-conversations.ts';
import { readEnvironment } from './environment.ts';
import { startTelemetry } from './telemetry.ts';

const HELP = `Usage: npm run replay -- FILE.jsonl [options]

Sends every assistant turn of recorded conversations through the openai SDK to the offline demo model:
streamed and not, with and without reported usage. The calls end up in the same ledger as the
application's (the environment variables are the same).

  --rate N         Calls a second at most (default: no limit)
  --users N        Users to spread the conversations over (default: 25)
  --concurrency N  Conversations at once (default: 8)
  --limit N        Stop after N conversations
  --help           This text

FILE holds one conversation a line: {"id": "…", "messages": [{"role": "user", "content": "…"}, …]}
`;

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} is ${JSON.stringify(text)}; allowed: a whole number above 0`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rate: { type: 'string' },
        users: { type: 'string' },
        concurrency: { type: 'string' },
        limit: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

const { values, positionals } = readArguments();
const [file] = positionals;
if (values.help || file === undefined) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exit(values.help ? 0 : 2);
}
const options = {
  rate: wholeNumber('rate', values.rate, Number.POSITIVE_INFINITY),
  users: wholeNumber('users', values.users, 25),
  concurrency: wholeNumber('concurrency', values.concurrency, 8),
};
const limit = wholeNumber('limit', values.limit, Number.POSITIVE_INFINITY);

const all = await readConversations(file).catch((error: unknown) => {
  console.error(`Cannot read the conversations: ${(error as Error).message}`);
  process.exit(1);
});
const conversations = all.slice(0, limit);
const environment = readEnvironment();
for (const problem of environment.problems) console.error(problem);
const telemetry = startTelemetry(environment.config);
const { replay } = await import('./replay-run.ts');
const summary = await replay(conversations, environment.config, telemetry, options);
await telemetry.shutdown();
const dropped = Object.entries(telemetry.status()?.dropped ?? {});
console.log(
  `${summary.calls} calls, ${summary.failed} failed → ${telemetry.ledger.where}\n` +
    `Usage was reported for half of them: ${summary.inputTokens.toLocaleString('en')} input and ` +
    `${summary.outputTokens.toLocaleString('en')} output tokens; the rest is counted.`,
);
for (const [reason, count] of dropped) console.error(`${count} records were dropped: ${reason}`);
process.exit(summary.failed === 0 && dropped.length === 0 ? 0 : 1);
