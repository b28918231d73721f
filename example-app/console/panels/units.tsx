import type { JSX } from 'preact';
import type { Total } from '../api/contract.ts';
import { type Fact, Facts } from '../components/controls.tsx';
import { formatMs, formatWhole } from '../formats.ts';
import { language, t } from '../texts.ts';

type Units = NonNullable<Total['units']>;
export type Unit = keyof Units;

/** What calls have beside tokens: images, audio, searches. Most have nothing. */
interface WithUnits {
  readonly units?: Units | undefined;
}

/** Those that any of them has, each once, in the order of their names. */
export function unitsIn(all: readonly WithUnits[]): readonly Unit[] {
  const found = [...new Set(all.flatMap(({ units = {} }) => Object.keys(units)))] as Unit[];
  return found.toSorted((a, b) => t(`unit.${a}`).localeCompare(t(`unit.${b}`), language));
}

export function formatUnit(unit: Unit, amount: number | undefined): string {
  const isTime = unit === 'audio_input_seconds' || unit === 'audio_output_seconds';
  return isTime ? formatMs(amount && amount * 1000) : formatWhole(amount);
}

export function unitFacts(one: WithUnits): readonly Fact[] {
  return unitsIn([one]).map((unit) => ({
    name: t(`unit.${unit}`),
    value: formatUnit(unit, one.units?.[unit]),
  }));
}

/** Absent where nobody uses such APIs. */
export function UnitsTile({ total }: { readonly total: Total | undefined }): JSX.Element | null {
  if (total?.units === undefined) return null;
  return (
    <li class="card tile small" data-tile="units">
      <h2>{t('units.title')}</h2>
      <Facts facts={unitFacts(total)} />
    </li>
  );
}
