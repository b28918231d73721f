import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { addEntry, entriesOf, removeEntry } from '../api/entries.ts';
import { useAction } from '../api/use-answer.ts';
import { Banner } from '../components/controls.tsx';
import { Field, Form } from '../components/form.tsx';
import { Popup } from '../components/popup.tsx';
import { Name } from '../names.tsx';
import { path, search } from '../router.ts';
import { isAdmin } from '../session.ts';
import { t } from '../texts.ts';

/** Views that everybody shares, and the link to what is shown. */
export function SavedViews(): JSX.Element {
  const [name, setName] = useState('');
  const [isCopied, setCopied] = useState(false);
  const removal = useAction(() => undefined);
  const address = path.value + search.value;
  const views = entriesOf('view').toSorted((a, b) => a.name.localeCompare(b.name));
  return (
    <Popup id="views" buttonId="open-views" label={t('views.title')}>
      {(close) => (
        <>
          <ul class="plain-list entries">
            {views.map((view) => (
              <li key={view.id} class="row spread">
                <a href={view.address} onClick={close}>
                  <Name>{view.name}</Name>
                </a>
                {isAdmin() && (
                  <button
                    type="button"
                    class="plain"
                    disabled={removal.isRunning}
                    onClick={() => void removal.run(() => removeEntry(view.id))}
                  >
                    {t('entry.remove')}
                  </button>
                )}
              </li>
            ))}
          </ul>
          {views.length === 0 && <p class="muted">{t('views.none')}</p>}
          <Banner tone="bad">{removal.problem}</Banner>
          {isAdmin() && (
            <Form
              submit={t('views.save')}
              onSubmit={async () => {
                await addEntry({ kind: 'view', name, address });
                setName('');
              }}
            >
              <Field
                id="view-name"
                label={t('views.name')}
                required
                maxLength={100}
                autocomplete="off"
                value={name}
                onInput={setName}
              />
            </Form>
          )}
          <Form
            submit={t(isCopied ? 'views.copied' : 'views.copy')}
            onSubmit={async (form) => {
              form.querySelector('input')?.select();
              // Browsers have a clipboard only for https and for this machine.
              await navigator.clipboard?.writeText(location.origin + address);
              setCopied(navigator.clipboard !== undefined);
            }}
          >
            <Field
              id="view-link"
              label={t('views.link')}
              value={location.origin + address}
              onInput={() => undefined}
              readOnly
            />
          </Form>
        </>
      )}
    </Popup>
  );
}
