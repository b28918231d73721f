import type { CliIo } from './io.ts';
import { SHOW_HELP, showPrices } from './prices/show.ts';
import { UPDATE_HELP, updatePrices } from './prices/update.ts';

export const summary: string = 'explain the price of a model, or download the current price list';

const HELP = `Usage: otel-token-meter prices show MODEL [options]
       otel-token-meter prices update [options]

${SHOW_HELP}
${UPDATE_HELP}`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [action, ...rest] = args;
  if (action === 'show') return await showPrices(rest, io, HELP);
  if (action === 'update') return await updatePrices(rest, io, HELP);
  const isAsked = action === '--help' || action === '-h';
  (isAsked ? io.stdout : io.stderr).write(HELP);
  return isAsked ? 0 : 2;
}
