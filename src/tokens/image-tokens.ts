import type { AreaPricing, ImagePricing, PatchPricing, TilePricing } from './image-pricing.ts';
import type { ImageSize } from './image-size.ts';
import type { PartCount } from './tally.ts';

const PATCH = 32;
/** What `detail: 'low'` shrinks an image to. */
const LOW_DETAIL_SIDE = 512;
/** For an image whose size is not to be had: the example of the guide. */
const DEFAULT_SIZE: ImageSize = { width: 1024, height: 1024 };

/**
 * Tokens of one image. Exact when its size is known, the formula is sure and the detail is said:
 * with `auto` the provider decides, and is taken to decide for `high`.
 */
export function imageTokens(
  pricing: ImagePricing,
  size: ImageSize | undefined,
  detail: string | undefined,
): PartCount {
  const { tokens, sure } = priceOf(pricing, size ?? DEFAULT_SIZE, detail);
  const known = size !== undefined || (pricing.kind === 'tiles' && detail === 'low');
  const said = detail === 'low' || detail === 'high' || detail === 'original';
  return { tokens, quality: sure && known && said ? 'exact' : 'estimated' };
}

interface Price {
  readonly tokens: number;
  readonly sure: boolean;
}

function priceOf(pricing: ImagePricing, size: ImageSize, detail: string | undefined): Price {
  switch (pricing.kind) {
    case 'tiles':
      return tilePrice(pricing, size, detail);
    case 'patches':
      return patchPrice(pricing, size, detail);
    case 'area':
      return areaPrice(pricing, size);
  }
}

function tilePrice(pricing: TilePricing, size: ImageSize, detail: string | undefined): Price {
  const { base, perTile, tile, sure } = pricing;
  if (detail === 'low' && base > 0) return { tokens: base, sure };
  const { width, height } = shrinkShortest(fit(size, pricing.longest), pricing.shortest);
  const tilesOf = (side: number) => roundUp(side / tile);
  return { tokens: base + perTile * tilesOf(width) * tilesOf(height), sure };
}

function patchPrice(pricing: PatchPricing, size: ImageSize, detail: string | undefined): Price {
  const { multiplier, original } = pricing;
  const wantsOriginal =
    detail === 'original' || (original?.auto === true && detail !== 'high' && detail !== 'low');
  const { max, longest = Infinity } = (wantsOriginal ? original : undefined) ?? pricing;
  const shown = fit(size, detail === 'low' ? LOW_DETAIL_SIDE : longest);
  const tokens = patchesOf(shown, max) * multiplier;
  // The guide tells neither how a fraction is rounded nor what low detail costs here.
  const sure = pricing.sure && Number.isInteger(tokens) && detail !== 'low';
  return { tokens: Math.round(tokens), sure };
}

/** As the guide has it: shrunk to `max` patches of area, then to whole patches on one side. */
function patchesOf({ width, height }: ImageSize, max: number): number {
  const all = roundUp(width / PATCH) * roundUp(height / PATCH);
  if (all <= max) return all;
  const shrink = Math.sqrt((max * PATCH * PATCH) / (width * height));
  const columns = (width * shrink) / PATCH;
  const rows = (height * shrink) / PATCH;
  const whole = Math.min(Math.floor(columns) / columns, Math.floor(rows) / rows);
  return Math.min(max, Math.max(1, roundUp(columns * whole)) * Math.max(1, roundUp(rows * whole)));
}

function areaPrice({ pixelsPerToken, longest, sure }: AreaPricing, size: ImageSize): Price {
  const { width, height } = fit(size, longest);
  return { tokens: Math.ceil((width * height) / pixelsPerToken), sure };
}

/** Shrunk, never enlarged, until no side is longer. */
function fit(size: ImageSize, longest: number): ImageSize {
  return scale(size, Math.min(1, longest / Math.max(size.width, size.height)));
}

function shrinkShortest(size: ImageSize, shortest: number): ImageSize {
  return scale(size, Math.min(1, shortest / Math.min(size.width, size.height)));
}

function scale({ width, height }: ImageSize, factor: number): ImageSize {
  return { width: width * factor, height: height * factor };
}

/** Up, but not over what is a whole number but for the rounding of doubles. */
function roundUp(value: number): number {
  return Math.ceil(value - 1e-9);
}
