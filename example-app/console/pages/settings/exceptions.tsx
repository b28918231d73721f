import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CurrentSettings } from '../../api/contract.ts';
import { showSettings } from '../../api/live.ts';
import { isAdmin } from '../../session.ts';
import { t } from '../../texts.ts';
import { exceptionsIn, memberText } from './scope.ts';
import { changeSettings, explain } from './settings-change.ts';
import type { Outcome } from './switches.tsx';

/** Switches of single teams and services. */
export function Exceptions({
  current,
  onOutcome,
}: {
  readonly current: CurrentSettings;
  readonly onOutcome: (outcome: Outcome) => void;
}): JSX.Element | null {
  const [busy, setBusy] = useState(false);
  const members = exceptionsIn(current.settings);
  if (members.length === 0) return null;
  const remove = async (member: string): Promise<void> => {
    setBusy(true);
    onOutcome({});
    try {
      const next = await changeSettings({ [member]: null }, '', current.version);
      showSettings(next);
      onOutcome({ good: t('settings.saved', { version: next.version }) });
    } catch (error) {
      onOutcome({ bad: explain(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card" id="exceptions" aria-labelledby="exceptions-title">
      <h2 id="exceptions-title">{t('settings.exceptions')}</h2>
      <p class="muted">{t('settings.exceptions.effect')}</p>
      {members.map((member) => (
        <div class="row spread" key={member} data-member={member}>
          <p>
            {t('settings.exception', {
              name: memberText(member),
              value: t(current.settings[member] ? 'settings.on' : 'settings.off'),
            })}
          </p>
          {isAdmin() && (
            <button
              type="button"
              disabled={busy}
              aria-label={t('settings.exceptions.removeOne', { name: memberText(member) })}
              onClick={() => void remove(member)}
            >
              {t('settings.exceptions.remove')}
            </button>
          )}
        </div>
      ))}
    </section>
  );
}
