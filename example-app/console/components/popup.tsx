import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';

/** A button that opens a small form beside the page. `children` get what closes it. */
export function Popup({
  id,
  buttonId,
  label,
  title = label,
  isPressed,
  children,
}: {
  readonly id: string;
  readonly buttonId: string;
  /** On the button. */
  readonly label: string;
  /** Of the form. @default the label */
  readonly title?: string;
  readonly isPressed?: boolean;
  readonly children: (close: () => void) => ComponentChildren;
}): JSX.Element {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <>
      <button
        class={isPressed === undefined ? 'button' : undefined}
        type="button"
        id={buttonId}
        popovertarget={id}
        aria-pressed={isPressed}
      >
        {label}
      </button>
      <div class="card popup" id={id} popover="auto" role="dialog" aria-label={title} ref={popup}>
        {children(() => popup.current?.hidePopover())}
      </div>
    </>
  );
}
