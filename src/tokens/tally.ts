import type { ModelProfile } from './models.ts';
import { weakest, type Quality } from './quality.ts';
import { estimateTokens, type EstimatedVocabulary } from './text-weights.ts';

/** Parts of a counted request or reply. */
export type PartName =
  | 'text'
  | 'framing'
  | 'tools'
  | 'toolCalls'
  | 'images'
  | 'audio'
  | 'files'
  | 'structuredOutput'
  | 'reasoning';

export interface PartCount {
  readonly tokens: number;
  readonly quality: Quality;
}

export interface TokenCount extends PartCount {
  /** Contains only parts that occur. `tokens` is their sum, and `exact` only if all of them are. */
  readonly parts: Readonly<Partial<Record<PartName, PartCount>>>;
}

interface PendingText {
  readonly part: PartName;
  readonly text: string;
  readonly scale: number;
}

/**
 * Collects the contents of a request before counting: constants as a sum, texts as a list.
 * Synchronous counting, slices and the worker share this accounting.
 */
export class Tally {
  readonly texts: PendingText[] = [];
  /** Encoding that the texts are counted in. */
  readonly encoding: string;
  readonly #textQuality: Quality;
  readonly #estimated: EstimatedVocabulary | undefined;
  readonly #parts = new Map<PartName, { tokens: number; quality: Quality }>();

  constructor({ encoding, quality, estimated }: ModelProfile) {
    this.encoding = encoding;
    this.#textQuality = quality;
    this.#estimated = estimated;
  }

  addText(part: PartName, text: string, quality: Quality = 'exact'): void {
    this.texts.push({ part, text, scale: 1 });
    this.addTokens(part, 0, weakest(quality, this.#textQuality));
  }

  /** A text that the provider shows to the model in another form, which has `scale` times its tokens. */
  addScaledText(part: PartName, text: string, scale: number): void {
    this.texts.push({ part, text, scale });
    this.addTokens(part, 0, 'estimated');
  }

  addTokens(part: PartName, tokens: number, quality: Quality): void {
    const entry = this.#parts.get(part);
    if (entry === undefined) {
      this.#parts.set(part, { tokens, quality });
      return;
    }
    entry.tokens += tokens;
    entry.quality = weakest(entry.quality, quality);
  }

  /** Marks the parts that occur as estimated. */
  weaken(parts: readonly PartName[]): void {
    for (const part of parts) if (this.#parts.has(part)) this.addTokens(part, 0, 'estimated');
  }

  /**
   * @param counts tokens of `texts`, in the same order
   * @param countQuality `estimated` when another vocabulary had to be used
   */
  total(counts: readonly number[], countQuality: Quality): TokenCount {
    this.texts.forEach(({ part, text, scale }, i) => {
      const counted = counts[i] ?? 0;
      // A scale is one of tokens of o200k_base.
      const converts = this.#estimated !== undefined && scale === 1;
      const own = converts ? estimateTokens(text, counted, this.#estimated) : counted;
      this.addTokens(part, own * scale, countQuality);
    });
    let tokens = 0;
    let quality: Quality = 'exact';
    for (const part of this.#parts.values()) {
      part.tokens = Math.max(0, Math.round(part.tokens));
      tokens += part.tokens;
      quality = weakest(quality, part.quality);
    }
    return { tokens, quality, parts: Object.fromEntries(this.#parts) };
  }
}
