import { readListFile } from './list-file.ts';
import { installedVersion, isInstalledNewer } from './list-version.ts';
import { PriceList } from './price-list.ts';

interface ChosenList {
  readonly list: PriceList;
  readonly name: string;
  readonly date?: string;
  readonly file?: string;
  readonly problem?: string;
}

/**
 * The downloaded list if there is one, it is usable and newer than the installed list; otherwise the
 * installed one, with the reason if that is a surprise.
 */
export async function chooseList(path: string | undefined): Promise<ChosenList> {
  if (path === undefined) return described(await PriceList.installed());
  try {
    const file = await readListFile(path);
    if (file === undefined) return described(await PriceList.installed());
    if (isInstalledNewer(await installedVersion(), file)) {
      const problem = `${path} of ${file.retrieved.slice(0, 10)} is older than the installed list`;
      return { ...described(await PriceList.installed()), problem };
    }
    return { ...described(await PriceList.fromFile(file)), file: path };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...described(await PriceList.installed()), problem };
  }
}

function described(list: PriceList): ChosenList {
  const { name, date } = list;
  return { list, name, ...(date !== undefined && { date }) };
}
