import { workedMs } from './clock.ts';
import { textTable } from '../../src/cli/text-table.ts';
import { messageCounterFor } from '../../src/tokens/encodings.ts';
import type { Conversation } from './inputs.ts';
import { OURS, TIKTOKEN, type Engine } from './peers.ts';
import { target } from './report.ts';
import { median } from './statistics.ts';

const CONVERSATIONS = 40;
const TURNS = 20;
const ROUNDS = 3;

/** Forty chats of twenty requests with the full history, as an API client sends them. */
export function benchConversations(
  engines: readonly Engine[],
  conversations: readonly Conversation[],
  encoding: string,
): void {
  const histories = growing(conversations);
  const cached = messageCounterFor(encoding);
  const contenders: readonly Engine[] = [
    { name: `${OURS}, message cache`, count: (text) => cached.count(text) },
    ...engines,
  ];
  const times = contenders.map(() => [] as number[]);
  const totals = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { name, count }] of contenders.entries()) {
      let total = 0;
      let spent = 0;
      for (const history of histories) {
        for (let turn = 1; turn <= TURNS; turn++) {
          const messages = parsed(history.slice(0, 2 * turn), round);
          const start = workedMs();
          for (const text of messages) total += count(text);
          spent += workedMs() - start;
        }
      }
      times[i]?.push(spent);
      totals.set(name, total);
    }
  }
  const requests = CONVERSATIONS * TURNS;
  const medians = times.map(median);
  const base = medians[contenders.findIndex(({ name }) => name === TIKTOKEN)] ?? NaN;
  const rows = contenders.map(({ name }, i) => [
    name,
    ((medians[i] ?? NaN) * (1000 / requests)).toFixed(0),
    (base / (medians[i] ?? NaN)).toFixed(1),
    String(totals.get(name)),
  ]);
  console.log('\n## Growing conversations, full history in each request\n');
  console.log(
    textTable(['engine', 'µs/request', '× tiktoken', 'tokens'], rows, [
      'µs/request',
      '× tiktoken',
      'tokens',
    ]),
  );
  target('growing conversations, × tiktoken', base / (medians[0] ?? NaN), '≥', 150);
}

/** Minimum length of an answer; the recorded ones are short. */
const ANSWER_CHARACTERS = 1000;

/**
 * Builds histories of forty messages from the given conversations, alternating question and answer.
 */
function growing(conversations: readonly Conversation[]): string[][] {
  const contents = conversations.flatMap((chat) => chat.contents).filter((text) => text.length > 0);
  let next = 0;
  const take = () => contents[next++ % contents.length] ?? '';
  const answer = () => {
    let text = take();
    while (text.length < ANSWER_CHARACTERS) text += `\n${take()}`;
    return text;
  };
  return Array.from({ length: CONVERSATIONS }, () =>
    Array.from({ length: 2 * TURNS }, (_, i) => (i % 2 === 0 ? take() : answer())),
  );
}

/**
 * The texts as a server gets them: new strings out of the JSON of a request, so that caches by identity
 * have no effect.
 */
function parsed(texts: readonly string[], round: number): readonly string[] {
  const messages = texts.map((text) => ({ role: 'user', content: `${round}${text}` }));
  const request = JSON.parse(Buffer.from(JSON.stringify({ messages })).toString()) as {
    readonly messages: readonly { readonly content: string }[];
  };
  return request.messages.map(({ content }) => content);
}
