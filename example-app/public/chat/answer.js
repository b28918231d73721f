// @ts-check
import { ApiError, callApi } from '../api.js';
import { t } from '../strings.js';
import { serverSentEvents } from './server-sent-events.js';

/**
 * @typedef {{ user: string, conversation: string, model: string, message: string, stream: boolean }} Question
 *   `conversation`: empty for a new one
 * @typedef {{ conversation_id: string, response_id: string, message: string }} Answer
 * @typedef {{ onConversation: (id: string) => void, onText: (text: string) => void }} Listener
 */

/**
 * Calls the chat API. `onText` receives the text so far whenever it grows.
 *
 * @param {Question} question
 * @param {Listener} listener
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function ask({ user, conversation, model, message, stream }, listener, signal) {
  const body = {
    user_id: user,
    model,
    message,
    stream,
    ...(conversation === '' ? {} : { conversation_id: conversation }),
  };
  const reply = await callApi('/api/chat', { method: 'POST', body, signal });
  if (!stream || !reply.body) {
    const answer = await reply.json();
    listener.onConversation(answer.conversation_id);
    listener.onText(answer.message);
    return answer;
  }
  let text = '';
  for await (const { event, data } of serverSentEvents(reply.body)) {
    if (event === 'start') listener.onConversation(data.conversation_id);
    if (event === 'piece') listener.onText((text += data.text));
    if (event === 'error') {
      throw new ApiError(data.status, t('chat.providerFailed', { detail: data.detail }), data);
    }
    if (event === 'end') return data;
  }
  throw new ApiError(0, t('error.unreachable'));
}
