import type { ComponentChildren, JSX } from 'preact';
import { t } from '../texts.ts';

export type Tone = 'good' | 'warn' | 'bad';

interface Children {
  readonly children?: ComponentChildren;
}

/** A message; one that appears later is announced. */
export function Banner({
  id,
  tone,
  children,
}: Children & { readonly id?: string; readonly tone?: Tone }): JSX.Element | null {
  if (children === undefined || children === '' || children === null) return null;
  return (
    <p class="banner" data-tone={tone} id={id} role={tone === 'good' ? 'status' : 'alert'}>
      {children}
    </p>
  );
}

export function Badge({
  tone,
  children,
}: Children & { readonly tone?: Tone | undefined }): JSX.Element {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}

/** A part of a page below a heading. */
export function Panel({
  id,
  title,
  width = 'whole',
  tools,
  children,
}: Children & {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly width?: 'whole' | 'half' | 'third';
  readonly tools?: ComponentChildren;
}): JSX.Element {
  return (
    <section class={`card ${width}`} id={id} aria-labelledby={`${id}-title`}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** A single choice as a row of buttons. */
export function Segments<T extends string>({
  id,
  label,
  choices,
  chosen,
  onChoose,
}: {
  readonly id?: string;
  readonly label: string;
  readonly choices: readonly (readonly [value: T, text: string])[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}): JSX.Element {
  return (
    <div class="segments" id={id} role="group" aria-label={label}>
      {choices.map(([value, text]) => (
        <button
          type="button"
          key={value}
          data-value={value}
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly tone?: Tone | undefined;
}

/** Names and values. Absent facts are left out. */
export function Facts({
  id,
  facts,
}: {
  readonly id?: string;
  readonly facts: readonly (Fact | undefined)[];
}): JSX.Element {
  return (
    <dl id={id}>
      {facts
        .filter((fact) => fact !== undefined)
        .map(({ name, value, tone }) => [
          <dt key={`${name} name`}>{name}</dt>,
          <dd key={name} data-tone={tone}>
            {value}
          </dd>,
        ])}
    </dl>
  );
}

/** Colour mark of a series; `colour` is the name of a custom property. */
export function Swatch({
  colour,
  dashed = false,
}: {
  readonly colour: string;
  readonly dashed?: boolean | undefined;
}): JSX.Element {
  return (
    <span
      class="swatch"
      aria-hidden="true"
      data-dashed={dashed ? '' : undefined}
      style={{ background: `var(${colour})` }}
    />
  );
}

/** While there is nothing to show yet. */
export function Waiting(): JSX.Element {
  return (
    <p class="muted waiting" role="status">
      {t('app.loading')}
    </p>
  );
}
