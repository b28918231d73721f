import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { patchAgents } from './agent-classes.ts';
import { patchModels } from './provider-packages.ts';
import { registerAiSdkTelemetry } from './telemetry-integration.ts';

/** The AI SDK itself: its gateway's models and its agents are patched, its telemetry is listened to. */
export const vercelAi: SdkPatch = {
  moduleName: 'ai',
  testedMajors: [5, 7],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    registerAiSdkTelemetry(meter);
    patchAgents(moduleExports, meter);
    return patchModels(moduleExports, meter);
  },
};
