import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { addEntry, entriesOf, entries, removeEntry } from '../api/entries.ts';
import { health } from '../api/live.ts';
import { useAction } from '../api/use-answer.ts';
import type { Note } from '../components/chart/chart-data.ts';
import { Banner } from '../components/controls.tsx';
import { Field, Form } from '../components/form.tsx';
import { Popup } from '../components/popup.tsx';
import { formatTime } from '../formats.ts';
import { Name } from '../names.tsx';
import { t } from '../texts.ts';
import { localInput } from '../view/local-input.ts';
import type { Period } from '../view/period.ts';

/** What may explain a chart: annotations, and the list that prices are from. */
export function useNotes(period: Period | undefined): readonly Note[] {
  const prices = health.value?.prices;
  return useMemo(() => {
    if (!period) return [];
    const isShown = ({ time }: Note): boolean => time >= period.from.getTime() && time < period.end;
    const annotations = entriesOf('annotation').map(({ time, text }) => ({
      time: Date.parse(time),
      text: `${formatTime(time)}: ${text}`,
    }));
    const list = prices?.date && {
      time: Date.parse(prices.date),
      text: t('annotation.prices', { name: prices.name, date: prices.date }),
    };
    return [...annotations, ...(list ? [list] : [])]
      .filter(isShown)
      .toSorted((a, b) => a.time - b.time);
  }, [period, entries.value, prices?.name, prices?.date]);
}

/** Adds and removes annotations. */
export function AnnotationsEditor(): JSX.Element {
  const [time, setTime] = useState(localInput(new Date()));
  const [text, setText] = useState('');
  const removal = useAction(() => undefined);
  const all = entriesOf('annotation').toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return (
    <Popup id="annotations" buttonId="annotate" label={t('annotation.edit')}>
      {() => (
        <>
          <Form
            submit={t('annotation.add')}
            onSubmit={async () => {
              await addEntry({ kind: 'annotation', time: new Date(time).toISOString(), text });
              setText('');
            }}
          >
            <Field
              id="annotation-time"
              label={t('calls.time')}
              type="datetime-local"
              required
              value={time}
              onInput={setTime}
            />
            <Field
              id="annotation-text"
              label={t('annotation.text')}
              required
              maxLength={200}
              autocomplete="off"
              value={text}
              onInput={setText}
            />
          </Form>
          <ul class="plain-list entries">
            {all.map(({ id, time: at, text: said }) => (
              <li key={id} class="row spread">
                <span>
                  {formatTime(at)} <Name>{said}</Name>
                </span>
                <button
                  type="button"
                  class="plain"
                  disabled={removal.isRunning}
                  onClick={() => void removal.run(() => removeEntry(id))}
                >
                  {t('entry.remove')}
                </button>
              </li>
            ))}
          </ul>
          <Banner tone="bad">{removal.problem}</Banner>
        </>
      )}
    </Popup>
  );
}
