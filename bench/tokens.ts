import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchConversations } from './tokens/conversations.ts';
import { benchEventLoop } from './tokens/event-loop.ts';
import { benchFreshProcess } from './tokens/fresh-process.ts';
import { benchHostile } from './tokens/hostile.ts';
import { readConversations, repeatedInputs, unseenInputs } from './tokens/inputs.ts';
import { loadEngines, LOADERS, versionOf } from './tokens/peers.ts';
import { printRatios, printTargets, target, verdictOf } from './tokens/report.ts';
import { timeRepeated, timeUnseen, warmUp } from './tokens/throughput.ts';

const SECTIONS = ['throughput', 'conversations', 'hostile', 'fresh', 'loop'] as const;
const HELP = `Usage: npm run bench:tokens -- [--only SECTION]... [--encoding NAME] [--conversations FILE]

The token engine against tiktoken and the JavaScript ports, interleaved in one process.

  --only SECTION         ${SECTIONS.join(', ')} (default: all)
  --encoding NAME        o200k_base (default) or cl100k_base
  --conversations FILE   JSON lines of chats (default: test/fixtures/conversations.jsonl)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [...SECTIONS] },
    encoding: { type: 'string', default: 'o200k_base' },
    conversations: {
      type: 'string',
      default: fileURLToPath(new URL('../test/fixtures/conversations.jsonl', import.meta.url)),
    },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else if (!existsSync(fileURLToPath(new URL('node_modules/gpt-tokenizer', import.meta.url)))) {
  console.error('The peers are not installed: run `npm ci --prefix bench` first.');
  process.exitCode = 1;
} else {
  await bench(values.encoding, new Set(values.only));
}

async function bench(encoding: string, sections: ReadonlySet<string>): Promise<void> {
  console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${encoding}`);
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`);
  for (const name of Object.keys(LOADERS)) console.log(`${name} ${versionOf(name)}`);

  const conversations = existsSync(values.conversations)
    ? readConversations(values.conversations)
    : [];
  if (conversations.length === 0) console.log(`No conversations at ${values.conversations}`);
  // Separate processes run first, before this one fills the processor's caches.
  if (sections.has('fresh')) benchFreshProcess(encoding);
  const engines = loadEngines(encoding);
  warmUp(engines);
  if (sections.has('throughput')) {
    const repeated = [...timeRepeated(engines, repeatedInputs(conversations))];
    printRatios('Repeated text (in brackets: first pass)', engines, repeated);
    const unseen = [...timeUnseen(engines, unseenInputs(conversations))];
    printRatios('Unseen text, chunks of 8000 characters', engines, unseen);
    const seen = verdictOf(engines, repeated);
    target('repeated text, geometric mean, × tiktoken', seen.mean, '≥', 20);
    target('repeated text, least, × tiktoken', seen.least, '≥', 10);
    target('repeated text, least, × fastest port', seen.leastOverPort, '≥', 2);
    const fresh = verdictOf(engines, unseen);
    target('unseen text, geometric mean, × tiktoken', fresh.mean, '≥', 10);
    target('unseen text, least, × tiktoken', fresh.least, '≥', 5);
    target('unseen text, least, × fastest port', fresh.leastOverPort, '≥', 2);
  }
  if (sections.has('conversations') && conversations.length > 0) {
    benchConversations(engines, conversations, encoding);
  }
  if (sections.has('hostile')) benchHostile(engines);
  if (sections.has('loop')) {
    const english = repeatedInputs([]).find(({ name }) => name === 'English 1 MB');
    await benchEventLoop(english?.texts[0] ?? '');
  }
  printTargets();
}
