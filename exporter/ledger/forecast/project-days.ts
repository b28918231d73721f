/** Sum of the days to come, and the range it is in with a chance of 80 %. */
export interface DayProjection {
  /** Of each of the days to come. */
  readonly days: readonly number[];
  /** What the sum of those days is multiplied with at both ends of the range. */
  readonly lowFactor: number;
  readonly highFactor: number;
}

/** Of the range of a projection. */
export const FORECAST_CONFIDENCE = 0.8;
/** Two of each weekday: one to project from, one to compare with. */
export const REQUIRED_DAYS = 14;

const WEEK = 7;
/** The weight of a week halves with every two weeks of age. */
const HALF_LIFE_WEEKS = 2;
/**
 * A mean error of so many independent trials counts half: what few trials have in common may be
 * chance.
 */
const TRIALS_OF_DOUBT = 2;
/** Student's t for a two-sided 80 %, by degrees of freedom from 1 to 10. */
const STUDENT_T = [3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383, 1.372] as const;
const NORMAL_80 = 1.2816;

/**
 * Projects the `horizon` days after `history` (one number a day, oldest first; undefined where it is
 * not known). Each day is expected to be like the same weekday of past weeks, recent ones the most.
 * How wrong that has been for the days of the history itself, projected from the days before them,
 * corrects the sum (growth, decline) and gives its range (noise, holidays). Undefined with less than
 * `REQUIRED_DAYS` known days, or where nothing was used so far.
 */
export function projectDays(
  history: readonly (number | undefined)[],
  horizon: number,
): DayProjection | undefined {
  const known = history.filter((value) => value !== undefined);
  if (horizon < 1 || known.length < REQUIRED_DAYS) return undefined;
  const week = usualWeek(history, history.length);
  if (week === undefined) return undefined;
  const span = Math.min(horizon, Math.max(1, Math.floor((history.length - WEEK) / 2)));
  const errors = pastErrors(history, span);
  if (errors.length === 0) return undefined;
  const trials = (history.length - WEEK) / span;
  const bias = mean(errors) * (trials / (trials + TRIALS_OF_DOUBT));
  const deviation = Math.sqrt(mean(errors.map((error) => (error - bias) ** 2)));
  const reach = studentT(trials - 1) * deviation * Math.sqrt(horizon / span);
  const centre = Math.max(0, 1 + bias);
  return {
    days: Array.from({ length: horizon }, (_, index) => (week[index % WEEK] ?? 0) * centre),
    lowFactor: centre === 0 ? 0 : Math.max(0, 1 - reach / centre),
    highFactor: centre === 0 ? 1 : 1 + reach / centre,
  };
}

/** What the seven days from `end` on usually hold; undefined if a weekday was never seen. */
function usualWeek(
  history: readonly (number | undefined)[],
  end: number,
): readonly number[] | undefined {
  const week: number[] = [];
  for (let day = 0; day < WEEK; day++) {
    let sum = 0;
    let weights = 0;
    for (let age = 1; end + day - age * WEEK >= 0; age++) {
      const value = history[end + day - age * WEEK];
      if (value === undefined) continue;
      const weight = 0.5 ** (age / HALF_LIFE_WEEKS);
      sum += value * weight;
      weights += weight;
    }
    if (weights === 0) return undefined;
    week.push(sum / weights);
  }
  return week;
}

/** Of `span` days each, relative to their projection: 0.1 where a tenth more was used. */
function pastErrors(history: readonly (number | undefined)[], span: number): readonly number[] {
  const errors: number[] = [];
  for (let start = WEEK; start + span <= history.length; start++) {
    const days = history.slice(start, start + span);
    const week = usualWeek(history, start);
    if (week === undefined || days.includes(undefined)) continue;
    const projected = days.reduce<number>((sum, _, index) => sum + (week[index % WEEK] ?? 0), 0);
    const actual = days.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    if (projected > 0) errors.push(actual / projected - 1);
  }
  return errors;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function studentT(degrees: number): number {
  const atLeastOne = Math.max(1, degrees);
  const below = STUDENT_T[Math.floor(atLeastOne) - 1];
  const above = STUDENT_T[Math.floor(atLeastOne)];
  // 0.9 / degrees is how the quantile approaches that of the normal distribution.
  if (below === undefined || above === undefined) return NORMAL_80 + 0.9 / atLeastOne;
  return below + (above - below) * (atLeastOne % 1);
}
