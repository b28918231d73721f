import type { CallShape } from '../../domain/call-shape.ts';
import { warnHost } from '../../host/host-warning.ts';
import { quietly } from '../../host/quietly.ts';
import { fields, listOf } from '../../tokens/json.ts';
import { streamed } from '../streamed.ts';
import { converse } from './converse.ts';
import { invokeShape } from './invoke-model.ts';

export interface Command {
  readonly input?: unknown;
}

const converseStream = streamed(converse);

/** By operation of the service. */
const SHAPES: ReadonlyMap<string, (input: unknown) => CallShape> = new Map([
  ['Converse', () => converse],
  ['ConverseStream', () => converseStream],
  ['InvokeModel', invokeShape],
  ['InvokeModelWithResponseStream', (input) => streamed(invokeShape(input))],
]);

/** Operations by class, where the module was seen: bundlers rename classes. */
const operations = new WeakMap<object, string>();

export function noteCommands(moduleExports: unknown): void {
  const exported = fields(moduleExports);
  for (const operation of SHAPES.keys()) {
    const command = exported[`${operation}Command`];
    if (typeof command === 'function') operations.set(command, operation);
  }
}

/** Undefined for a command that is no model call. */
export function shapeOf(command: Command): CallShape | undefined {
  return quietly('reading a command', () => {
    const operation = operationOf(command);
    if (operation !== undefined) return SHAPES.get(operation)?.(command.input);
    warnHost(
      'TOKEN_METER_UNKNOWN_SHAPE',
      'a command of @aws-sdk/client-bedrock-runtime cannot be recognised, as a bundler has renamed its ' +
        'class: it is not metered. Pass the classes by hand: ' +
        "instrumentation.instrument('@aws-sdk/client-bedrock-runtime', { BedrockRuntimeClient, ConverseCommand })",
    );
    return undefined;
  });
}

/** From the class, from the command's schema (SDK 3.900 and newer), or from the name of the class. */
function operationOf(command: Command): string | undefined {
  const { constructor: commandClass, schema } = command as {
    readonly constructor: { readonly name: string };
    readonly schema?: unknown;
  };
  const known = operations.get(commandClass) ?? listOf(schema)[2];
  if (typeof known === 'string') return known;
  return /^_?([A-Z]\w+)Command\d*$/.exec(commandClass.name)?.[1];
}
