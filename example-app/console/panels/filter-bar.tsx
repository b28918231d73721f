import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ownDimensions } from '../api/live.ts';
import { Choice, Field, Form } from '../components/form.tsx';
import { Name, dimensionName, isolated, nameOf } from '../names.tsx';
import { t } from '../texts.ts';
import { change, show, view } from '../view/current-view.ts';
import { type Dimension, dimensions, withFilter } from '../view/view.ts';

const OUTCOMES = ['ok', 'error', 'aborted', 'blocked'];
const MAX_SUGGESTIONS = 100;

/** The active filters, each with a button to remove it. */
export function FilterChips(): JSX.Element | null {
  const { filters } = view.value;
  const chips = (Object.keys(filters) as Dimension[]).flatMap((dimension) =>
    (filters[dimension] ?? []).map((value) => [dimension, value] as const),
  );
  if (chips.length === 0) return null;
  const remove = (dimension: Dimension, value: string): void => {
    const rest = (filters[dimension] ?? []).filter((each) => each !== value);
    show(withFilter(view.value, dimension, rest));
  };
  return (
    <div class="filters" id="filters">
      <ul class="chips" aria-label={t('filter.label')}>
        {chips.map(([dimension, value]) => {
          const name = nameOf(dimension, value);
          return (
            <li key={`${dimension} ${value}`}>
              <button
                type="button"
                class="chip"
                title={t('filter.remove', { name: isolated(name) })}
                onClick={() => remove(dimension, value)}
              >
                <span class="muted">{dimensionName(dimension)}</span>{' '}
                <span class="name">
                  <Name>{name}</Name>
                </span>
                <span aria-hidden="true"> ×</span>
                <span class="sr-only"> {t('filter.removeShort')}</span>
              </button>
            </li>
          );
        })}
      </ul>
      <button class="link" type="button" id="clear-filters" onClick={() => change({ filters: {} })}>
        {t('filter.clear')}
      </button>
    </div>
  );
}

/** Adds a filter; an empty value stands for calls without one. */
export function FilterForm({
  known,
  onDone,
}: {
  readonly known: Readonly<Partial<Record<Dimension, readonly string[]>>>;
  readonly onDone: () => void;
}): JSX.Element {
  const [dimension, setDimension] = useState<Dimension>('user');
  const [value, setValue] = useState('');
  const suggested = dimension === 'outcome' ? OUTCOMES : (known[dimension] ?? []);
  return (
    <Form
      submit={t('filter.apply')}
      onSubmit={() => {
        const present = view.value.filters[dimension] ?? [];
        onDone();
        show(withFilter(view.value, dimension, [...new Set([...present, value])]));
        setValue('');
      }}
    >
      <Choice
        id="filter-dimension"
        label={t('filter.by')}
        choices={[...dimensions, ...ownDimensions()].map((each) => [each, dimensionName(each)])}
        value={dimension}
        onChange={(value) => setDimension(value as Dimension)}
      />
      <Field
        id="filter-value"
        label={t('filter.value')}
        list="filter-values"
        maxLength={1024}
        autocomplete="off"
        placeholder={t('filter.none')}
        value={value}
        onInput={setValue}
      />
      <datalist id="filter-values">
        {suggested.slice(0, MAX_SUGGESTIONS).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </Form>
  );
}
