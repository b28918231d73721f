import { docBlocks, docFiles, type DocBlock } from './doc-blocks.ts';

/**
 * The blocks of the documents that no test runs, by their first line, each with the reason. Whatever
 * stands here is looked at in test/docs.test.ts as far as it can be: its syntax, and the files it names.
 */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'cd example-app/deploy': 'wants Docker and images from its registry; the compose file is checked',
  'location / {': 'wants nginx, which is no package of the tests',
  'npm ci': 'is what the gate (.ci/run) does: the tests would run themselves',
  '@token_meter(user_id="user_id", model="model_name")':
    'shows a design in Python that never was a package',
};

export function isNotRun({ text }: DocBlock): boolean {
  return (text.split('\n')[0] ?? '') in NOT_RUN;
}

/** The one block of shell commands in a document that begins with this. */
export function commandsOf(doc: string, start: string): readonly string[] {
  const found = shellBlocks().filter((block) => block.doc === doc && block.text.startsWith(start));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${doc} has not one "${start}"`);
  return linesOf(block.text);
}

export function shellBlocks(): readonly DocBlock[] {
  return docFiles()
    .flatMap(docBlocks)
    .filter(({ language }) => language === 'sh');
}

/** One command each; a line that ends in a backslash goes on. */
function linesOf(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}
