import { isObject } from '../../tokens/json.ts';

interface Handled {
  readonly response?: unknown;
  readonly output?: unknown;
}
type Handler = (args: unknown) => Promise<Handled>;

export interface MiddlewareStack {
  add(
    middleware: (next: Handler) => Handler,
    options: { readonly step: 'deserialize'; readonly priority: 'high'; readonly name: string },
  ): void;
}

const headersByOutput = new WeakMap<object, unknown>();
const prepared = new WeakSet<MiddlewareStack>();

/**
 * Some models report their token counts only in headers, which the SDK drops. The one way to see them
 * is a middleware of the client, around the one that parses; it is added once and only looks.
 */
export function rememberHeaders(stack: MiddlewareStack): void {
  if (prepared.has(stack)) return;
  prepared.add(stack);
  stack.add(
    (next) => async (args) => {
      const handled = await next(args);
      if (isObject(handled.output) && isObject(handled.response)) {
        headersByOutput.set(handled.output, handled.response['headers']);
      }
      return handled;
    },
    { step: 'deserialize', priority: 'high', name: 'otelTokenMeterHeaders' },
  );
}

export function headersOf(output: unknown): unknown {
  return isObject(output) ? headersByOutput.get(output) : undefined;
}
