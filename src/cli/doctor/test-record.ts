import { randomUUID } from 'node:crypto';
import type * as Exporter from 'otel-token-meter/exporter';
import { ATTR, EVENT_INFERENCE_DETAILS } from '../../otel/semconv.ts';
import { hrTimeOf, recordTime } from '../../usage/record-id.ts';
import { messageOf, ok, problem, type Finding } from './finding.ts';

export type Exporters = typeof Exporter;
type Processor = Exporter.UsageLogProcessor & { status(): Exporter.ExporterStatus };

const SERVICE = 'otel-token-meter doctor';
const READ_BACK_MS = 10_000;

/** Writes a record without tokens through the exporter and reads it back through the reader. */
export async function writeAndReadBack(
  processor: Processor,
  reader: Exporter.UsageReader,
): Promise<Finding> {
  const id = `doctor-${randomUUID()}`;
  const now = Date.now();
  try {
    processor.onEmit({
      hrTime: hrTimeOf(recordTime(now)),
      eventName: EVENT_INFERENCE_DETAILS,
      attributes: {
        [ATTR.recordId]: id,
        [ATTR.operationName]: 'chat',
        [ATTR.providerName]: 'doctor',
        [ATTR.requestModel]: 'doctor',
        [ATTR.durationMs]: 0,
        [ATTR.outcome]: 'ok',
      },
      resource: { attributes: { 'service.name': SERVICE } },
    });
    await processor.forceFlush();
    const { lastError, delivered } = processor.status();
    if (delivered === 0) {
      return problem('test write', lastError?.message ?? 'the record was not accepted');
    }
    const giveUpAt = now + READ_BACK_MS;
    do {
      const { records } = await reader.records({
        from: new Date(now - 60_000),
        to: new Date(now + 60_000),
        filter: { service: SERVICE },
      });
      if (records.some((record) => record.id === id)) {
        return ok('test write', `written and read back in ${Date.now() - now} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    } while (Date.now() < giveUpAt);
    return problem('test write', 'written, but not found when read back');
  } catch (error) {
    return problem('test write', messageOf(error));
  } finally {
    await processor.shutdown();
  }
}
