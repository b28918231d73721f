import type { Document } from 'yaml';
import { yaml } from './yaml-on-demand.ts';

type Env = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$|\$\{(?:env:)?([^}\n]*)\}/g;
const NAME_AND_DEFAULT = /^([a-zA-Z_][a-zA-Z0-9_]*)(?::-(.*))?$/;

/**
 * Environment substitution of declarative configuration: `${NAME}`, `${NAME:-default}`,
 * `${env:NAME}` and `$$` in scalar values. A plain scalar takes the type of the result, a quoted
 * one stays a string. Changes the document in place.
 */
export function substituteEnv(document: Document, env: Env): void {
  const { Scalar, visit } = yaml();
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const text = expand(node.value, env);
      node.value = node.type === Scalar.PLAIN ? coerce(text) : text;
    },
  });
}

function expand(text: string, env: Env): string {
  return text.replace(REFERENCE, (whole, reference: string | undefined) => {
    if (whole === '$$') return '$';
    const match = NAME_AND_DEFAULT.exec(reference ?? '');
    if (match?.[1] === undefined) return whole;
    const value = env[match[1]];
    return value === undefined || value.trim() === '' ? (match[2] ?? '') : value;
  });
}

/** Only YAML core scalars: a variable never becomes a mapping or a sequence. */
function coerce(text: string): unknown {
  try {
    const value: unknown = yaml().parse(text);
    return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : text;
  } catch {
    return text;
  }
}
