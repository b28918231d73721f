import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { docFiles, readDoc } from './support/doc-blocks.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Expressions without a legitimate use in this project, and what to write instead. */
const WORDS: Readonly<Record<string, RegExp>> = {
  again: /\banew\b/i,
  'report, show or print': /\btells? of\b|\btold of\b|\b(?:is|are|was|be) told\b/i,
  'anyone who': /\bwho(?:m)?ever\b/i,
  separate: /\b(?:of|on) (?:one|its|their|your)[’']?s? own\b(?! kind)/i,
  duplicates: /\btwins?\b/i,
  'unknown values': /\bwhat is not known\b/i,
  'reported once': /\bsaid once\b/i,
  'parent call, child call or wrapper': /\b(?:outer|inner) (?:layer|call)s?\b/i,
  'flushNow, notify or finish': /\b(?:hurry|settles? when)\b/i,
};

function problemsIn(place: string, text: string): readonly string[] {
  return Object.entries(WORDS).flatMap(([instead, word]) => {
    const found = word.exec(text)?.[0];
    return found === undefined ? [] : [`${place}: "${found}"; write: ${instead}`];
  });
}

/** String literals with more than one word: messages, help texts, descriptions. */
function messagesOf(source: string): readonly string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return (
    code.match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g) ?? []
  ).filter((literal) => /\w \w/.test(literal));
}

describe('words', () => {
  it('in the documents are plain', () => {
    const problems = [...docFiles(), 'CHANGELOG.md'].flatMap((doc) =>
      readDoc(doc)
        .split('\n')
        .flatMap((line, index) => problemsIn(`${doc}:${index + 1}`, line)),
    );
    assert.deepEqual(problems, []);
  });

  it('in messages are plain', () => {
    const files = execFileSync(
      'git',
      ['ls-files', '--', 'src/*.ts', 'exporter/*.ts', 'example-app/*.ts', 'scripts/*.ts'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    const problems = files
      .trim()
      .split('\n')
      .flatMap((file) =>
        messagesOf(readFileSync(join(ROOT, file), 'utf8')).flatMap((text) =>
          problemsIn(file, text),
        ),
      );
    assert.deepEqual(problems, []);
  });

  it('that are wrong are found', () => {
    const cases = ['work it out anew', 'whoever asks', 'it was told once', "a span of one's own"];
    for (const text of cases) assert.equal(problemsIn('here', text).length, 1, text);
    assert.deepEqual(messagesOf("// 'not this one'\nfail('but this one', 'x');"), [
      "'but this one'",
    ]);
  });
});
