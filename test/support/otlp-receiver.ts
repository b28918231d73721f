import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

export type OtlpSignal = 'traces' | 'metrics' | 'logs';

export interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A request in the JSON mapping of OTLP, for any wire format. */
interface OtlpRequest {
  readonly signal: OtlpSignal;
  readonly contentType: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the whole of OTLP, read by tests only
  readonly body: any;
}

export interface OtlpReceiver {
  readonly httpUrl: string;
  readonly grpcUrl: string;
  readonly requests: readonly OtlpRequest[];
  close(): Promise<void>;
}

interface MessageType {
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}

/** The official definitions, as protobufjs compiled them for OpenTelemetry JS 2.x. */
const definitions = createRequire(import.meta.url)(
  'otlp-definitions/build/src/generated/root.js',
) as {
  readonly opentelemetry: {
    readonly proto: { readonly collector: Record<string, { v1: Record<string, MessageType> }> };
  };
};

const SIGNALS = { traces: 'trace', metrics: 'metrics', logs: 'logs' } as const;

function decode(signal: OtlpSignal, bytes: Uint8Array): object {
  const name = SIGNALS[signal];
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const type = definitions.opentelemetry.proto.collector[name]?.v1[`Export${title}ServiceRequest`];
  if (type === undefined) throw new Error(`no definition of ${signal}`);
  return type.toObject(type.decode(bytes), { longs: Number, enums: Number, bytes: String });
}

/** A collector on loopback that accepts http/protobuf, http/json and gRPC. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const requests: OtlpRequest[] = [];
  const http = createServer((request, response) => {
    void receive(request).then((received) => {
      requests.push(received);
      response.writeHead(200, { 'content-type': received.contentType });
      response.end(received.contentType === 'application/json' ? '{}' : '');
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const grpc = new Server();
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    const name = SIGNALS[signal];
    const service = `${name.charAt(0).toUpperCase()}${name.slice(1)}Service`;
    const definition: ServiceDefinition = {
      Export: {
        path: `/opentelemetry.proto.collector.${name}.v1.${service}/Export`,
        requestStream: false,
        responseStream: false,
        requestSerialize: () => Buffer.alloc(0),
        requestDeserialize: (bytes: Buffer) => decode(signal, bytes),
        responseSerialize: () => Buffer.alloc(0),
        responseDeserialize: () => ({}),
      },
    };
    grpc.addService(definition, {
      Export: (
        call: { readonly request: object },
        done: (error: null, answer: object) => void,
      ): void => {
        requests.push({ signal, contentType: 'application/grpc', body: call.request });
        done(null, {});
      },
    });
  }
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  return {
    httpUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    requests,
    async close() {
      grpc.forceShutdown();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

async function receive(request: IncomingMessage): Promise<OtlpRequest> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const sent = Buffer.concat(pieces);
  const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  const contentType = request.headers['content-type'] ?? '';
  const signal = request.url?.split('/').at(-1) as OtlpSignal;
  const body: unknown =
    contentType === 'application/json' ? JSON.parse(bytes.toString()) : decode(signal, bytes);
  return { signal, contentType, body };
}

/** Attributes as a plain object. Integers are strings in the JSON mapping. */
export function attributesOf(
  attributes: readonly OtlpAttribute[] = [],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value['stringValue'] ??
        value['boolValue'] ??
        value['doubleValue'] ??
        (value['intValue'] === undefined ? value : Number(value['intValue'])),
    ]),
  );
}
