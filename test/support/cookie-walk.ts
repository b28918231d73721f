/** Follows redirects across sites as a browser does, with the cookies of each. */
export class CookieWalk {
  readonly #jars = new Map<string, Map<string, string>>();

  cookie(origin: string, name: string): string | undefined {
    return this.#jars.get(origin)?.get(name);
  }

  setCookie(origin: string, name: string, value: string): void {
    this.#jar(origin).set(name, value);
  }

  /** One request; redirects are not followed. */
  async send(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const cookie = [...this.#jar(origin)].map((pair) => pair.join('=')).join('; ');
    const headers = new Headers(init.headers);
    headers.set('sec-fetch-site', 'same-origin');
    if (cookie !== '') headers.set('cookie', cookie);
    const answer = await fetch(url, { redirect: 'manual', ...init, headers });
    for (const line of answer.headers.getSetCookie()) this.#keep(origin, line);
    return answer;
  }

  /** Goes on until a page, or an address that `stopAt` accepts; resolves with the address it is at. */
  async go(url: string | URL, stopAt: (url: URL) => boolean = () => false): Promise<URL> {
    let at = new URL(url);
    for (let hops = 0; hops < 20; hops++) {
      if (stopAt(at)) return at;
      const answer = await this.send(at);
      await answer.body?.cancel();
      const location = answer.headers.get('location');
      if (location === null) return at;
      at = new URL(location, at);
    }
    throw new Error(`more than 20 redirects, last to ${at.href}`);
  }

  #keep(origin: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const split = pair.indexOf('=');
    const expires = attributes.find((each) => /^expires=/i.test(each))?.slice('expires='.length);
    if (expires !== undefined && Date.parse(expires) <= Date.now()) {
      this.#jar(origin).delete(pair.slice(0, split));
    } else this.#jar(origin).set(pair.slice(0, split), pair.slice(split + 1));
  }

  #jar(origin: string): Map<string, string> {
    let jar = this.#jars.get(origin);
    if (!jar) this.#jars.set(origin, (jar = new Map()));
    return jar;
  }
}
