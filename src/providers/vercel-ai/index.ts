import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { patchModels } from './provider-packages.ts';
import { registerAiSdkTelemetry } from './telemetry-integration.ts';

/** The AI SDK itself: its gateway's models are patched, its telemetry is listened to. */
export const vercelAi: SdkPatch = {
  moduleName: 'ai',
  testedMajors: [5, 7],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    registerAiSdkTelemetry(meter);
    return patchModels(moduleExports, meter);
  },
};
