import type {
  AreaPricing,
  CropPricing,
  ImagePricing,
  PatchPricing,
  TilePricing,
} from './image-pricing.ts';
import type { ImageSize } from './image-size.ts';
import type { PartCount } from './tally.ts';

const PATCH = 32;
/** `detail: 'low'` scales an image down to this size. */
const LOW_DETAIL_SIDE = 512;
/** Assumed for an image of unknown size: the example of the guide. */
const DEFAULT_SIZE: ImageSize = { width: 1024, height: 1024 };

/**
 * Tokens of one image. Exact when the size is known, the formula is sure and the detail is given.
 * With `auto` the provider decides; `high` is assumed.
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
    case 'crops':
      return cropPrice(pricing, size);
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
  // The guide specifies neither the rounding of fractions nor the cost of low detail here.
  const sure = pricing.sure && Number.isInteger(tokens) && detail !== 'low';
  return { tokens: Math.round(tokens), sure };
}

/** As in the guide: scaled down to an area of `max` patches, then to whole patches on one side. */
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

function cropPrice({ perCrop, small, sure }: CropPricing, { width, height }: ImageSize): Price {
  if (Math.max(width, height) <= small) return { tokens: perCrop, sure };
  const side = Math.min(768, Math.max(256, Math.floor(Math.min(width, height) / 1.5)));
  return { tokens: perCrop * roundUp(width / side) * roundUp(height / side), sure };
}

/** Scales down, never up, until no side is longer. */
function fit(size: ImageSize, longest: number): ImageSize {
  return scale(size, Math.min(1, longest / Math.max(size.width, size.height)));
}

function shrinkShortest(size: ImageSize, shortest: number): ImageSize {
  return scale(size, Math.min(1, shortest / Math.min(size.width, size.height)));
}

function scale({ width, height }: ImageSize, factor: number): ImageSize {
  return { width: width * factor, height: height * factor };
}

/** Rounds up, but ignores floating-point error above a whole number. */
function roundUp(value: number): number {
  return Math.ceil(value - 1e-9);
}
