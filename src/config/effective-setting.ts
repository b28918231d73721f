import type { Setting, SettingValue } from './setting.ts';

/** Source of a value, and its position there. */
export type Origin =
  | { readonly from: 'code' | 'default' }
  | { readonly from: 'env'; readonly variable: string }
  | { readonly from: 'file'; readonly file: string; readonly line: number };

export interface EffectiveSetting {
  readonly setting: Setting;
  /** `undefined` means unset. */
  readonly value: SettingValue | undefined;
  readonly origin: Origin;
}
