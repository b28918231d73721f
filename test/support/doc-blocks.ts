import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface DocBlock {
  /** Path from the root of the project. */
  readonly doc: string;
  readonly line: number;
  readonly language: string;
  /** File name: the second word of the fence. */
  readonly file: string | undefined;
  readonly text: string;
}

const ROOT = new URL('../../', import.meta.url);

/** README, CONTRIBUTING and everything in docs/. */
export function docFiles(): readonly string[] {
  const docs = readdirSync(fileURLToPath(new URL('docs/', ROOT)));
  return [
    'README.md',
    'README.zh-CN.md',
    'CONTRIBUTING.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
}

export function readDoc(doc: string): string {
  return readFileSync(new URL(doc, ROOT), 'utf8');
}

/** Fenced code blocks, in order. */
export function docBlocks(doc: string): readonly DocBlock[] {
  const blocks: DocBlock[] = [];
  let open: { line: number; indent: number; info: readonly string[]; text: string[] } | undefined;
  for (const [i, line] of readDoc(doc).split('\n').entries()) {
    // Within a list a block is indented.
    const [, indent = '', info] = /^( *)```(.*)$/.exec(line) ?? [];
    if (info === undefined) open?.text.push(line.slice(open.indent));
    else if (open === undefined) {
      open = { line: i + 1, indent: indent.length, info: info.trim().split(/\s+/), text: [] };
    } else {
      const [language = '', file] = open.info;
      blocks.push({ doc, line: open.line, language, file, text: `${open.text.join('\n')}\n` });
      open = undefined;
    }
  }
  return blocks;
}
