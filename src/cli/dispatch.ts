import { TokenMeterError } from '../errors.ts';
import { nodeProblem } from '../host/node-version.ts';
import { packageVersion } from '../host/package-version.ts';
import { commands } from './commands.ts';
import type { CliIo } from './io.ts';

/** Exit codes: 0 success, 1 failure, 2 usage error. */
export async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(await help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    io.stderr.write(
      `otel-token-meter: unknown command ${JSON.stringify(name)}; ` +
        `commands: ${Object.keys(commands).join(', ')}\n`,
    );
    return 2;
  }
  try {
    return await (await load()).run(args, io);
  } catch (error) {
    const unfit = nodeProblem();
    const reason = unfit === undefined ? explain(error) : `Node ${unfit} (${explain(error)})`;
    io.stderr.write(`otel-token-meter ${name}: ${reason}\n`);
    return isUsageError(error) ? 2 : 1;
  }
}

async function help(): Promise<string> {
  const names = Object.keys(commands);
  const width = Math.max(...names.map((name) => name.length));
  const lines = await Promise.all(
    names.map(async (name) => {
      const summary = await commands[name]?.().then(
        (command) => command.summary,
        (error: unknown) => `not available: ${explain(error)}`,
      );
      return `  ${name.padEnd(width)}  ${summary}`;
    }),
  );
  return [
    'Usage: otel-token-meter <command> [options]',
    '',
    'Counts, reports and prices the tokens of LLM calls.',
    '',
    'Commands:',
    ...lines,
    '',
    'otel-token-meter <command> --help shows the options of a command.',
    '',
  ].join('\n');
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const missing = /Cannot find package '([^']+)'/.exec(error.message)?.[1];
  if (missing !== undefined)
    return `this command requires the package ${missing}: npm i ${missing}`;
  if (error instanceof TokenMeterError && error.allowed !== undefined) {
    const isIncluded = error.message.includes(error.allowed);
    return isIncluded ? error.message : `${error.message} (allowed: ${error.allowed})`;
  }
  // Node's further sentences are about file names that start with a dash.
  if (isUsageError(error)) return `${error.message.split('. ')[0]}; see --help`;
  return error.message;
}

/** Codes of the errors that Node's `parseArgs` throws. */
function isUsageError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    String((error as { code: unknown }).code).startsWith('ERR_PARSE_ARGS')
  );
}
