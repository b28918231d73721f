import type { Health, Row, Total } from '../api/contract.ts';
import { Badge, type Fact, type Tone } from '../components/controls.tsx';
import { formatAgo, formatMs, formatPercent, formatTime, formatWhole } from '../formats.ts';
import { isolated } from '../names.tsx';
import { t, textOr } from '../texts.ts';

const MAX_NAMES = 5;

export const exporterTones: Readonly<Record<string, Tone>> = {
  ok: 'good',
  retrying: 'warn',
  failing: 'bad',
  closed: 'warn',
};

export interface ExporterCounts {
  readonly accepted?: number;
  readonly delivered?: number;
  readonly pending?: number | undefined;
  readonly dropped?: Readonly<Record<string, number>>;
}

/** Records that wait; `undefined` without an exporter that counts them. */
export function pendingOf(counts: ExporterCounts | undefined): number | undefined {
  const { pending, accepted, delivered } = counts ?? {};
  if (pending !== undefined || accepted === undefined || delivered === undefined) return pending;
  return accepted - delivered;
}

/** Records lost for any reason. */
export function droppedOf(counts: ExporterCounts | undefined): number | undefined {
  return counts && Object.values(counts.dropped ?? {}).reduce((sum, count) => sum + count, 0);
}

type Facts = readonly (Fact | undefined)[];

/** Health of the plugin: whether the numbers are complete. */
export function healthFacts(health: Health): Facts {
  return [
    ...exporterFacts(health),
    ...health.backlogs.map(({ destination, lines }) => ({
      name: t('health.backlog'),
      value: t('health.waitsFor', { count: formatWhole(lines), destination }),
      tone: 'warn' as const,
    })),
    ...settingsFacts(health),
    ...priceFacts(health),
  ];
}

/** Quality of the numbers in the range. */
export function qualityFacts(
  { estimated_share: estimated, unpriced_calls: unpriced }: Total,
  models: readonly Row[],
): Facts {
  const names = models
    .filter((row) => row.unpriced_calls > 0 && !row.is_other)
    .map((row) => row.model ?? '');
  const count = formatWhole(unpriced);
  // Smaller models are part of the `(other)` row, which has no names.
  const calls =
    names.length === 0
      ? t('usage.calls', { count })
      : t('health.unpricedCalls', { count, models: listed(names) });
  return [
    {
      name: t('health.estimated'),
      value: estimated === undefined ? t('health.nothingCounted') : formatPercent(estimated),
    },
    {
      name: t('health.unpriced'),
      value: unpriced === 0 ? t('health.allPriced') : calls,
      tone: unpriced > 0 ? 'warn' : undefined,
    },
  ];
}

function exporterFacts({ exporter }: Health): Facts {
  if (!exporter) {
    return [{ name: t('health.exporter'), value: t('health.noExporter'), tone: 'warn' }];
  }
  const { state, dropped, last_error: error, oldest_age_ms: oldest } = exporter;
  const count = formatWhole(pendingOf(exporter));
  const lost = Object.entries(dropped).filter(([, each]) => each > 0);
  return [
    {
      name: t('health.exporter'),
      value: <Badge tone={exporterTones[state]}>{textOr(`exporter.${state}`, state)}</Badge>,
    },
    {
      name: t('health.waiting'),
      value: oldest === undefined ? count : t('health.oldest', { count, age: formatMs(oldest) }),
    },
    exporter.volatile === undefined
      ? undefined
      : { name: t('health.volatile'), value: formatWhole(exporter.volatile), tone: 'bad' },
    exporter.handed_over === undefined
      ? undefined
      : { name: t('health.handedOver'), value: formatWhole(exporter.handed_over), tone: 'warn' },
    {
      name: t('health.dropped'),
      value:
        lost.length === 0
          ? formatWhole(0)
          : lost.map(([reason, each]) => `${formatWhole(each)} ${reason}`).join(', '),
      tone: lost.length > 0 ? 'bad' : undefined,
    },
    { name: t('health.retries'), value: formatWhole(exporter.retries) },
    exporter.last_success === undefined
      ? undefined
      : { name: t('health.lastSuccess'), value: formatAgo(exporter.last_success) },
    state === 'ok' || !error
      ? undefined
      : { name: t('health.lastError'), value: error.message, tone: 'bad' },
  ];
}

function settingsFacts({ settings }: Health): Facts {
  if (!settings) return [];
  const { enabled, token_statistics: tokens, version, state, stale_since: since } = settings;
  const on = enabled ? (tokens ? 'everything' : 'basic') : 'nothing';
  const isStale = state === 'stale' && since !== undefined;
  return [
    {
      name: t('health.records'),
      value: (
        <>
          <Badge tone={on === 'everything' ? 'good' : 'warn'}>{t(`health.records.${on}`)}</Badge>{' '}
          <a href="/settings">{t('health.recordsLink')}</a>
        </>
      ),
      tone: on === 'everything' ? undefined : 'warn',
    },
    {
      name: t('health.settings'),
      value: isStale
        ? t('health.stale', { version, since: formatTime(since) })
        : t('health.version', { version }),
      tone: isStale ? 'warn' : undefined,
    },
  ];
}

function priceFacts({ prices }: Health): Facts {
  if (!prices) return [];
  const { name, date, file, overrides, problem, currency } = prices;
  const contract = overrides && t('health.overrides', { name: overrides });
  return [
    { name: t('health.prices'), value: joined([name, date, file, contract]) },
    problem === undefined
      ? undefined
      : { name: t('health.pricesProblem'), value: problem, tone: 'warn' },
    currency && {
      name: t('health.currency'),
      value: joined([
        t('health.rate', { code: currency.code, rate: currency.usd_per_unit }),
        currency.date,
      ]),
    },
  ];
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}

function listed(names: readonly string[]): string {
  const more = names.length > MAX_NAMES ? ' …' : '';
  return names.slice(0, MAX_NAMES).map(isolated).join(', ') + more;
}
