import type { JSX } from 'preact';
import { Segments } from '../components/controls.tsx';
import { Popup } from '../components/popup.tsx';
import { t } from '../texts.ts';
import { change, view } from '../view/current-view.ts';
import { type Dimension, type Measure, measures } from '../view/view.ts';
import { FilterChips, FilterForm } from './filter-bar.tsx';
import { RangePicker } from './range-picker.tsx';
import { SavedViews } from './saved-views.tsx';

export interface ToolbarProps {
  readonly hasMeasure?: boolean;
  /** Address of the calls as a file. */
  readonly file?: string | undefined;
  /** Values to suggest for filters. */
  readonly known?: Readonly<Partial<Record<Dimension, readonly string[]>>>;
}

/** Range, metric and filters of a page. */
export function Toolbar({ hasMeasure = false, file, known = {} }: ToolbarProps): JSX.Element {
  return (
    <div id="controls">
      <div class="toolbar">
        <RangePicker />
        {hasMeasure && (
          <Segments<Measure>
            id="measure"
            label={t('measure.label')}
            choices={measures.map((each) => [each, t(`measure.${each}`)])}
            chosen={view.value.measure}
            onChoose={(measure) => change({ measure })}
          />
        )}
        <Popup id="filter-form" buttonId="add-filter" label={t('filter.add')}>
          {(close) => <FilterForm known={known} onDone={close} />}
        </Popup>
        <SavedViews />
        {file !== undefined && (
          <a class="button" id="csv" href={file} download>
            {t('dashboard.csv')}
          </a>
        )}
      </div>
      <FilterChips />
    </div>
  );
}
