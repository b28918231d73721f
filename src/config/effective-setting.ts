import type { Setting, SettingValue } from './setting.ts';

/** Where a value came from, and its place there. */
export type Origin =
  | { readonly from: 'code' | 'default' }
  | { readonly from: 'env'; readonly variable: string }
  | { readonly from: 'file'; readonly file: string; readonly line: number };

export interface EffectiveSetting {
  readonly setting: Setting;
  /** `undefined` is unset. */
  readonly value: SettingValue | undefined;
  readonly origin: Origin;
}
