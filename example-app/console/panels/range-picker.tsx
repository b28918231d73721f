import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Choice, Field, Form } from '../components/form.tsx';
import { t } from '../texts.ts';
import { change, view } from '../view/current-view.ts';
import { bordersOf } from '../view/period.ts';
import { type Preset, type Range, calendar, presets } from '../view/view.ts';

/** Selection of the time range: presets, months, or two points in time; and what to compare with. */
export function RangePicker(): JSX.Element {
  const { range } = view.value;
  const popup = useRef<HTMLDivElement>(null);
  const isPreset = presets.some((each) => each === range);
  return (
    <div id="range">
      <div class="segments presets" role="group" aria-label={t('range.label')}>
        {presets.map((preset) => (
          <button
            type="button"
            key={preset}
            data-range={preset}
            aria-pressed={preset === range}
            onClick={() => change({ range: preset })}
          >
            {t(`range.${preset}`)}
          </button>
        ))}
        <button type="button" id="custom" popovertarget="range-form" aria-pressed={!isPreset}>
          {typeof range === 'string' && !isPreset ? t(`range.${range}`) : t('range.custom')}
        </button>
      </div>
      <div
        class="card popup"
        id="range-form"
        popover="auto"
        role="dialog"
        aria-label={t('range.custom')}
        ref={popup}
      >
        <RangeForm key={JSON.stringify(view.value)} onDone={() => popup.current?.hidePopover()} />
      </div>
    </div>
  );
}

const NEVER = 'previous';

function RangeForm({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const { range, compare } = view.value;
  const shown = bordersOf(range, new Date());
  const [from, setFrom] = useState(localInput(shown.from));
  const [to, setTo] = useState(localInput(shown.to));
  const [against, setAgainst] = useState(typeof compare === 'string' ? compare : NEVER);
  const pickRange = (next: Range): void => {
    onDone();
    change({ range: next });
  };
  return (
    <Form
      submit={t('range.apply')}
      onSubmit={() => {
        onDone();
        const isSame = from === localInput(shown.from) && to === localInput(shown.to);
        change({
          range: isSame
            ? range
            : { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
          compare: against === NEVER ? undefined : (against as Preset),
        });
      }}
    >
      <Field
        id="from"
        label={t('range.from')}
        type="datetime-local"
        required
        value={from}
        onInput={setFrom}
      />
      <Field
        id="to"
        label={t('range.to')}
        type="datetime-local"
        required
        value={to}
        onInput={setTo}
        problem={from !== '' && to !== '' && to <= from ? t('range.wrong') : ''}
      />
      <p class="row">
        {calendar.map((preset) => (
          <button
            class="plain"
            type="button"
            key={preset}
            data-range={preset}
            aria-pressed={preset === range}
            onClick={() => pickRange(preset)}
          >
            {t(`range.${preset}`)}
          </button>
        ))}
      </p>
      <Choice
        id="compare"
        label={t('compare.label')}
        choices={[
          [NEVER, t('compare.previous')],
          ...[...presets, ...calendar].map((each) => [each, t(`range.${each}`)] as const),
        ]}
        value={against}
        onChange={setAgainst}
      />
    </Form>
  );
}

/** What an input for a local date and time takes. */
function localInput(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
