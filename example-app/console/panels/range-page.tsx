import type { ComponentChildren, JSX } from 'preact';
import type { Loader } from '../api/loader.ts';
import { Incomplete, Problem } from './notices.tsx';
import { PageHead } from './page-head.tsx';
import { Toolbar, type ToolbarProps } from './toolbar.tsx';

/** A page of a range: head, controls, what went wrong, and its panels. */
export function RangePage({
  id,
  title,
  loader,
  isEmpty = false,
  children,
  ...toolbar
}: ToolbarProps & {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly loader: Pick<Loader<{}>, 'state' | 'load'>;
  readonly isEmpty?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { answers, busy, loaded, changing, problem, updatedAt } = loader.state.value;
  return (
    <div
      class="range-page"
      id={id}
      aria-busy={busy}
      data-empty={isEmpty}
      data-loaded={loaded ? 'true' : undefined}
      data-changing={changing ? 'true' : undefined}
    >
      <PageHead title={title} updatedAt={updatedAt} />
      <Toolbar {...toolbar} />
      <Problem problem={problem} onRetry={() => void loader.load()} />
      <Incomplete answers={Object.values(answers)} />
      {children}
    </div>
  );
}
