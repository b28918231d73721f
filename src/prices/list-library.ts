import { pathToFileURL } from 'node:url';
import type * as GenaiPrices from '@pydantic/genai-prices';
import { TokenMeterError } from '../errors.ts';
import { packageFile } from '../tokens/package-file.ts';

export type ListLibrary = typeof GenaiPrices;
export type ListProvider = GenaiPrices.Provider;

/** The library as it is installed, with its own list. The application may use it as well. */
export async function installedLibrary(): Promise<ListLibrary> {
  return await import('@pydantic/genai-prices');
}

let separate: Promise<SeparateLibrary> | undefined;

/**
 * The library once more, for lists from files: the list of a copy is global to it, and one that the
 * application has imported keeps its own. Rejects with `MISSING_DEPENDENCY` inside a bundle.
 */
export function separateLibrary(): Promise<SeparateLibrary> {
  separate ??= SeparateLibrary.load();
  return separate;
}

export class SeparateLibrary {
  readonly library: ListLibrary;
  /** The list of the package, which is the oldest that is worth having. */
  readonly bundled: readonly ListProvider[];
  #active: readonly ListProvider[];

  private constructor(library: ListLibrary, bundled: readonly ListProvider[]) {
    this.library = library;
    this.bundled = bundled;
    this.#active = bundled;
  }

  static async load(): Promise<SeparateLibrary> {
    const file = packageFile('@pydantic/genai-prices', 'dist/index.js');
    if (file === undefined) {
      throw new TokenMeterError(
        'MISSING_DEPENDENCY',
        'a price list from a file needs the installed package @pydantic/genai-prices: make it external in the bundler',
      );
    }
    const url = `${pathToFileURL(file).href}?otel-token-meter`;
    const library = (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as ListLibrary;
    return new SeparateLibrary(library, (await library.waitForUpdate()) ?? []);
  }

  /** Makes `providers` the list of this copy. Throws for a list that the library does not accept. */
  activate(providers: readonly ListProvider[]): void {
    if (providers === this.#active) return;
    this.library.updatePrices(({ setProviderData }) => {
      setProviderData([...providers]);
    });
    this.#active = providers;
  }
}
