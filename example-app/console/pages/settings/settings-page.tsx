import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, messageFor } from '../../api/client.ts';
import type { AuditEntry } from '../../api/contract.ts';
import {
  instances,
  isSignedOut,
  settings,
  settingsConnection,
  showSettings,
  staleSince,
  useLiveSettings,
} from '../../api/live.ts';
import { Banner } from '../../components/controls.tsx';
import { formatAgo, formatTime } from '../../formats.ts';
import { isolated } from '../../names.tsx';
import { goToSignIn, isAdmin } from '../../session.ts';
import { t } from '../../texts.ts';
import { AuditTable, describeChange } from './audit-table.tsx';
import { Exceptions } from './exceptions.tsx';
import { InstancesTable } from './instances-table.tsx';
import { changeSettings, explain } from './settings-change.ts';
import { type Outcome, Switches } from './switches.tsx';

const PAGE_SIZE = 20;
/** Updates "3 min ago" and uptimes. */
const TICK_MS = 10_000;

/** The live switches, who changed them, and which instance follows. */
export function SettingsPage(): JSX.Element {
  useLiveSettings();
  const current = settings.value;
  const audit = useAudit(current?.version);
  const [outcome, setOutcome] = useState<Outcome>({});
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const connection = settingsConnection.value;
  const since = staleSince.value;
  const [newest] = audit.entries;
  // Only the current version can be undone, so that this never reverts a later change.
  const undoable =
    newest?.action === 'change' &&
    newest.version === current?.version &&
    Object.keys(newest.undo).length > 0
      ? newest
      : undefined;
  return (
    <>
      <div class="row spread">
        <h1>{t('settings.title')}</h1>
        <span
          class="badge"
          id="connection"
          role="status"
          data-tone={connection?.state === 'live' ? 'good' : 'warn'}
        >
          {connection && (connection.why ?? t(`settings.${connection.state}`))}
        </span>
      </div>
      <p class="muted">{t('settings.intro')}</p>
      {since !== undefined && (
        <Banner tone="warn" id="stale">
          {t('settings.stale', { time: formatTime(since) })}
        </Banner>
      )}
      {isSignedOut.value && (
        <Banner tone="bad" id="signed-out">
          {t('error.signedOut')}{' '}
          <button type="button" onClick={goToSignIn}>
            {t('settings.signInAgain')}
          </button>
        </Banner>
      )}
      <Switches current={current} outcome={outcome} onOutcome={setOutcome}>
        <p class="muted after" id="version">
          {versionText(audit.entries)}
        </p>
      </Switches>
      {current && <Exceptions current={current} onOutcome={setOutcome} />}
      {undoable && isAdmin() && <LastChange entry={undoable} onOutcome={setOutcome} />}
      <InstancesTable list={instances.value} version={current?.version ?? 0} />
      <section class="card" aria-labelledby="audit-title" id="audit">
        <AuditTable entries={audit.entries.slice(0, audit.shown)} problem={audit.problem} />
        {audit.entries.length > audit.shown && (
          <button type="button" id="audit-more" onClick={audit.showMore}>
            {t('settings.audit.more')}
          </button>
        )}
      </section>
    </>
  );
}

function versionText(entries: readonly AuditEntry[]): string {
  const current = settings.value;
  if (!current) return '';
  const { version } = current;
  const entry = entries.find((each) => each.version === version);
  const actor = current.updated_by ?? entry?.actor;
  const time = current.updated_at ?? entry?.time;
  if (actor !== undefined && time !== undefined) {
    return t('settings.version', { version, actor: isolated(actor), ago: formatAgo(time) });
  }
  return version === 0 ? t('settings.version.none') : `${t('settings.audit.version')} ${version}`;
}

interface Audit {
  /** Newest first; one more than is shown, if there are more. */
  readonly entries: readonly AuditEntry[];
  readonly shown: number;
  readonly problem: string | undefined;
  readonly showMore: () => void;
}

/** Asks for the audit log of each version. */
function useAudit(version: number | undefined): Audit {
  const [entries, setEntries] = useState<readonly AuditEntry[]>([]);
  const [shown, setShown] = useState(PAGE_SIZE);
  const [problem, setProblem] = useState<string>();
  const again = useRef<ReturnType<typeof setTimeout>>(undefined);
  const load = async (): Promise<void> => {
    try {
      const log = await get('/api/settings/metrics/audit', { limit: shown + 1 });
      setEntries(log.entries);
      setProblem(undefined);
    } catch (error) {
      setProblem(messageFor(error));
      if (error instanceof ApiError && error.status === 429) {
        clearTimeout(again.current);
        again.current = setTimeout(() => void load(), error.waitMs);
      }
    }
  };
  useEffect(() => {
    if (version !== undefined) void load();
    return () => clearTimeout(again.current);
  }, [version, shown]);
  return { entries, shown, problem, showMore: () => setShown(shown * 5) };
}

function LastChange({
  entry,
  onOutcome,
}: {
  readonly entry: AuditEntry;
  readonly onOutcome: (outcome: Outcome) => void;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const undo = async (): Promise<void> => {
    setBusy(true);
    onOutcome({});
    try {
      const why = t('settings.undo.reason', { version: entry.version });
      const next = await changeSettings(entry.undo, why, settings.value?.version);
      showSettings(next);
      onOutcome({ good: t('settings.undo.done', { version: next.version }) });
    } catch (error) {
      onOutcome({ bad: explain(error) });
    } finally {
      setBusy(false);
    }
  };
  const parts = [describeChange(entry), isolated(entry.actor), formatTime(entry.time)];
  return (
    <section class="card" id="last-change" aria-labelledby="undo-title">
      <h2 id="undo-title">{t('settings.undo.title')}</h2>
      <div class="row spread">
        <p id="last-change-text">{parts.join(' · ')}</p>
        <button type="button" id="undo" disabled={busy} onClick={() => void undo()}>
          {t('settings.undo')}
        </button>
      </div>
    </section>
  );
}
