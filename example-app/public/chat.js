// @ts-check
import { callApi, goToSignIn, ApiError } from './api.js';
import { ask } from './chat/answer.js';
import { showReceipt } from './chat/receipt.js';
import { followSwitches } from './chat/switches.js';
import { element, find, showBanner } from './dom.js';
import { identity } from './layout.js';
import { t } from './strings.js';

const form = find('#chat', HTMLFormElement);
const user = find('#user', HTMLInputElement);
const model = find('#model', HTMLSelectElement);
const conversation = find('#conversation', HTMLInputElement);
const message = find('#message', HTMLTextAreaElement);
const stream = find('#stream', HTMLInputElement);
const send = find('[type=submit]', HTMLButtonElement);
const stop = find('#stop', HTMLButtonElement);
const transcript = find('#transcript', HTMLElement);
const problem = find('#problem', HTMLElement);

let isMetering = () => true;
let running = new AbortController();

/** @param {'user' | 'model'} who @param {string} name @param {string} text */
function say(who, name, text) {
  find('#nothing-yet', HTMLElement).hidden = true;
  const words = element('p', { class: 'words' }, text);
  const said = element('li', { class: `said ${who}` }, element('strong', {}, name), words);
  transcript.append(said);
  transcript.scrollTop = transcript.scrollHeight;
  return { said, words };
}

async function submit() {
  const question = {
    user: user.value.trim(),
    conversation: conversation.value.trim(),
    model: model.value,
    message: message.value,
    stream: stream.checked,
  };
  const since = Date.now();
  running = new AbortController();
  showBanner(problem);
  setBusy(true);
  say('user', question.user, question.message);
  message.value = '';
  const { said, words } = say('model', question.model, '');
  said.setAttribute('aria-busy', 'true');
  /** @type {string | undefined} */
  let responseId;
  try {
    const listener = {
      onConversation(/** @type {string} */ id) {
        conversation.value = id;
      },
      onText(/** @type {string} */ text) {
        words.textContent = text;
        transcript.scrollTop = transcript.scrollHeight;
      },
    };
    ({ response_id: responseId } = await ask(question, listener, running.signal));
  } catch (error) {
    if (running.signal.aborted) words.append(` ${t('chat.stopped')}`);
    else showError(error, words);
  }
  said.setAttribute('aria-busy', 'false');
  setBusy(false);
  if (conversation.value === '') return;
  const receipt = element('p', { class: 'receipt muted' });
  said.append(receipt);
  transcript.scrollTop = transcript.scrollHeight;
  const call = { conversation: conversation.value, since, ...(responseId && { responseId }) };
  await showReceipt(receipt, call, isMetering);
  transcript.scrollTop = transcript.scrollHeight;
}

/** @param {unknown} error @param {HTMLElement} words */
function showError(error, words) {
  if (words.textContent === '') words.append('–');
  showBanner(problem, error instanceof Error ? error.message : 'failed');
  if (!(error instanceof ApiError) || error.status !== 401) return;
  const again = element('button', { type: 'button' }, t('app.signIn'));
  again.addEventListener('click', goToSignIn);
  problem.append(' ', again);
}

/** @param {boolean} busy */
function setBusy(busy) {
  send.disabled = busy;
  stop.hidden = !busy;
  if (!busy) message.focus();
}

async function loadModels() {
  try {
    const answer = await callApi('/api/chat/models');
    /** @type {{ demo: boolean, models: string[] }} */
    const { demo, models } = await answer.json();
    const note = demo ? ` (${t('chat.demo')})` : '';
    model.replaceChildren(...models.map((name) => element('option', { value: name }, name + note)));
  } catch (error) {
    showError(error, element('p'));
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!send.disabled) void submit();
});
message.addEventListener('keydown', (event) => {
  // An input method editor uses Enter to accept a candidate.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
stop.addEventListener('click', () => running.abort());
find('#new-conversation', HTMLButtonElement).addEventListener('click', () => {
  conversation.value = '';
  message.focus();
});

await loadModels();
const { name } = await identity;
if (name !== null) isMetering = followSwitches(find('#switches', HTMLElement));
message.focus();
