import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DocumentedApp } from './documented-app.ts';

const FUNCTION = 'tides';
const NEXT = /\/invocation\/next$/;
const RESPONSE = /\/invocation\/[^/]+\/(response|error)$/;

/** What the service beneath a function sees of one invocation. */
export interface Invoked {
  readonly kind: 'response' | 'error';
  readonly body: string;
}

/**
 * Invokes `handler` of a file once, by the runtime client of AWS (`aws-lambda-ric`). As the real
 * service does, nothing is granted to the process after its response: `onReply` is awaited, then it ends.
 */
export async function invokeLambda(
  app: DocumentedApp,
  file: string,
  event: object,
  env: Readonly<Record<string, string>>,
  onReply: () => void,
): Promise<Invoked> {
  let invoked: Invoked | undefined;
  let isTaken = false;
  const service = createServer((request, response) => {
    const path = request.url ?? '';
    if (NEXT.test(path) && !isTaken) {
      isTaken = true;
      response.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': 'request-1',
        'lambda-runtime-deadline-ms': `${Date.now() + 20_000}`,
        'lambda-runtime-invoked-function-arn': `arn:aws:lambda:eu-west-3:1:function:${FUNCTION}`,
      });
      response.end(JSON.stringify(event));
      return;
    }
    const kind = RESPONSE.exec(path)?.[1] as Invoked['kind'] | undefined;
    // The next invocation never comes.
    if (kind === undefined) return;
    void textOf(request).then((body) => {
      onReply();
      invoked = { kind, body };
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const { port } = service.address() as AddressInfo;
  try {
    await app.serve(
      'node',
      ['node_modules/aws-lambda-ric/index.mjs'],
      {
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: FUNCTION,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${FUNCTION}`,
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        LAMBDA_TASK_ROOT: app.folder,
        _HANDLER: `${file.replace(/\.mjs$/, '')}.handler`,
        ...env,
      },
      () => invoked !== undefined,
    );
  } finally {
    service.closeAllConnections();
    service.close();
  }
  if (invoked === undefined) throw new Error('no reply');
  return invoked;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}
