import { readFileSync } from 'node:fs';
import { substituteEnv } from '../config/substitute.ts';
import { yaml } from '../config/yaml-on-demand.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What the configuration says of this service, for records of calls whose span no SDK made: the
 * `resource` of the file, over it `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`. Never throws.
 */
export function resourceAttributes(
  env: Env,
  file: string | undefined,
): Readonly<Record<string, string>> {
  const attributes = { ...fromFile(env, file), ...fromList(env['OTEL_RESOURCE_ATTRIBUTES']) };
  const service = env['OTEL_SERVICE_NAME']?.trim();
  if (service) attributes['service.name'] = service;
  attributes['service.name'] ??= 'unknown_service:node';
  return attributes;
}

/** `key=value` pairs, percent-encoded; a list that is not one is left out. */
function fromList(list: string | undefined): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of (list ?? '').split(',')) {
    const [key = '', ...value] = pair.split('=');
    if (key.trim() === '' || value.length === 0) continue;
    try {
      attributes[key.trim()] = decodeURIComponent(value.join('=').trim());
    } catch {
      continue;
    }
  }
  return attributes;
}

function fromFile(env: Env, file: string | undefined): Record<string, string> {
  if (file === undefined) return {};
  try {
    const document = yaml().parseDocument(readFileSync(file, 'utf8'), { version: '1.2' });
    substituteEnv(document, env);
    const { resource } = (document.toJS() ?? {}) as {
      readonly resource?: {
        readonly attributes?: readonly { readonly name: string; readonly value: unknown }[];
        readonly attributes_list?: string;
      };
    };
    const attributes = fromList(resource?.attributes_list);
    for (const { name, value } of resource?.attributes ?? []) attributes[name] = String(value);
    return attributes;
  } catch {
    // The reader of our own blocks tells what is wrong with the file.
    return {};
  }
}
