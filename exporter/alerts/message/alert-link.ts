import type { UsageAlert } from '../usage-alert.ts';

const HOUR_MS = 3_600_000;
/** How the console names what it shows. */
const MEASURES: Readonly<Record<UsageAlert['metric'], string>> = {
  costUsd: 'cost_usd',
  totalTokens: 'total_tokens',
  inputTokens: 'total_tokens',
  outputTokens: 'total_tokens',
  calls: 'calls',
};

/** The view of the console that shows what an alert is about: its period, its user or model. */
export function alertLink(publicUrl: string, alert: UsageAlert): string {
  const { metric, by, key, noData } = alert;
  const url = new URL(publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`);
  const to = Math.min(Date.parse(alert.to), Date.parse(alert.time));
  // An hour at least: shorter ranges are one bar.
  const from = Math.min(Date.parse(alert.from), to - HOUR_MS);
  url.searchParams.set('from', new Date(from).toISOString());
  url.searchParams.set('to', new Date(to).toISOString());
  url.searchParams.set('measure', MEASURES[metric]);
  const isOne = by !== 'all' && by !== 'account';
  if (isOne && !(noData && key === null)) url.searchParams.set(by, key ?? '');
  return url.href;
}
