/**
 * Rows of a measurement in InfluxDB 1.x. `time` is a string of nanoseconds, which exceed a number.
 */
export async function influxRows(
  url: string,
  database: string,
  q: string,
  authorization?: string,
): Promise<Record<string, unknown>[]> {
  const query = new URLSearchParams({ db: database, q, epoch: 'ns' });
  const response = await fetch(`${url}/query?${query.toString()}`, {
    headers: authorization === undefined ? {} : { authorization },
  });
  const text = await response.text();
  const { results } = JSON.parse(text.replaceAll(/(?<=\[)\d{19}(?=,)/g, '"$&"')) as {
    results: {
      series?: { tags?: Record<string, string>; columns: string[]; values: unknown[][] }[];
      error?: string;
    }[];
  };
  const [result] = results;
  if (result?.error !== undefined) throw new Error(result.error);
  return (result?.series ?? []).flatMap(({ columns, values, tags }) =>
    values.map((row) => ({
      ...tags,
      ...Object.fromEntries(columns.map((name, i) => [name, row[i]])),
    })),
  );
}
