import { startsWithName } from './models.ts';

/** How images are billed. */
export type ImagePricing = TilePricing | PatchPricing | AreaPricing | CropPricing;

/** A base and a price per tile, after the image is scaled into a square and to a shortest side. */
export interface TilePricing {
  readonly kind: 'tiles';
  readonly base: number;
  readonly perTile: number;
  readonly tile: number;
  readonly longest: number;
  readonly shortest: number;
  /** Whether the provider documents the formula and no measurement contradicts it. */
  readonly sure: boolean;
}

/** Patches of 32 pixels. The image is scaled down to at most `max` patches. */
export interface PatchPricing {
  readonly kind: 'patches';
  readonly max: number;
  readonly longest?: number;
  /** Limits for `detail: 'original'`, and whether `auto` means that. */
  readonly original?: { readonly max: number; readonly longest: number; readonly auto: boolean };
  readonly multiplier: number;
  readonly sure: boolean;
}

/** Pixels per token. */
export interface AreaPricing {
  readonly kind: 'area';
  readonly pixelsPerToken: number;
  readonly longest: number;
  readonly sure: boolean;
}

/**
 * Google's guide: a small image is one crop, another one has crops of two thirds of its shorter side,
 * 256 to 768 pixels.
 */
export interface CropPricing {
  readonly kind: 'crops';
  readonly perCrop: number;
  /** Longest side of a small image, in pixels. */
  readonly small: number;
  readonly sure: boolean;
}

function tiles(base: number, perTile: number, sure = true, shortest = 768): TilePricing {
  return { kind: 'tiles', base, perTile, tile: 512, longest: 2048, shortest, sure };
}

function patches(multiplier: number, sure: boolean): PatchPricing {
  return { kind: 'patches', max: 1536, multiplier, sure };
}

/**
 * "high" allows 2500 patches and 2048 pixels, "original" 10,000 and 6000 (guide, spring 2026). The
 * multiplier of the former has not been measured, that of gpt-6 is second-hand.
 */
function largePatches(multiplier: number, auto: boolean): PatchPricing {
  return {
    kind: 'patches',
    max: 2500,
    longest: 2048,
    original: { max: 10_000, longest: 6000, auto },
    multiplier,
    sure: false,
  };
}

/**
 * OpenAI's images guide (spring 2026). Where sources conflict the measured value is used and marked
 * as not sure:
 * - gpt-5-mini: the guide says 1.62, two forum measurements 1.20; gpt-5-nano: 2.46 and 1.5;
 * - gpt-5.2: the guide names no multiplier, a forum measurement found 1.2;
 * - gpt-4.1: documented with patches for a while, billed by tiles (measured: 765 for 1024 × 1024).
 */
const RULES: readonly (readonly [prefix: string, pricing: ImagePricing])[] = [
  ['gpt-4o-mini', tiles(2833, 5667)],
  ['gpt-4.1-mini', patches(1.62, true)],
  ['gpt-4.1-nano', patches(2.46, true)],
  ['gpt-4.1', tiles(85, 170)],
  ['gpt-4.5', tiles(85, 170)],
  ['gpt-4o', tiles(85, 170)],
  ['gpt-4-turbo', tiles(85, 170)],
  ['gpt-4-vision', tiles(85, 170)],
  ['chatgpt-4o', tiles(85, 170)],
  ['gpt-5-mini', patches(1.2, false)],
  ['gpt-5-nano', patches(1.5, false)],
  ['gpt-5.2', patches(1.2, false)],
  ['gpt-5.4-mini', patches(1.62, false)],
  ['gpt-5.4-nano', patches(2.46, false)],
  ['gpt-5.4', largePatches(1, false)],
  ['gpt-5.5', largePatches(1, false)],
  ['gpt-5.6', largePatches(1, false)],
  ['gpt-5.1', tiles(70, 140, false)],
  ['gpt-5.3', tiles(70, 140, false)],
  ['gpt-5', tiles(70, 140)],
  ['gpt-6', largePatches(1.2, true)],
  ['codex-mini', patches(1, true)],
  ['o4-mini', patches(1.72, true)],
  ['o1', tiles(75, 150)],
  ['o3', tiles(75, 150)],
  ['computer-use-preview', tiles(65, 129)],
  ['gpt-image-1', tiles(65, 129, false, 512)],
  // Anthropic's vision guide: width × height / 750 after scaling down to 1568 pixels.
  ['claude', { kind: 'area', pixelsPerToken: 750, longest: 1568, sure: false }],
  // Google's guide: Gemini 3 bills an image alike in any size; recorded calls are near it.
  ['gemini-3', { kind: 'crops', perCrop: 1120, small: Infinity, sure: false }],
  ['gemini', { kind: 'crops', perCrop: 258, small: 384, sure: false }],
];

const UNKNOWN: ImagePricing = tiles(85, 170, false);

/** @param name normalised model name, as in its profile */
export function imagePricingOf(name: string): ImagePricing {
  return RULES.find(([prefix]) => startsWithName(name, prefix))?.[1] ?? UNKNOWN;
}
