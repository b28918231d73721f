import type { JSX } from 'preact';
import { ApiError, messageFor } from '../api/client.ts';
import type { Health, Summary } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Banner } from '../components/controls.tsx';
import { formatMoney, formatMs, formatRange, formatTime, formatWhole } from '../formats.ts';
import { isolated } from '../names.tsx';
import { goToSignIn } from '../session.ts';
import { t } from '../texts.ts';
import { change, view } from '../view/current-view.ts';

/** Describes an error and its remedy. */
export function Problem({
  problem,
  onRetry,
}: {
  readonly problem: unknown;
  readonly onRetry: () => void;
}): JSX.Element | null {
  if (problem === undefined) return null;
  const isSignedOut = problem instanceof ApiError && problem.status === 401;
  return (
    <Banner tone="bad" id="problem">
      {problemText(problem)}{' '}
      <button type="button" onClick={isSignedOut ? goToSignIn : onRetry}>
        {t(isSignedOut ? 'app.signIn' : 'problem.retry')}
      </button>
    </Banner>
  );
}

function problemText(problem: unknown): string {
  if (!(problem instanceof ApiError)) return messageFor(problem);
  if (problem.problem['code'] === 'ledger_unavailable') return t('problem.ledger');
  // Without a ledger there is no usage API.
  return problem.status === 404 ? t('problem.noLedger') : problem.message;
}

/** The parts of the range whose calls are gone, where a panel would need them. */
export function Incomplete({ answers }: { readonly answers: readonly unknown[] }): JSX.Element {
  const parts = (answers as readonly (Answered<Partial<Summary> | undefined> | undefined)[])
    .flatMap((answer) => answer?.value?.missing ?? [])
    .map(({ from, to }) => [Date.parse(from), Date.parse(to)] as const);
  if (parts.length === 0) return <></>;
  const from = Math.min(...parts.map(([start]) => start));
  const to = Math.max(...parts.map(([, end]) => end));
  return (
    <Banner tone="warn" id="incomplete">
      {t('usage.incomplete', { range: formatRange(new Date(from), new Date(to)) })}
    </Banner>
  );
}

/** Alerts that are not ok. */
export function ActiveAlerts({
  alerts,
}: {
  readonly alerts: Health['alerts'];
}): JSX.Element | null {
  if (alerts.length === 0) return null;
  return (
    <section id="alerts" aria-label={t('alert.title')}>
      <ul class="plain-list">
        {alerts.map((alert) => (
          <li
            class="banner"
            key={`${alert.rule} ${alert.key}`}
            data-tone={alert.level === 'alert' ? 'bad' : 'warn'}
          >
            <strong>{t(`alert.${alert.level}`)}</strong> {alertText(alert)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function alertText({
  rule,
  metric,
  by,
  key,
  value,
  at_least: atLeast,
  threshold,
  no_data: noData,
  window_ms: span,
  since,
}: Health['alerts'][number]): string {
  const format = metric === 'costUsd' ? formatMoney : formatWhole;
  const whose = by === 'all' ? '' : ` (${isolated(key ?? t('usage.noUser'))})`;
  const what = noData
    ? t('alert.noData', { window: formatMs(span) })
    : t('alert.reached', {
        value: atLeast ? t('alert.atLeast', { value: format(value) }) : format(value),
        threshold: format(threshold),
        window: formatMs(span),
      });
  return `${isolated(rule)}${whose}: ${what} ${t('alert.since', { time: formatTime(since) })}`;
}

/** Explains that there is nothing to show, and leads out. `isNever`: there has never been a call. */
export function Empty({ isNever }: { readonly isNever: boolean }): JSX.Element {
  if (isNever) {
    return (
      <section class="card" id="empty">
        <div id="empty-never">
          <h2>{t('empty.never')}</h2>
          <p>{t('empty.never.how')}</p>
          <p>
            <a class="button primary" href="/chat">
              {t('empty.never.chat')}
            </a>
          </p>
          <p class="muted">{t('empty.never.or')}</p>
          <pre>
            <code>npm run replay -- conversations.jsonl</code>
          </pre>
          <p>
            <a href="/settings">{t('empty.never.settings')}</a>
          </p>
        </div>
      </section>
    );
  }
  const { range, filters } = view.value;
  return (
    <section class="card" id="empty">
      <h2>{t('empty.here')}</h2>
      <p>{t('empty.here.how')}</p>
      <p class="row">
        {range !== '90d' && (
          <button type="button" id="empty-widen" onClick={() => change({ range: '90d' })}>
            {t('empty.widen')}
          </button>
        )}
        {Object.keys(filters).length > 0 && (
          <button type="button" id="empty-clear" onClick={() => change({ filters: {} })}>
            {t('filter.clear')}
          </button>
        )}
      </p>
    </section>
  );
}
