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
/** A past sum counts as at most so many times its projection: the first day after a pilot is no trend. */
const MAX_RATIO = 3;
/** A day counts as at most so many times what is usual of its weekday. */
const MAX_OF_USUAL = 5;
/** Weeks of less than this share of the latest, with none of more before them, were another time. */
const SHARE_OF_LEVEL = 0.2;
/** Student's t for a two-sided 80 %, by degrees of freedom from 1 to 10. */
const STUDENT_T = [3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383, 1.372] as const;
const NORMAL_80 = 1.2816;

/**
 * Projects the `horizon` days after `history` (one number a day, oldest first; undefined where it is
 * not known). Each day is expected to be like the same weekday of past weeks, recent ones the most.
 * How wrong that has been for the days of the history itself, projected from the days before them,
 * corrects the sum (growth, decline) and gives its range (noise, holidays). Single days far above
 * the usual hardly count, nor does what was before a launch. Undefined with less than `REQUIRED_DAYS`
 * known days, or where nothing was used so far.
 */
export function projectDays(
  history: readonly (number | undefined)[],
  horizon: number,
): DayProjection | undefined {
  const known = history.filter((value) => value !== undefined);
  if (horizon < 1 || known.length < REQUIRED_DAYS) return undefined;
  const past = { history, medians: weekMedians(history) };
  const week = usualWeek(past, history.length);
  if (week === undefined) return undefined;
  const span = Math.min(horizon, Math.max(1, Math.floor((history.length - WEEK) / 2)));
  const errors = pastErrors(past, span);
  if (errors.length === 0) return undefined;
  const trials = (history.length - WEEK) / span;
  const learned = levelStart(past, history.length) + WEEK;
  const trend = errors.filter(({ start }) => start >= learned).map(({ error }) => error);
  const bias = trend.length === 0 ? 0 : mean(trend) * (trials / (trials + TRIALS_OF_DOUBT));
  const deviation = Math.sqrt(mean(errors.map(({ error }) => (error - bias) ** 2)));
  const reach = studentT(trials - 1) * deviation * Math.sqrt(horizon / span);
  const centre = Math.max(0, 1 + bias);
  return {
    days: Array.from({ length: horizon }, (_, index) => (week[index % WEEK] ?? 0) * centre),
    lowFactor: centre === 0 ? 0 : Math.max(0, 1 - reach / centre),
    highFactor: centre === 0 ? 1 : 1 + reach / centre,
  };
}

/** What the seven days from `end` on usually hold; undefined if a weekday was never seen. */
function usualWeek(past: Past, end: number): readonly number[] | undefined {
  const { history } = past;
  const first = levelStart(past, end);
  const week: number[] = [];
  for (let day = 0; day < WEEK; day++) {
    const values: { readonly value: number; readonly age: number }[] = [];
    for (let age = 1; end + day - age * WEEK >= first; age++) {
      const value = history[end + day - age * WEEK];
      if (value !== undefined) values.push({ value, age });
    }
    const usual = median(values.map(({ value }) => value));
    const limit = values.length > 2 && usual > 0 ? usual * MAX_OF_USUAL : Infinity;
    let sum = 0;
    let weights = 0;
    for (const { value, age } of values) {
      const weight = 0.5 ** (age / HALF_LIFE_WEEKS);
      sum += Math.min(value, limit) * weight;
      weights += weight;
    }
    if (weights === 0) return undefined;
    week.push(sum / weights);
  }
  return week;
}

/** Since when days have been of the order of the seven before `end`: from a launch on, else 0. */
function levelStart({ history, medians }: Past, end: number): number {
  const limit = (medians[end] ?? 0) * SHARE_OF_LEVEL;
  let first = 0;
  for (let start = end - 2 * WEEK; start > -WEEK; start -= WEEK) {
    if ((medians[start + WEEK] ?? 0) >= limit) first = 0;
    else if (first === 0) first = start + WEEK;
  }
  if (first === 0) return 0;
  // The launch is hardly ever on the first day of such a week.
  while (first < end - WEEK && (history[first] ?? 0) < limit) first++;
  return first;
}

function weekMedians(history: Past['history']): readonly number[] {
  return Array.from({ length: history.length + 1 }, (_, end) => {
    const week = history.slice(Math.max(0, end - WEEK), end);
    return median(week.filter((value) => value !== undefined));
  });
}

/** 0 of nothing; of an even number of values the lower one in the middle. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? 0;
}

interface Past {
  readonly history: readonly (number | undefined)[];
  /** Of the seven days before each day, and before the one after the last. */
  readonly medians: readonly number[];
}

interface PastError {
  readonly start: number;
  /** 0.1 where a tenth more was used than projected. */
  readonly error: number;
}

/** Of `span` days each, relative to their projection. */
function pastErrors(past: Past, span: number): readonly PastError[] {
  const { history } = past;
  const errors: PastError[] = [];
  for (let start = WEEK; start + span <= history.length; start++) {
    const days = history.slice(start, start + span);
    const week = usualWeek(past, start);
    if (week === undefined || days.includes(undefined)) continue;
    const projected = days.reduce<number>((sum, _, index) => sum + (week[index % WEEK] ?? 0), 0);
    const actual = days.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    if (projected > 0) {
      errors.push({ start, error: Math.min(actual / projected, MAX_RATIO) - 1 });
    }
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
