import { TokenMeterError } from '../errors.ts';
import { checkList, modelCount } from './list-check.ts';
import { shownAddress } from './list-download.ts';
import { readListFile, writeListFile } from './list-file.ts';
import { separateLibrary } from './list-library.ts';
import { installedVersion } from './list-version.ts';

export interface ListUpdate {
  readonly url: string;
  readonly path: string;
  readonly download: (url: string) => Promise<string>;
  readonly now: () => Date;
}

export interface ListUpdated {
  readonly retrieved: string;
  readonly models: number;
  /** Of the list that it replaced: the file's, or the bundled one. */
  readonly previousModels: number;
  readonly providers: number;
  readonly unknownPrices: number;
}

/**
 * Downloads the list into a file. The file is replaced at once and only by a list that is complete and
 * valid. Rejects with `BACKEND_UNREACHABLE`, `BACKEND_REFUSED` or `INVALID_PRICES`.
 */
export async function updateListFile(update: ListUpdate): Promise<ListUpdated> {
  const { url, path, download, now } = update;
  const separate = await separateLibrary();
  // A damaged file is no reason to keep it.
  const previous = await readListFile(path).catch(() => undefined);
  const previousModels = modelCount(previous?.providers ?? separate.bundled);
  const checked = await checkList(parse(await download(url), url), previousModels, separate);
  const retrieved = now().toISOString();
  const version = await installedVersion();
  await writeListFile(path, {
    retrieved,
    url: shownAddress(url),
    ...(version !== undefined && { package: version }),
    providers: checked.providers,
  });
  const { providers, models, unknownPrices } = checked;
  return { retrieved, models, previousModels, providers: providers.length, unknownPrices };
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenMeterError(
      'INVALID_PRICES',
      `price list: ${shownAddress(url)} did not answer with JSON`,
      { value: shownAddress(url), allowed: 'a list of providers as JSON', cause },
    );
  }
}
