import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import type { Health } from '../api/contract.ts';
import type { Loader } from '../api/loader.ts';
import { SLOTS } from '../components/chart/colours.ts';
import { t } from '../texts.ts';
import { view } from '../view/current-view.ts';
import { fileOf } from '../view/parameters.ts';
import { CallPages } from './call-pages.ts';
import { CallsTable } from './calls-table.tsx';
import { ConversationPanel } from './conversation-panel.tsx';
import { CoursePanel } from './course-panel.tsx';
import { Empty } from './notices.tsx';
import * as questions from './questions.ts';
import { RangePage } from './range-page.tsx';
import { Tiles } from './tiles.tsx';
import type { ToolbarProps } from './toolbar.tsx';

/** Rows of a list of the largest. */
export const LISTED = 8;
const CALLS_A_PAGE = 15;

/** What every page of calls asks. */
export const usageSums = (pages: CallPages) => ({
  course: questions.course,
  before: questions.before,
  gaps: questions.gaps,
  refused: questions.gapsRefused,
  stacked: questions.stacked(SLOTS),
  models: questions.top('model', LISTED),
  calls: pages.question,
  conversation: questions.conversation,
});
export const usageScans = {
  scan: questions.scan,
  failures: questions.failures,
  forecast: questions.forecast,
};

type UsageQuestions = ReturnType<typeof usageSums> & typeof usageScans;

/** The pages of the calls of what the view shows. */
export function useCallPages(): CallPages {
  const pages = useMemo(() => new CallPages(CALLS_A_PAGE), []);
  useLayoutEffect(() => pages.reset(), [view.value]);
  return pages;
}

/** Tiles, course and calls of what the view shows, and the panels of a page between them. */
export function UsagePage({
  id,
  title,
  loader,
  pages,
  tiles,
  health,
  isNever = false,
  known = {},
  notice,
  children,
  always,
}: Pick<ToolbarProps, 'known'> & {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly loader: Pick<Loader<UsageQuestions>, 'state' | 'load'>;
  readonly pages: CallPages;
  /** Names of tiles. @default all */
  readonly tiles?: readonly string[];
  readonly health?: Health | undefined;
  /** There has never been a call. */
  readonly isNever?: boolean;
  /** Above everything. */
  readonly notice?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Panels that do not need calls. */
  readonly always?: ComponentChildren;
}): JSX.Element {
  const { answers } = loader.state.value;
  const { course, conversation } = answers;
  const isEmpty = course?.value.total.calls === 0;
  return (
    <RangePage
      id={id}
      title={title}
      loader={loader}
      isEmpty={isEmpty}
      hasMeasure
      file={fileOf('/api/usage/export.csv', view.value)}
      known={known}
    >
      {notice}
      <Tiles
        course={course}
        scan={answers.scan}
        before={answers.before?.value}
        health={health}
        forecast={answers.forecast?.value}
        {...(tiles && { only: tiles })}
      />
      {isEmpty && <Empty isNever={isNever} />}
      {conversation?.value && <ConversationPanel conversation={conversation.value.found} />}
      <div class="panels">
        {!isEmpty && (
          <>
            <CoursePanel answer={answers.stacked} gaps={answers.gaps?.value} />
            {children}
          </>
        )}
        {always}
        {!isEmpty && (
          <CallsTable
            title={t('calls.title')}
            page={answers.calls?.value}
            pages={pages}
            onTurn={() => loader.load(['calls'])}
          />
        )}
      </div>
    </RangePage>
  );
}
