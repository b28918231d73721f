import { readFile } from 'node:fs/promises';
import type { Bill } from '../../bill/bill.ts';
import type { Range } from '../../bill/comparison.ts';
import { anthropicBill } from '../../bill/sources/anthropic.ts';
import type { ApiAccess } from '../../bill/sources/http-pages.ts';
import { openaiBill } from '../../bill/sources/openai.ts';
import { openrouterBill } from '../../bill/sources/openrouter.ts';
import { TokenMeterError } from '../../errors.ts';

/** A provider's API, with its key. */
export interface ApiSource {
  /** `gen_ai.provider.name` of the calls that it bills. */
  readonly providers: readonly string[];
  bill(range: Range): Promise<Bill>;
}

interface Api {
  readonly baseUrl: string;
  readonly keyVariable: string;
  readonly headers: (key: string) => Readonly<Record<string, string>>;
  /** What `--accounts` may be; the first one is the default. */
  readonly accounts: readonly string[];
  readonly bill: (access: ApiAccess, range: Range, accounts: string) => Promise<Bill>;
}

const bearer = (key: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${key}`,
});

type ApiName = 'openai' | 'anthropic' | 'openrouter';

const APIS: Readonly<Record<ApiName, Api>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    keyVariable: 'OPENAI_ADMIN_KEY',
    headers: bearer,
    accounts: ['key', 'project'],
    bill: async (access, range, accounts) =>
      await openaiBill(access, range, {
        accounts: accounts === 'key' ? 'api_key_id' : 'project_id',
      }),
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    keyVariable: 'ANTHROPIC_ADMIN_API_KEY',
    headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
    accounts: ['key', 'workspace'],
    bill: async (access, range, accounts) =>
      await anthropicBill(access, range, {
        accounts: accounts === 'key' ? 'api_key_id' : 'workspace_id',
      }),
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    keyVariable: 'OPENROUTER_MANAGEMENT_KEY',
    headers: bearer,
    accounts: ['key'],
    bill: async (access) => await openrouterBill(access),
  },
};

export function isApiSource(name: string | undefined): name is ApiName {
  return name !== undefined && Object.hasOwn(APIS, name);
}

/** Throws `INVALID_OPTION` if there is no key. */
export async function apiSource(
  name: ApiName,
  values: { readonly 'base-url'?: string | undefined; readonly accounts?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Promise<ApiSource> {
  const { keyVariable, headers, accounts: allowed, bill, ...api }: Api = APIS[name];
  const baseUrl = values['base-url'] ?? api.baseUrl;
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw invalid('--base-url', baseUrl, 'a URL that starts with http:// or https://');
  }
  const accounts = values.accounts ?? allowed[0] ?? '';
  if (!allowed.includes(accounts)) throw invalid('--accounts', accounts, allowed.join(', '));
  const key = await keyOf(keyVariable, env);
  const access = { baseUrl, headers: headers(key), keyName: `an admin key in ${keyVariable}` };
  return { providers: [name], bill: async (range) => await bill(access, range, accounts) };
}

/** The key in a variable, or in the file that the variable with `_FILE` names. */
async function keyOf(
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const given = env[variable]?.trim();
  if (given !== undefined && given !== '') return checkedKey(variable, given);
  const file = env[`${variable}_FILE`];
  if (file === undefined || file === '') {
    throw new TokenMeterError('INVALID_OPTION', `${variable} is not set`, {
      allowed: `an admin key in ${variable}, or the path of a file in ${variable}_FILE`,
    });
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TokenMeterError('INVALID_OPTION', `${variable}_FILE: cannot read ${file}`, {
      value: file,
      allowed: 'a readable file',
      cause,
    });
  });
  return checkedKey(`${variable}_FILE`, text.trim());
}

/** A header takes visible ASCII; the error of `fetch` would quote the key. */
function checkedKey(variable: string, key: string): string {
  if (/^[\u0021-\u007e]+$/.test(key)) return key;
  throw new TokenMeterError('INVALID_OPTION', `${variable} holds no key`, {
    allowed: 'one line of visible ASCII characters',
  });
}

function invalid(option: string, value: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', `${option} is not valid`, { value, allowed });
}
