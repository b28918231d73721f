import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Choice, Field, Form } from '../components/form.tsx';
import { Popup } from '../components/popup.tsx';
import { t } from '../texts.ts';
import { change, view } from '../view/current-view.ts';
import { localInput } from '../view/local-input.ts';
import { bordersOf } from '../view/period.ts';
import { type Preset, type Range, calendar, presets } from '../view/view.ts';

/** Ranges with a button of their own. */
const ROW: readonly Preset[] = ['today', 'yesterday', '24h', '7d', '30d', '90d', 'last-month'];

/** Selection of the time range: presets, months, or two points in time; and what to compare with. */
export function RangePicker(): JSX.Element {
  const { range } = view.value;
  const isPreset = ROW.some((each) => each === range);
  return (
    <div id="range">
      <div class="segments presets" role="group" aria-label={t('range.label')}>
        {ROW.map((preset) => (
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
        <Popup
          id="range-form"
          buttonId="custom"
          label={typeof range === 'string' && !isPreset ? t(`range.${range}`) : t('range.custom')}
          title={t('range.custom')}
          isPressed={!isPreset}
        >
          {(close) => <RangeForm key={JSON.stringify(view.value)} onDone={close} />}
        </Popup>
      </div>
    </div>
  );
}

const PREVIOUS = 'previous';
const OTHER = 'other';

function RangeForm({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const { range, compare } = view.value;
  const shown = bordersOf(range, new Date());
  const [from, setFrom] = useState(localInput(shown.from));
  const [to, setTo] = useState(localInput(shown.to));
  const other = typeof compare === 'object' ? compare : undefined;
  const [against, setAgainst] = useState<string>(
    typeof compare === 'object' ? OTHER : (compare ?? PREVIOUS),
  );
  const earlier = bordersOf(other ?? periodBefore(shown), new Date());
  const [otherFrom, setOtherFrom] = useState(localInput(earlier.from));
  const [otherTo, setOtherTo] = useState(localInput(earlier.to));
  const compared = (): Range | undefined => {
    if (against === PREVIOUS) return undefined;
    return against === OTHER ? rangeBetween(otherFrom, otherTo) : (against as Preset);
  };
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
          range: isSame ? range : rangeBetween(from, to),
          compare: compared(),
        });
      }}
    >
      <Moments id="" from={from} to={to} onFrom={setFrom} onTo={setTo} />
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
          [PREVIOUS, t('compare.previous')],
          ...[...presets, ...calendar].map((each) => [each, t(`range.${each}`)] as const),
          [OTHER, t('compare.other')],
        ]}
        value={against}
        onChange={setAgainst}
      />
      {against === OTHER && (
        <Moments
          id="compare-"
          from={otherFrom}
          to={otherTo}
          onFrom={setOtherFrom}
          onTo={setOtherTo}
        />
      )}
    </Form>
  );
}

/** Two points in time, the first one earlier. */
function Moments({
  id,
  from,
  to,
  onFrom,
  onTo,
}: {
  /** Before the ids of the inputs. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly onFrom: (text: string) => void;
  readonly onTo: (text: string) => void;
}): JSX.Element {
  const input = { type: 'datetime-local', required: true } as const;
  const problem = from !== '' && to !== '' && to <= from ? t('range.wrong') : '';
  return (
    <>
      <Field id={`${id}from`} label={t('range.from')} {...input} value={from} onInput={onFrom} />
      <Field
        id={`${id}to`}
        label={t('range.to')}
        {...input}
        value={to}
        onInput={onTo}
        problem={problem}
      />
    </>
  );
}

function rangeBetween(from: string, to: string): Range {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function periodBefore({ from, to }: { readonly from: Date; readonly to: Date }): Range {
  return {
    from: new Date(2 * from.getTime() - to.getTime()).toISOString(),
    to: from.toISOString(),
  };
}
