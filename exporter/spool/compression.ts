import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { TEMPORARY } from './segment-name.ts';
import type { Segment } from './segment.ts';
import { removeFile, type SpoolFs } from './spool-fs.ts';

const compress = promisify(zstdCompress);

/**
 * Puts a compressed file in the place of a sealed segment that waits. Lines repeat themselves: a tenth is
 * left of them. False when somebody began to read the segment meanwhile, and it stays as it is.
 */
export async function compressSegment(
  fs: SpoolFs,
  segment: Segment,
  sync: boolean,
): Promise<boolean> {
  const { path, compressedPath: target } = segment;
  const bytes = await compress(await fs.readFile(path), {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  const temporary = target + TEMPORARY;
  const handle = await fs.open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    if (sync) await handle.datasync();
  } finally {
    await handle.close();
  }
  await fs.rename(temporary, target);
  const replaced = segment.replaceBy(target, bytes.length);
  await removeFile(fs, replaced ? path : target);
  return replaced;
}
