import { readFileSync } from 'node:fs';
import type { CliIo } from './io.ts';

/** `parseArgs` options of commands that ask a running application. */
export const APP_OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  'token-file': { type: 'string' },
} as const;

export const APP_HELP = `  --url URL         URL of the application (default: TOKEN_METER_URL or http://127.0.0.1:3000)
  --token TOKEN     Access token (default: TOKEN_METER_TOKEN, then TOKEN_METER_ADMIN_TOKEN). Other
                    users of this machine can see arguments: prefer the variables or --token-file
  --token-file FILE Read the token from the first line of a file; - reads stdin
`;

/** Where the application is, and the token for it. */
export async function appAddress(
  values: { readonly [K in keyof typeof APP_OPTIONS]?: string | undefined },
  io: CliIo,
): Promise<{ readonly url: string; readonly token: string | undefined }> {
  return {
    url: values.url ?? io.env['TOKEN_METER_URL'] ?? 'http://127.0.0.1:3000',
    token: values.token ?? (await tokenFrom(values['token-file'], io)),
  };
}

/** Reads the token. Of several admin tokens (`name:token`, comma-separated) it uses the first. */
async function tokenFrom(file: string | undefined, io: CliIo): Promise<string | undefined> {
  if (file === undefined) {
    const first = io.env['TOKEN_METER_ADMIN_TOKEN']?.split(',')[0]?.trim();
    return io.env['TOKEN_METER_TOKEN'] ?? first?.replace(/^[A-Za-z][\w.-]{0,31}:/, '');
  }
  let text = '';
  if (file === '-') for await (const chunk of io.stdin) text += String(chunk);
  else text = readFileSync(file, 'utf8');
  return text.split(/\r?\n/, 1)[0]?.trim();
}
