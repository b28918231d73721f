import type { JSX } from 'preact';
import { t, textOr } from './texts.ts';

/** They could end the isolation. */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
/** Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A name that comes from a caller. It cannot change the order of the text around it: the element
 * isolates it, and controls are replaced.
 */
export function Name({ children }: { readonly children: string }): JSX.Element {
  return <bdi>{children.replaceAll(BIDI_CONTROLS, '\uFFFD')}</bdi>;
}

/** The same inside a text, where there are no elements. */
export function isolated(name: string): string {
  const plain = name.replaceAll(BIDI_CONTROLS, '\uFFFD');
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}

const NONE: Readonly<Record<string, () => string>> = {
  user: () => t('usage.noUser'),
  conversation: () => t('usage.noConversation'),
  team: () => t('usage.noTeam'),
  error: () => t('usage.noError'),
};

/** Display name of a value of a dimension; some calls have none. */
export function nameOf(dimension: string, value: string | null | undefined): string {
  if (!value) return (NONE[dimension] ?? (() => t('usage.none')))();
  return dimension === 'outcome' ? textOr(`outcome.${value}`, value) : value;
}

/** Name of a dimension, also of a configured one. */
export function dimensionName(dimension: string): string {
  return textOr(`dimension.${dimension}`, dimension.replace(/^dimension\./, ''));
}
