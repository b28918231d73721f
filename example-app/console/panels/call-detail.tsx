import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import type { Contract, UsageRecord } from '../api/contract.ts';
import { Facts } from '../components/controls.tsx';
import { formatCallCost, formatMs, formatTime, formatWhole } from '../formats.ts';
import { isolated, Name } from '../names.tsx';
import { type StringKey, t, textOr } from '../texts.ts';
import { linkTo, view } from '../view/current-view.ts';
import { costNote } from './call-columns.tsx';
import { unitFacts } from './units.tsx';

type ByKind = NonNullable<Contract['/api/usage/costs']['what_if'][number]['by_kind']>;

const TOKENS = [
  'input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'total_tokens',
] as const;
const NAMES = [
  'id',
  'service',
  'operation',
  'provider',
  'request_model',
  'response_model',
  'response_id',
  'user_id',
  'conversation_id',
  'team',
  'agent_name',
  'tool_name',
  'service_tier',
  'trace_id',
  'span_id',
] as const;

/** Everything that is known of one call, and how its cost was made. */
export function CallDetail({ call }: { readonly call: UsageRecord }): JSX.Element {
  const kinds = useCostByKind(call);
  const { token_source: source, time_to_first_chunk_ms: first } = call;
  const units = unitFacts(call);
  const attributes = Object.entries({ ...call.dimensions, ...call.attributes }).filter(
    ([name]) => !isUnit(call, name),
  );
  return (
    <div class="call-detail">
      <div>
        <h3>{t('measure.total_tokens')}</h3>
        <Facts
          facts={[
            ...TOKENS.map((key) => fact(`call.${key}`, call[key], formatWhole)),
            fact('call.source', source, (value) => t(`source.${value}`)),
          ]}
        />
        {units.length > 0 && (
          <>
            <h3>{t('units.title')}</h3>
            <Facts facts={units} />
          </>
        )}
      </div>
      <div>
        <h3>{t('calls.cost')}</h3>
        <Facts
          facts={[
            { name: t('calls.cost'), value: formatCallCost(call) },
            fact('call.how', costNote(call), String),
            ...Object.entries(kinds ?? {})
              .filter(([, usd]) => usd > 0)
              .map(([kind, usd]) => ({
                name: textOr(`costKind.${kind}`, kind),
                value: formatCallCost({ cost_usd: usd }),
              })),
          ]}
        />
      </div>
      <div>
        <h3>{t('calls.time')}</h3>
        <Facts
          facts={[
            { name: t('calls.time'), value: formatTime(call.time) },
            { name: t('calls.duration'), value: formatMs(call.duration_ms) },
            fact('latency.first', first, formatMs),
            { name: t('calls.outcome'), value: textOr(`outcome.${call.outcome}`, call.outcome) },
            fact('call.error', call.error_type, isolated),
          ]}
        />
      </div>
      <div>
        <h3>{t('call.names')}</h3>
        <Facts
          facts={[
            ...NAMES.map((key) => fact(`call.${key}`, call[key], isolated)),
            call.run_id === undefined
              ? undefined
              : { name: t('call.run_id'), value: <RunLink id={call.run_id} /> },
            ...attributes.map(([name, value]) => ({
              name: isolated(name),
              value: isolated(String(value)),
            })),
          ]}
        />
      </div>
    </div>
  );
}

/** The attribute of an amount that is shown by its name. */
function isUnit({ units = {} }: UsageRecord, attribute: string): boolean {
  return Object.keys(units).some((unit) => attribute === `token_meter.usage.${unit}`);
}

function RunLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a href={linkTo('/run', view.value.range, 'run', id)}>
      <Name>{id}</Name>
    </a>
  );
}

/** Nothing where the call has no such value. */
function fact<T>(key: StringKey, value: T | undefined, format: (value: T) => string) {
  return value === undefined ? undefined : { name: t(key), value: format(value) };
}

/**
 * The cost of the call by kind of tokens, at the prices of today: what its model costs "instead of"
 * itself.
 */
function useCostByKind(call: UsageRecord): ByKind | undefined {
  const [kinds, setKinds] = useState<ByKind>();
  useEffect(() => {
    if (call.cost_usd === undefined) return undefined;
    const leaving = new AbortController();
    const at = Date.parse(call.time);
    const { request_model: model, user_id: user = '', conversation_id: conversation = '' } = call;
    const question = {
      from: new Date(at).toISOString(),
      to: new Date(at + 1).toISOString(),
      model,
      user,
      conversation,
      ...(!model.includes('=') && { what_if: `${model}=${model}` }),
    };
    get('/api/usage/costs', question, leaving.signal).then(
      ({ what_if: [same] }) => same?.calls === 1 && setKinds(same.by_kind),
      () => undefined,
    );
    return () => leaving.abort();
  }, [call.id]);
  return kinds;
}
