export interface Address {
  /** Without a login and without a slash at its end. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** Requests take no address with a login in it, and messages would show it. */
export function separateLogin(url: string): Address {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { url: url.replace(/\/+$/, '') };
  address.username = '';
  address.password = '';
  return {
    url: address.href.replace(/\/+$/, ''),
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
  };
}

/** As it stands where a `%` was meant as one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
