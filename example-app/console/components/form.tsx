import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { messageFor } from '../api/client.ts';
import { t } from '../texts.ts';
import { Banner } from './controls.tsx';

interface FormProps {
  readonly id?: string;
  readonly class?: string;
  /** A rejection is shown, and what was typed is kept. */
  readonly onSubmit: (form: HTMLFormElement) => unknown;
  readonly onReset?: () => void;
  /** On the button. */
  readonly submit?: string;
  /** Explains an error. @default its message */
  readonly explain?: (error: unknown) => string | undefined;
  readonly children: ComponentChildren;
}

/** A form that is sent by script: one at a time, with its problem below the fields. */
export function Form({
  id,
  class: name,
  onSubmit,
  onReset,
  submit,
  explain = messageFor,
  children,
}: FormProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const send = async (form: HTMLFormElement): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onSubmit(form);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      id={id}
      class={name}
      aria-busy={busy}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void send(event.currentTarget);
      }}
      onReset={(event) => {
        if (!onReset) return;
        event.preventDefault();
        setProblem(undefined);
        onReset();
      }}
    >
      {children}
      <Banner tone="bad">{problem}</Banner>
      {submit !== undefined && (
        <button class="primary" type="submit" disabled={busy}>
          {busy ? t('form.working') : submit}
        </button>
      )}
    </form>
  );
}

export interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  /** Why the value cannot be sent. */
  readonly problem?: string;
  readonly id?: string;
  readonly name?: string;
  /** @default "text" */
  readonly type?: 'text' | 'password' | 'datetime-local' | 'number';
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly required?: boolean;
  readonly readOnly?: boolean;
  readonly maxLength?: number;
  /** Of numbers. */
  readonly min?: number;
  readonly autocomplete?: 'off' | 'current-password';
  readonly placeholder?: string;
  /** Id of a list of suggestions. */
  readonly list?: string;
}

/** An input below its label. */
export function Field({
  label,
  hint,
  problem = '',
  id: given,
  onInput,
  type = 'text',
  ...rest
}: FieldProps): JSX.Element {
  const made = useId();
  const id = given ?? made;
  const element = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => element.current?.setCustomValidity(problem), [problem]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        // Preact types inputs by their `type`, of which this has several.
        {...(rest as object)}
        type={type as 'text'}
        id={id}
        ref={element}
        spellcheck={false}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {hint !== undefined && (
        <p class="muted hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** One of several values below a label. */
export function Choice({
  label,
  id: given,
  choices,
  value,
  onChange,
}: {
  readonly label: string;
  readonly id?: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const made = useId();
  const id = given ?? made;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {choices.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A switch beside its label; `state` says what it is at. */
export function Switch({
  id,
  label,
  state = '',
  effect,
  checked,
  disabled = false,
  onChange,
}: {
  readonly id: string;
  readonly label: string;
  readonly state?: string;
  readonly effect?: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <div class="switch-row">
      <input
        class="switch"
        type="checkbox"
        role="switch"
        id={id}
        {...(effect !== undefined && { 'aria-describedby': `${id}-effect` })}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>
          {label} <span class="state">{state}</span>
        </label>
        {effect !== undefined && (
          <p class="muted" id={`${id}-effect`}>
            {effect}
          </p>
        )}
      </div>
    </div>
  );
}
