import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../api/client.ts';
import type { CurrentSettings, MetricsSettings, PassingChange } from '../../api/contract.ts';
import { showSettings } from '../../api/live.ts';
import { Banner } from '../../components/controls.tsx';
import { Choice, Field, Form, Switch } from '../../components/form.tsx';
import { formatTime } from '../../formats.ts';
import { isolated } from '../../names.tsx';
import { isAdmin } from '../../session.ts';
import { t } from '../../texts.ts';
import { ALL, KEYS, type Key, memberOf, memberText, type Scope, SCOPES, valueIn } from './scope.ts';
import { changeSettings, explain } from './settings-change.ts';

/** How long a change may hold, in hours; 0 is always. */
const TIMES = [0, 1, 2, 8, 24, 168] as const;

/** Of a change. */
export interface Outcome {
  readonly good?: string;
  readonly bad?: string;
}

/** The two switches, of all calls or of a scope. What one has flipped stays until it is saved or discarded. */
export function Switches({
  current,
  outcome,
  onOutcome,
  children,
}: {
  /** Undefined: not known yet. */
  readonly current: CurrentSettings | undefined;
  readonly outcome: Outcome;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [scope, setScope] = useState<Scope>(ALL);
  const [edited, setEdited] = useState<Readonly<Partial<Record<Key, boolean>>>>({});
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('0');
  const [saving, setSaving] = useState(false);
  const before = useRef(current);
  const mayChange = isAdmin();
  const inForce = (key: Key): boolean =>
    current !== undefined && valueIn(current.settings, key, scope);
  const valueOf = (key: Key): boolean => edited[key] ?? inForce(key);
  const isNamed = scope.of === 'all' || scope.name.trim() !== '';
  const changed = KEYS.filter((key) => current && isNamed && valueOf(key) !== inForce(key));
  const choose = (next: Scope): void => {
    setEdited({});
    onOutcome({});
    setScope(next);
  };

  useEffect(() => {
    const isNews = before.current && current && before.current.version !== current.version;
    before.current = current;
    if (Object.keys(edited).length === 0 || saving) return;
    if (changed.length === 0) {
      setEdited({});
      onOutcome({});
    } else if (isNews) onOutcome({ bad: conflictText(current) });
  }, [current]);

  const save = async (): Promise<void> => {
    if (changed.length === 0) return;
    setSaving(true);
    onOutcome({});
    try {
      const patch = Object.fromEntries(changed.map((key) => [memberOf(key, scope), valueOf(key)]));
      const next = await changeSettings(patch, reason.trim(), current?.version, Number(hours));
      setReason('');
      setHours('0');
      setEdited({});
      showSettings(next);
      onOutcome({ good: t('settings.saved', { version: next.version }) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        const { version, current: settings } = error.problem as {
          readonly version: number;
          readonly current: MetricsSettings;
        };
        // The event stream names the author a moment later.
        showSettings({ version, settings });
        onOutcome({ bad: conflictText({ version, settings }) });
      } else onOutcome({ bad: explain(error) });
    } finally {
      setSaving(false);
    }
  };

  const then = !valueOf('enabled')
    ? 'nothing'
    : valueOf('token_statistics')
      ? 'everything'
      : 'basic';
  return (
    <Form
      id="switches"
      class="card"
      onSubmit={save}
      onReset={() => {
        setReason('');
        setHours('0');
        setEdited({});
        onOutcome({});
      }}
    >
      <h2>{t('settings.switches')}</h2>
      {mayChange && <ScopeChoice scope={scope} onChoose={choose} />}
      {KEYS.map((key) => (
        <Switch
          key={key}
          id={key}
          label={t(`settings.${key}`)}
          effect={t(`settings.${key}.effect`)}
          // Unknown is not off.
          state={current ? t(valueOf(key) ? 'settings.on' : 'settings.off') : ''}
          checked={valueOf(key)}
          disabled={!mayChange || !current || saving || !isNamed}
          onChange={(checked) => {
            onOutcome(outcome.bad === undefined ? {} : { bad: outcome.bad });
            // All that is seen is meant, also where somebody else changes it meanwhile.
            const shown = Object.fromEntries(KEYS.map((each) => [each, valueOf(each)]));
            setEdited({ ...shown, [key]: checked });
          }}
        />
      ))}
      <p>
        <strong>{t('settings.then')}</strong>{' '}
        <span id="then">{current && t(`settings.then.${then}`)}</span>
      </p>
      {current?.passing?.map((change) => (
        <Banner key={change.name} tone="warn" id={`passing-${change.name}`}>
          {passingText(change, current.settings)}
        </Banner>
      ))}
      <Banner tone="bad" id="problem">
        {outcome.bad}
      </Banner>
      <Banner tone="good" id="done">
        {outcome.good}
      </Banner>
      {mayChange ? (
        <div id="editing">
          <Field
            id="reason"
            label={t('settings.reason')}
            maxLength={200}
            autocomplete="off"
            value={reason}
            onInput={setReason}
          />
          <Choice
            id="time"
            label={t('settings.time')}
            choices={TIMES.map((each) => [String(each), timeText(each)])}
            value={hours}
            onChange={setHours}
          />
          <div class="row">
            <button
              class="primary"
              type="submit"
              id="save"
              disabled={changed.length === 0 || saving}
            >
              {t(saving ? 'settings.saving' : 'settings.save')}
            </button>
            <button type="reset" id="discard" disabled={changed.length === 0 || saving}>
              {t('settings.discard')}
            </button>
            {changed.length > 0 && (
              <span class="muted" id="unsaved">
                {t('settings.unsaved')}
              </span>
            )}
          </div>
        </div>
      ) : (
        <p class="muted" id="viewer">
          {t('settings.viewer')}
        </p>
      )}
      {children}
    </Form>
  );
}

function ScopeChoice({
  scope,
  onChoose,
}: {
  readonly scope: Scope;
  readonly onChoose: (scope: Scope) => void;
}): JSX.Element {
  return (
    <div class="row">
      <Choice
        id="scope"
        label={t('settings.scope')}
        choices={SCOPES.map((each) => [each, t(`settings.scope.${each}`)])}
        value={scope.of}
        onChange={(of) => onChoose({ of: of as Scope['of'], name: '' })}
      />
      {scope.of !== 'all' && (
        <Field
          id="scope-name"
          label={t('settings.scope.name')}
          maxLength={256}
          autocomplete="off"
          value={scope.name}
          onInput={(name) => onChoose({ ...scope, name })}
        />
      )}
    </div>
  );
}

function timeText(hours: number): string {
  if (hours === 0) return t('settings.time.always');
  return hours < 24
    ? t('settings.time.hours', { count: hours })
    : t('settings.time.days', { count: hours / 24 });
}

function passingText({ name, until, by }: PassingChange, settings: MetricsSettings): string {
  return t('settings.passing', {
    name: memberText(name),
    value: t(settings[name] ? 'settings.on' : 'settings.off'),
    time: formatTime(until),
    actor: isolated(by),
  });
}

function conflictText({ version, updated_by: actor = '?' }: CurrentSettings): string {
  return t('settings.conflict', { actor: isolated(actor), version });
}
