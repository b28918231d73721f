import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, messageFor } from '../../api/client.ts';
import type { Contract } from '../../api/contract.ts';
import { isSignedOut, settings, useLiveSettings } from '../../api/live.ts';
import { Banner } from '../../components/controls.tsx';
import { goToSignIn, isSignedIn } from '../../session.ts';
import { t } from '../../texts.ts';
import { type Question, ask } from './answer.ts';
import { type Call, Receipt } from './receipt.tsx';

const USERS = ['alice', 'bob', '王芳'];

interface Said {
  readonly id: number;
  readonly who: 'user' | 'model';
  readonly name: string;
  readonly text: string;
  readonly isComing?: boolean;
  /** For the record of the call, once it has ended. */
  readonly call?: Call;
}

/** One conversation with a model; each answer is a metered call. */
export function ChatPage(): JSX.Element {
  const [models, setModels] = useState<Contract['/api/chat/models']>({ demo: false, models: [] });
  const [user, setUser] = useState('alice');
  const [model, setModel] = useState('');
  const [conversation, setConversation] = useState('');
  const [message, setMessage] = useState('');
  const [isStreamed, setStreamed] = useState(true);
  const [said, setSaid] = useState<readonly Said[]>([]);
  const [problem, setProblem] = useState<unknown>();
  const [running, setRunning] = useState<AbortController>();
  const form = useRef<HTMLFormElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const transcript = useRef<HTMLDivElement>(null);

  useEffect(() => {
    get('/api/chat/models')
      .then((answer) => {
        setModels(answer);
        setModel((chosen) => chosen || (answer.models[0] ?? ''));
      })
      .catch(setProblem);
    input.current?.focus();
  }, []);
  useLayoutEffect(() => {
    transcript.current?.scrollTo({ top: transcript.current.scrollHeight });
  }, [said]);
  // A long conversation pushes it out of the window.
  useEffect(() => {
    if (problem !== undefined)
      document.querySelector('#problem')?.scrollIntoView({ block: 'nearest' });
  }, [problem]);
  // A person who has asked goes on writing.
  useEffect(() => {
    if (running === undefined && said.length > 0) input.current?.focus();
  }, [running]);

  const submit = async (): Promise<void> => {
    const id = said.length;
    const question: Question = {
      user: user.trim(),
      conversation: conversation.trim(),
      model,
      message,
      isStreamed,
    };
    const since = Date.now();
    const aborting = new AbortController();
    const update = (part: Partial<Said>): void =>
      setSaid((all) => all.map((one) => (one.id === id + 1 ? { ...one, ...part } : one)));
    setProblem(undefined);
    setRunning(aborting);
    setSaid([
      ...said,
      { id, who: 'user', name: question.user, text: message },
      { id: id + 1, who: 'model', name: model, text: '', isComing: true },
    ]);
    setMessage('');
    let [text, inConversation] = ['', question.conversation];
    let responseId: string | undefined;
    let isRefused = false;
    try {
      const listener = {
        onConversation(name: string) {
          inConversation = name;
          setConversation(name);
        },
        onText(next: string) {
          text = next;
          update({ text });
        },
      };
      ({ response_id: responseId } = await ask(question, listener, aborting.signal));
    } catch (error) {
      if (aborting.signal.aborted) text += ` ${t('chat.stopped')}`;
      else {
        text ||= '–';
        isRefused = error instanceof ApiError && error.problem['code'] === 'budget_exceeded';
        setProblem(error);
      }
    }
    const call = { conversation: inConversation, since, ...(responseId && { responseId }) };
    // A budget refuses before there is a call.
    const isCall = inConversation !== '' && !isRefused;
    update({ text, isComing: false, ...(isCall && { call }) });
    setRunning(undefined);
  };

  return (
    <>
      <h1>{t('chat.title')}</h1>
      <p class="muted">{t('chat.intro')}</p>
      {isSignedIn() && <Recorded />}
      <form
        class="card"
        id="chat"
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!running) void submit();
        }}
      >
        <div class="chat-fields">
          <div>
            <label for="user">{t('chat.user')}</label>
            <input
              id="user"
              required
              maxLength={256}
              list="users"
              autocomplete="off"
              value={user}
              onInput={(event) => setUser(event.currentTarget.value)}
            />
            <datalist id="users">
              {USERS.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </div>
          <div>
            <label for="model">{t('chat.model')}</label>
            <select
              id="model"
              required
              value={model}
              onChange={(event) => setModel(event.currentTarget.value)}
            >
              {models.models.map((name) => (
                <option key={name} value={name}>
                  {models.demo ? `${name} (${t('chat.demo')})` : name}
                </option>
              ))}
            </select>
          </div>
          <div class="chat-conversation">
            <label for="conversation">{t('chat.conversation')}</label>
            <div class="joined">
              <input
                id="conversation"
                maxLength={256}
                autocomplete="off"
                spellcheck={false}
                placeholder={t('chat.conversation.new')}
                value={conversation}
                onInput={(event) => setConversation(event.currentTarget.value)}
              />
              <button
                type="button"
                id="new-conversation"
                onClick={() => {
                  setConversation('');
                  input.current?.focus();
                }}
              >
                {t('chat.startNew')}
              </button>
            </div>
          </div>
        </div>
        <div
          id="transcript"
          role="log"
          aria-label={t('chat.transcript')}
          tabIndex={0}
          ref={transcript}
        >
          {said.map((one) => (
            <div key={one.id} class={`said ${one.who}`} aria-busy={one.isComing}>
              <strong>{one.name}</strong>
              <p class="words">{one.text}</p>
              {one.call && <Receipt call={one.call} />}
            </div>
          ))}
        </div>
        {said.length === 0 && <p class="muted">{t('chat.nothingYet')}</p>}
        {problem !== undefined && (
          <Banner tone="bad" id="problem">
            {messageFor(problem)}{' '}
            {problem instanceof ApiError && problem.status === 401 && (
              <button type="button" onClick={goToSignIn}>
                {t('app.signIn')}
              </button>
            )}
          </Banner>
        )}
        <label for="message">{t('chat.message')}</label>
        <textarea
          id="message"
          required
          maxLength={32_000}
          rows={3}
          placeholder={t('chat.placeholder')}
          ref={input}
          value={message}
          onInput={(event) => setMessage(event.currentTarget.value)}
          onKeyDown={(event) => {
            // An input method editor uses Enter to accept a candidate.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            form.current?.requestSubmit();
          }}
        />
        <div class="row spread">
          <div class="row">
            <input
              class="switch"
              type="checkbox"
              role="switch"
              id="stream"
              checked={isStreamed}
              onChange={(event) => setStreamed(event.currentTarget.checked)}
            />
            <label class="beside" for="stream">
              {t('chat.stream')}
            </label>
          </div>
          <div class="row">
            {running && (
              <button type="button" id="stop" onClick={() => running.abort()}>
                {t('chat.stop')}
              </button>
            )}
            <button class="primary" type="submit" disabled={running !== undefined}>
              {t('chat.send')}
            </button>
          </div>
        </div>
      </form>
    </>
  );
}

/** What is recorded of the calls. */
function Recorded(): JSX.Element | null {
  useLiveSettings();
  const { enabled, token_statistics: tokens } = settings.value?.settings ?? {};
  if (enabled === undefined || isSignedOut.value) return null;
  const what = !enabled ? 'nothing' : tokens ? 'everything' : 'basic';
  return (
    <p
      class="banner"
      id="recorded"
      role="status"
      data-tone={what === 'everything' ? 'good' : 'warn'}
    >
      {t(`chat.recorded.${what}`)} <a href="/settings">{t('chat.recorded.change')}</a>
    </p>
  );
}
