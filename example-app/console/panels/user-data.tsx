import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { callApi, queryOf } from '../api/client.ts';
import type { Erasure } from '../api/contract.ts';
import { Banner, Panel } from '../components/controls.tsx';
import { Field, Form } from '../components/form.tsx';
import { formatWhole } from '../formats.ts';
import { isolated } from '../names.tsx';
import { t } from '../texts.ts';

/** What an admin owes a user: all recorded calls as a file, or none. */
export function UserData({
  user,
  onErased,
}: {
  readonly user: string;
  readonly onErased: () => void;
}): JSX.Element {
  const [typed, setTyped] = useState('');
  const [result, setResult] = useState<Erasure>();
  const erase = async (): Promise<void> => {
    const answer = await callApi(`/api/usage/users${queryOf({ user })}`, { method: 'DELETE' });
    setResult((await answer.json()) as Erasure);
    setTyped('');
    onErased();
  };
  return (
    <Panel id="user-data" title={t('userData.title')}>
      <p>
        <a class="button" href={`/api/usage/export.csv${queryOf({ user })}`} download>
          {t('userData.export')}
        </a>
      </p>
      <Form onSubmit={erase} submit={t('userData.erase')}>
        <p class="muted">{t('userData.hint')}</p>
        <Field
          id="erase-name"
          label={t('userData.confirm', { name: isolated(user) })}
          required
          autocomplete="off"
          value={typed}
          onInput={setTyped}
          problem={typed === '' || typed === user ? '' : t('userData.different')}
        />
      </Form>
      <Banner tone="good">{result && erasedText(result)}</Banner>
    </Panel>
  );
}

function erasedText({ found, erased, may_remain: files }: Erasure): string {
  const counts = t('userData.erased', { erased: formatWhole(erased), found: formatWhole(found) });
  const remain = files.length === 0 ? '' : ` ${t('userData.remain', { files: files.join(', ') })}`;
  return counts + remain;
}
