import type { OpenStep } from '../../agents/open-step.ts';
import type { OpenOperation } from '../../agents/operation.ts';
import { errorType } from '../../host/quietly.ts';
import { ATTR_MCP } from '../../otel/semconv.ts';
import { isObject } from '../../tokens/json.ts';

/** A tool may fail within a reply. */
export function endWithResult(
  operation: OpenOperation,
  step: OpenStep | undefined,
  result: unknown,
): void {
  const error = isObject(result) && result['isError'] === true ? 'tool_error' : undefined;
  const output = isObject(result) ? (result['structuredContent'] ?? result['content']) : undefined;
  step?.end({ errorType: error, output });
  operation.end(error);
}

/** The code of JSON-RPC, where the error has one. */
export function endWithError(
  operation: OpenOperation,
  step: OpenStep | undefined,
  error: unknown,
): void {
  const code =
    isObject(error) && Number.isInteger(error['code']) ? String(error['code']) : undefined;
  const type = code ?? errorType(error);
  step?.end({ errorType: type });
  operation.end(type, code === undefined ? {} : { [ATTR_MCP.statusCode]: code });
}
