import { PassThrough, Readable } from 'node:stream';

/** openai 4 gives node-fetch's response: its body is a Node stream. */
async function bodyText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function piped(body: unknown): Promise<string> {
  const readable = body instanceof Readable ? body : Readable.fromWeb(body as never);
  const through = readable.pipe(new PassThrough());
  return bodyText(through);
}

/** Every way in which a caller may read a raw response to its end. */
export const BODIES: readonly (readonly [
  how: string,
  read: (response: Response) => Promise<unknown>,
])[] = [
  ['text()', (response) => response.text()],
  ['arrayBuffer()', async (response) => Buffer.from(await response.arrayBuffer()).toString()],
  ['blob()', async (response) => (await response.blob()).text()],
  ['clone().text()', (response) => response.clone().text()],
  ['for await over body', (response) => bodyText(response.body as never)],
  ['body piped on', (response) => piped(response.body)],
  ['new Response(body).text()', (response) => new Response(response.body).text()],
];
