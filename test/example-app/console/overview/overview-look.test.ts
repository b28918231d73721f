import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { lowContrasts, overflow } from '../../../support/browser.ts';
import { consolePages } from '../../../support/console-pages.ts';
import { officeUsage } from '../../../support/office-usage.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const LONG = 'a-very-long-name-without-any-place-to-break-it.'.repeat(5);
const HOSTILE = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{app.name}}`;

describe('dashboard: looks, languages, keyboard', () => {
  const pages = consolePages();

  async function recordEverything(): Promise<void> {
    await pages.usage.record([
      ...officeUsage({ until: Date.now() - 1000, days: 8, perDay: 8 }),
      usageRecord(Date.now(), {
        userId: LONG,
        conversationId: LONG,
        requestModel: LONG,
        provider: 'x',
        outcome: 'error',
        errorType: LONG,
        totalTokens: 5_000_000,
        inputTokens: 5_000_000,
        outputTokens: 0,
        tokenSource: 'estimated',
      }),
    ]);
    const { settings } = pages.usage;
    await settings.patch({ token_statistics: false }, { actor: 'ada', reason: LONG.slice(0, 200) });
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone and can be read in the ${colorScheme} theme`, async () => {
      await recordEverything();
      const path = `/?conversation=${LONG}&user=${LONG}&outcome=error`;
      for (const [where, locale] of [
        ['/', 'en-GB'],
        [path, 'zh-CN'],
      ] as const) {
        const viewport = { width: 360, height: 740 };
        const page = await pages.open(where, { colorScheme, locale, viewport });
        assert.equal(await overflow(page), 0, `${where.slice(0, 9)} scrolls sideways`);
        assert.deepEqual(await lowContrasts(page), []);
        await page.focus('#course .chart');
        await page.keyboard.press('ArrowLeft');
        assert.equal(await overflow(page), 0, 'the tooltip stays inside');
        await page.click('#add-filter');
        assert.equal(await overflow(page), 0);
        assert.deepEqual(await lowContrasts(page), []);
      }
    });

    it(`draws series that can be told from the ${colorScheme} card and from another`, async () => {
      await pages.usage.record([usageRecord(Date.now())]);
      const page = await pages.open('/', { colorScheme });
      const colours = await page.evaluate<Record<string, number[]>>(`
        (() => {
          const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const names = ['--card', '--series-1', '--series-2', '--series-3', '--series-4', '--series-5',
            '--series-6', '--series-other', '--p50', '--p95', '--p99', '--failure-error', '--failure-aborted'];
          return Object.fromEntries(names.map((name) => {
            const probe = document.createElement('i');
            probe.style.color = 'var(' + name + ')';
            document.body.append(probe);
            context.fillStyle = getComputedStyle(probe).color;
            context.fillRect(0, 0, 1, 1);
            return [name, [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)];
          }));
        })()
      `);
      const { '--card': card = [], ...series } = colours;
      for (const [name, colour] of Object.entries(series)) {
        assert.ok(contrast(colour, card) >= 3, `${name}: ${contrast(colour, card).toFixed(2)}`);
      }
      for (const family of ['--series', '--p', '--failure']) {
        const together = Object.entries(series).filter(([name]) => name.startsWith(family));
        for (const [index, [name, colour]] of together.entries()) {
          for (const [other, otherColour] of together.slice(index + 1)) {
            for (const see of [normal, deuteranope, protanope]) {
              const far = distance(see(colour), see(otherColour));
              assert.ok(far > 20, `${name} and ${other} to a ${see.name}: ${far.toFixed(0)}`);
            }
          }
        }
      }
    });
  }

  it('speaks Chinese to a Chinese browser, numbers and dates too', async () => {
    await recordEverything();
    const page = await pages.open('/', { locale: 'zh-CN' });
    await pages.shows(page, 'h1', '用量');
    await pages.shows(page, '[data-tile=tokens] .figure', /万$/);
    await pages.shows(page, '#gaps', 'Token 统计关闭，操作人 ada');
    await pages.shows(page, '#live', '实时');
    const text = (await page.innerText('#dashboard')).replaceAll(LONG, '');
    assert.doesNotMatch(text, /undefined|null|NaN|\{\w|\b(calls|tokens|of|by|the|and|Users?)\b/);
  });

  it('shows names from outside as text, wherever they come', async () => {
    await pages.usage.record([
      usageRecord(Date.now() - 1000, {
        userId: HOSTILE,
        conversationId: HOSTILE,
        requestModel: HOSTILE,
        provider: HOSTILE,
        outcome: 'error',
        errorType: HOSTILE,
        totalTokens: 3,
        inputTokens: 2,
        outputTokens: 1,
      }),
    ]);
    const query = new URLSearchParams({ user: HOSTILE, conversation: HOSTILE, range: '24h' });
    const page = await pages.open(`/?${query.toString()}`);
    for (const selector of ['.chip', '#top-user', '#top-model', '#calls', '#course', '.classes']) {
      await pages.shows(page, selector, HOSTILE);
    }
    await pages.shows(page, '#conversation', HOSTILE);
    await page.focus('#course .chart');
    await page.keyboard.press('ArrowLeft');
    await pages.shows(page, '.tooltip', HOSTILE);
    await page.click('#course summary');
    await pages.shows(page, '#course .chart-table', HOSTILE);
    await page.click('#add-filter');
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.equal(await page.locator('#dashboard img, #dashboard script').count(), 0);
  });

  it('can be used by keyboard alone, and shows where one is', async () => {
    await pages.usage.record([
      usageRecord(Date.now() - 1000, { userId: 'ann', conversationId: 'c1', totalTokens: 1 }),
    ]);
    const page = await pages.open('/?user=ann');
    const reached: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate<[string, string]>(FOCUSED);
      if (name === 'BODY' || reached.length > 200) break;
      assert.notEqual(outline, 'none', `${name} does not show its focus`);
      reached.push(name);
    }
    const tabbable = await page.evaluate<number>(TABBABLE);
    assert.equal(reached.length, tabbable, reached.join('\n'));
    for (const name of ['24 h', 'Cost', 'Download CSV', 'By user', 'ann', 'Whole call']) {
      assert.ok(
        reached.some((each) => each.includes(name)),
        name,
      );
    }
    await page.focus('#custom');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.id'), 'from');
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#range-form'), false);
  });

  it('names every control, and every chart by what it tells', async () => {
    await recordEverything();
    const page = await pages.open();
    assert.deepEqual(await page.evaluate<string[]>(NAMELESS), []);
    const charts = await page
      .locator('[role=slider]')
      .evaluateAll((all) =>
        all.map((each) => [each.getAttribute('aria-label'), each.getAttribute('aria-valuetext')]),
      );
    assert.equal(charts.length, 3);
    for (const [label, value] of charts) assert.ok(label && value, String(label));
    assert.equal(await page.locator('h1').count(), 1);
  });

  it('moves nothing when motion is not wanted', async () => {
    await pages.usage.record([usageRecord(Date.now())]);
    const page = await pages.open('/', { reducedMotion: 'reduce' });
    assert.deepEqual(await moving(page), []);
  });

  async function moving(page: Page): Promise<string[]> {
    return await page.evaluate<string[]>(`
      [...document.querySelectorAll('*')].filter((each) => {
        const { transitionDuration, animationName } = getComputedStyle(each);
        return animationName !== 'none' || !/^0s(, 0s)*$/.test(transitionDuration);
      }).map((each) => each.outerHTML.slice(0, 80))
    `);
  }
});

const FOCUSED = `(() => {
  const { activeElement: element } = document;
  const name = [element.tagName, element.id, element.textContent.trim().slice(0, 30)].join(' ').trim();
  return [element === document.body ? 'BODY' : name, getComputedStyle(element).outlineStyle];
})()`;

const TABBABLE = `
  [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0).length
`;

const NAMELESS = `
  [...document.querySelectorAll('button, a, input, select, [role=slider], [role=grid], [role=group], section')]
    .filter((each) => {
      const labelledBy = each.getAttribute('aria-labelledby');
      const name = each.getAttribute('aria-label') ?? each.textContent.trim() ??
        (labelledBy && document.getElementById(labelledBy)?.textContent);
      return !name && !(each.labels?.length > 0);
    })
    .map((each) => each.outerHTML.slice(0, 120))
`;

/** Of WCAG. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = colour.map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function linear(value: number): number {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

/** Colours as an eye sees them, in linear light: matrices of Machado, Oliveira and Fernandes, 2009. */
function normal(colour: readonly number[]): readonly number[] {
  return colour.map(linear);
}

function deuteranope(colour: readonly number[]): readonly number[] {
  return mixed(
    colour,
    [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  );
}

function protanope(colour: readonly number[]): readonly number[] {
  return mixed(
    colour,
    [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  );
}

function mixed(colour: readonly number[], matrix: readonly number[]): readonly number[] {
  const light = colour.map(linear);
  return [0, 3, 6].map((row) =>
    light.reduce((sum, part, column) => sum + part * matrix[row + column]!, 0),
  );
}

/** In CIE L*a*b*, where 2.3 can just be seen. */
function distance(a: readonly number[], b: readonly number[]): number {
  const [one, two] = [lab(a), lab(b)];
  return Math.hypot(...one.map((part, index) => part - two[index]!));
}

function lab([r = 0, g = 0, b = 0]: readonly number[]): readonly number[] {
  const f = (value: number): number =>
    value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116;
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
