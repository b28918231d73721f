import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, callApi, messageFor } from '../api/client.ts';
import { Banner } from '../components/controls.tsx';
import { Field, Form } from '../components/form.tsx';
import { isolated } from '../names.tsx';
import { announceSession } from '../session.ts';
import { t } from '../texts.ts';

/** Values that the application may return in the address; others are ignored. */
const PROBLEMS = ['unavailable', 'denied', 'expired', 'no_role', 'clock', 'failed'] as const;
/** Maximum length that the application accepts. */
const BACK_MAX_LENGTH = 2000;

const provider = document.body.dataset['openid'] ?? '';

export function SignInPage(): JSX.Element {
  const parameters = new URLSearchParams(location.search);
  const refused = PROBLEMS.find((each) => each === parameters.get('problem'));
  const [problem, setProblem] = useState(refused && t(`signIn.problem.${refused}`));
  const [token, setToken] = useState('');
  /** Another user is signed in: sending the form again replaces that session. */
  const [replace, setReplace] = useState(false);
  const [isWorking, setWorking] = useState(false);
  const card = useRef<HTMLDivElement>(null);

  const send = async (given: string): Promise<void> => {
    setWorking(true);
    setProblem(undefined);
    try {
      await callApi('/api/session', { method: 'POST', body: { token: given, replace } });
      signedIn();
    } catch (error) {
      const { status = 0, problem: details = {} } = error instanceof ApiError ? error : {};
      if (status === 409) {
        setReplace(true);
        setToken(given);
        const [name, other] = [details['name'], details['new_name']].map(String);
        setProblem(t('signIn.other', { name: isolated(name!), other: isolated(other!) }));
        return;
      }
      setProblem(status === 401 ? t('signIn.wrong') : messageFor(error));
      card.current?.querySelector<HTMLInputElement>('#token')?.select();
    } finally {
      setWorking(false);
    }
  };

  useEffect(() => {
    // The printed link has the token in its fragment, which browsers do not send.
    const given = decoded(location.hash.slice(1));
    if (parameters.get('signed-in') === 'openid') return signedIn();
    if (given !== '') {
      history.replaceState(null, '', location.pathname + location.search);
      void send(given);
      return;
    }
    const first = provider === '' ? '#token' : '#openid-button';
    card.current?.querySelector<HTMLElement>(first)?.focus();
  }, []);

  return (
    <div class="card narrow" id="sign-in" ref={card}>
      <h1>{t('signIn.title')}</h1>
      <Banner tone="bad" id="problem">
        {problem}
      </Banner>
      {provider === '' ? (
        <p class="muted" id="hint">
          {t('signIn.hint')}
        </p>
      ) : (
        <OpenId onProblem={setProblem} />
      )}
      <Form onSubmit={() => send(token.trim())}>
        <Field
          id="token"
          name="token"
          label={t('signIn.token')}
          type="password"
          autocomplete="current-password"
          required
          maxLength={512}
          value={token}
          onInput={setToken}
        />
        <button
          class={provider === '' ? 'primary' : undefined}
          type="submit"
          id="token-button"
          disabled={isWorking}
        >
          {isWorking ? t('signIn.working') : t('app.signIn')}
        </button>
      </Form>
    </div>
  );
}

/** Redirects to the provider, which redirects back to this page. */
function OpenId({
  onProblem,
}: {
  readonly onProblem: (problem: string | undefined) => void;
}): JSX.Element {
  const [isWorking, setWorking] = useState(false);
  const begin = async (): Promise<void> => {
    setWorking(true);
    onProblem(undefined);
    try {
      const { pathname, search, hash } = new URL(backAddress());
      const path = pathname + search + hash;
      const back = path.length > BACK_MAX_LENGTH ? '/' : path;
      const answer = await callApi('/api/session/openid', { method: 'POST', body: { back } });
      location.assign(((await answer.json()) as { readonly url: string }).url);
    } catch (error) {
      const isAway = error instanceof ApiError && error.status === 503;
      onProblem(isAway ? t('signIn.problem.unavailable') : messageFor(error));
    } finally {
      setWorking(false);
    }
  };
  return (
    <div id="openid">
      <button
        class="primary wide"
        type="button"
        id="openid-button"
        disabled={isWorking}
        onClick={() => void begin()}
      >
        {t('signIn.openid', { provider })}
      </button>
      <p class="divider">{t('signIn.or')}</p>
    </div>
  );
}

function signedIn(): void {
  // Other tabs still show the previous user.
  announceSession();
  location.replace(backAddress());
}

/** Only on this site: a link must not lead elsewhere after signing in. */
function backAddress(): string {
  const back = new URLSearchParams(location.search).get('back') ?? '/';
  const url = URL.canParse(back, location.origin) ? new URL(back, location.origin) : undefined;
  // Checks the resolved address: a path such as //host is another site.
  return url?.origin === location.origin ? url.href : `${location.origin}/`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
