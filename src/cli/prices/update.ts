import { parseArgs } from 'node:util';
import { REMOTE_DATA_JSON_URL } from '@pydantic/genai-prices';
import { resolveConfig } from '../../config/index.ts';
import { TokenMeterError } from '../../errors.ts';
import { downloadList, shownAddress } from '../../prices/list-download.ts';
import { updateListFile } from '../../prices/list-update.ts';
import type { CliIo } from '../io.ts';
import { shownCount } from '../shown-number.ts';

export const UPDATE_HELP = `update downloads the current price list. The file is replaced only by a list that is complete and valid.

  --url URL              Address of the list (default: prices.refresh_url, or where genai-prices publishes it)
  --output FILE          File of the list (default: prices.list_file, which the application reads)
  --config FILE          YAML file (default: OTEL_CONFIG_FILE)
  --json                 Print JSON
`;

export async function updatePrices(
  args: readonly string[],
  io: CliIo,
  help: string,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      output: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(help);
    return 0;
  }
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const url = values.url ?? config.prices.refreshUrl ?? REMOTE_DATA_JSON_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new TokenMeterError('INVALID_OPTION', '--url is not valid', {
      value: values.url,
      allowed: 'a URL that starts with http:// or https://',
    });
  }
  const path = values.output ?? config.prices.listFile;
  const updated = await updateListFile({
    url,
    path,
    download: (address) => downloadList(address, { holdsProcess: true }),
    now: () => new Date(),
  });
  const { retrieved, models, previousModels, providers, unknownPrices } = updated;
  if (values.json) {
    const document = {
      file: path,
      url: shownAddress(url),
      retrieved,
      providers,
      models,
      previous_models: previousModels,
      unknown_prices: unknownPrices,
    };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  }
  io.stdout.write(
    `${path}: ${shownCount(models)} models of ${shownCount(providers)} providers (before: ${shownCount(previousModels)} models), ` +
      `downloaded ${retrieved} from ${shownAddress(url)}\n`,
  );
  if (unknownPrices > 0) {
    io.stderr.write(
      `${shownCount(unknownPrices)} prices are of kinds that the installed @pydantic/genai-prices does not know; they were left out\n`,
    );
  }
  if (values.output !== undefined && values.output !== config.prices.listFile) {
    io.stderr.write(`The application reads ${config.prices.listFile} (prices.list_file)\n`);
  }
  return 0;
}
