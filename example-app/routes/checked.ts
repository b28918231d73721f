import type { Context } from 'koa';
import { z } from 'zod';

type Place = 'path' | 'query' | 'header' | 'body';

/** The value as its schema gives it back, or 422 with one entry for each thing wrong. */
export function checked(
  ctx: Context,
  schema: z.ZodType | undefined,
  place: Place,
  value: unknown,
): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  const issues = result.error?.issues ?? dangersIn(value);
  if (issues.length === 0) return result.data;
  const errors = issues.flatMap((issue) => problemsOf(schema, place, issue));
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return ctx.throw(422, `${errors[0]?.detail ?? 'The request is not valid.'}${more}`, {
    code: 'invalid_request',
    errors,
  });
}

/** Some schemas leave it out without a word. */
function dangersIn(value: unknown): readonly z.core.$ZodIssue[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '__proto__')) return [];
  return [{ code: 'unrecognized_keys', keys: ['__proto__'], path: [], message: '' }];
}

interface InvalidMember {
  /** JSON pointer into the body; for path, query and headers `parameter` instead. */
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly detail: string;
}

function problemsOf(schema: z.ZodType, place: Place, issue: z.core.$ZodIssue): InvalidMember[] {
  const at = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const allowed = keysOf(schema).join(', ') || 'none';
    return issue.keys.slice(0, 20).map((key) => ({
      ...locate(place, [...at, key]),
      code: 'unknown_key',
      detail: `${quoted(key)} is not known; allowed: ${allowed}`,
    }));
  }
  const code = issue.code === 'invalid_type' ? 'wrong_type' : issue.code;
  const name = at.length === 0 ? `the ${place}` : quoted(at.join('.'));
  return [{ ...locate(place, at), code, detail: `${name}: ${issue.message}` }];
}

function keysOf(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function locate(place: Place, path: readonly string[]): Pick<InvalidMember, 'pointer'> {
  if (place !== 'body') return { parameter: shortened(path.join('.')) } as InvalidMember;
  const escaped = path.map((key) => shortened(key).replaceAll('~', '~0').replaceAll('/', '~1'));
  return { pointer: escaped.map((key) => `/${key}`).join('') };
}

function quoted(key: string): string {
  return JSON.stringify(shortened(key));
}

/** Names come from the request; long ones need no echo. */
function shortened(name: string): string {
  return name.slice(0, 64);
}
