import { TokenMeterError } from '../../errors.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, d: 86_400, w: 604_800 };

/** 0 is for ever, as InfluxDB has it. */
export function retentionSeconds(
  text: string | undefined,
  option = '--retention',
): number | undefined {
  if (text === undefined) return undefined;
  if (text === 'infinite') return 0;
  const [, amount, unit = ''] = /^([1-9]\d{0,5})([hdw])$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (UNIT_SECONDS[unit] ?? 0);
  throw new TokenMeterError('INVALID_OPTION', `${option} is no time`, {
    value: text,
    allowed: 'hours, days or weeks such as 24h, 90d, 52w, or infinite',
  });
}
