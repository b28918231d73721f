/** Daily sums of an office: a working week, growth, moods that last for days, and holidays. */
export function officeDays(seed: number, count: number): readonly number[] {
  const random = randomFrom(seed);
  const growthOfMonth = random() * 0.2 - 0.02;
  const noise = 0.1 + 0.3 * random();
  const holidays = 0.03 * random();
  const firstWeekday = Math.floor(random() * 7);
  const persistence = 0.5 * random();
  const week = [1, 1.05, 1, 1.1, 0.9, 0.2, 0.15];
  let mood = 0;
  return Array.from({ length: count }, (_, index) => {
    mood = persistence * mood + normal(random) * noise * Math.sqrt(1 - persistence ** 2);
    const weekday = (index + firstWeekday) % 7;
    const share = weekday < 5 && random() < holidays ? 0.1 : 1;
    const level = (1 + growthOfMonth) ** (index / 30);
    return 1000 * (week[weekday] ?? 0) * level * Math.exp(mood) * share;
  });
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Lehmer's generator with the multiplier of MINSTD: the same numbers on every run. */
function randomFrom(seed: number): () => number {
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let i = 0; i < 5; i++) next();
  return next;
}
