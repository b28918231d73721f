interface QueryAnswer {
  readonly results: readonly {
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
    readonly error?: string;
  }[];
}

/**
 * Executes a statement that changes something in InfluxDB 1.x. Reads the whole answer: the server sends
 * the header before it executes the statement.
 */
export async function influxExecute(url: string, q: string, authorization?: string): Promise<void> {
  const response = await fetch(`${url}/query?${new URLSearchParams({ q }).toString()}`, {
    method: 'POST',
    headers: authorization === undefined ? {} : { authorization },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${q}: ${response.status} ${text}`);
  const error = (JSON.parse(text) as QueryAnswer).results[0]?.error;
  if (error !== undefined) throw new Error(`${q}: ${error}`);
}

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
  const { results } = JSON.parse(text.replaceAll(/(?<=\[)\d{19}(?=,)/g, '"$&"')) as QueryAnswer;
  const [result] = results;
  if (result?.error !== undefined) throw new Error(result.error);
  return (result?.series ?? []).flatMap(({ columns, values, tags }) =>
    values.map((row) => ({
      ...tags,
      ...Object.fromEntries(columns.map((name, i) => [name, row[i]])),
    })),
  );
}
