import assert from 'node:assert/strict';
import { countChat, type PartCount } from '../../src/tokens/index.ts';
import { imageDataUrl, type ImageFormat } from '../support/image-headers.ts';

function imagesOf(model: string, url: string, detail?: string): PartCount | undefined {
  const image_url = { url, ...(detail !== undefined && { detail }) };
  const messages = [{ role: 'user', content: [{ type: 'image_url', image_url }] }];
  return countChat({ messages }, model).parts.images;
}

function tokens(model: string, width: number, height: number, detail = 'high'): number {
  return imagesOf(model, imageDataUrl('png', width, height), detail)?.tokens ?? -1;
}

describe('tokens: images', () => {
  describe('the tables of the official guide', () => {
    for (const [model, width, height, detail, expected] of [
      ['gpt-4o', 1024, 1024, 'high', 765],
      ['gpt-4o', 2048, 4096, 'high', 1105],
      ['gpt-4o', 4096, 8192, 'low', 85],
      ['gpt-4o', 512, 512, 'high', 255],
      ['gpt-4.1', 1024, 1024, 'high', 765],
      ['gpt-4o-mini', 1024, 1024, 'low', 2833],
      ['gpt-4o-mini', 1024, 1024, 'high', 2833 + 4 * 5667],
      ['o1', 1024, 1024, 'high', 75 + 4 * 150],
      ['o3', 1024, 1024, 'low', 75],
      ['gpt-5', 1024, 1024, 'high', 70 + 4 * 140],
      ['gpt-5-chat-latest', 1024, 1024, 'low', 70],
      ['computer-use-preview', 1024, 768, 'high', 65 + 4 * 129],
      ['codex-mini-latest', 1024, 1024, 'high', 1024],
      ['codex-mini-latest', 1800, 2400, 'high', 1452],
    ] as const) {
      it(`${model}, ${width} × ${height}, ${detail}: ${expected}`, () => {
        const counted = imagesOf(model, imageDataUrl('png', width, height), detail);
        assert.deepEqual(counted, { tokens: expected, quality: 'exact' });
      });
    }

    it('patch models multiply, to whole tokens', () => {
      assert.equal(tokens('gpt-4.1-mini', 1024, 1024), Math.round(1024 * 1.62));
      assert.equal(tokens('gpt-4.1-mini', 1800, 2400), Math.round(1452 * 1.62));
      assert.equal(tokens('gpt-4.1-nano', 1024, 1024), Math.round(1024 * 2.46));
      assert.equal(tokens('o4-mini', 1024, 1024), Math.round(1024 * 1.72));
    });

    it('no patch model exceeds its cap, whatever the shape', () => {
      for (const [width, height] of [
        [20_000, 20_000],
        [8000, 33],
        [33, 8000],
        [1, 60_000],
        [5000, 3000],
      ] as const) {
        const counted = tokens('codex-mini', width, height);
        assert.ok(counted > 0 && counted <= 1536, `${width} × ${height}: ${counted}`);
      }
    });
  });

  it('where the guide and measurements differ it is estimated', () => {
    for (const model of ['gpt-5-mini', 'gpt-5-nano', 'gpt-5.2', 'gpt-5.4', 'gpt-6']) {
      const counted = imagesOf(model, imageDataUrl('png', 1024, 1024), 'high');
      assert.equal(counted?.quality, 'estimated', model);
    }
    assert.equal(tokens('gpt-5-mini', 1024, 1024), Math.round(1024 * 1.2));
  });

  it('gpt-5.4 shows more of an image with detail original', () => {
    const high = tokens('gpt-5.4', 6000, 4000, 'high');
    const original = tokens('gpt-5.4', 6000, 4000, 'original');
    assert.ok(high <= 2500 && original > 9000 && original <= 10_000, `${high}, ${original}`);
  });

  it('the size is read from each format, a thumbnail notwithstanding', () => {
    const formats: readonly ImageFormat[] = [
      'png',
      'jpeg',
      'gif',
      'webp',
      'webp-lossless',
      'webp-extended',
      'bmp',
    ];
    for (const format of formats) {
      const counted = imagesOf('codex-mini', imageDataUrl(format, 640, 321), 'high');
      assert.deepEqual(counted, { tokens: 20 * 11, quality: 'exact' }, format);
    }
  });

  it('what has no size of its own gets the default one, estimated', () => {
    for (const url of [
      'https://example.com/cat.png',
      'data:image/png;base64,',
      'data:image/png;base64,AAAA',
      `data:image/jpeg;base64,${Buffer.from('\xFF\xD8\xFF\xE0', 'latin1').toString('base64')}`,
      'data:image/svg+xml,<svg/>',
    ]) {
      assert.deepEqual(imagesOf('gpt-4o', url, 'high'), { tokens: 765, quality: 'estimated' });
    }
    assert.deepEqual(imagesOf('gpt-4o', 'https://example.com/cat.png', 'low'), {
      tokens: 85,
      quality: 'exact',
    });
  });

  it('with detail auto the provider decides: counted as high, estimated', () => {
    const url = imageDataUrl('png', 1, 1);
    assert.deepEqual(imagesOf('gpt-4o', url, 'auto'), { tokens: 255, quality: 'estimated' });
    assert.deepEqual(imagesOf('gpt-4o', url), { tokens: 255, quality: 'estimated' });
  });

  it('responses carry the image as a text, in input and in tool results', () => {
    const image_url = imageDataUrl('jpeg', 1024, 1024);
    const request = {
      input: [
        { role: 'user', content: [{ type: 'input_image', image_url, detail: 'high' }] },
        {
          type: 'computer_call_output',
          output: { type: 'computer_screenshot', image_url, detail: 'high' },
        },
        { role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] },
      ],
    };
    assert.deepEqual(countChat(request, 'gpt-4o').parts.images, {
      tokens: 3 * 765,
      quality: 'estimated',
    });
  });

  it('a megabyte of image costs no more than its header', () => {
    const data = imageDataUrl('png', 1024, 1024) + 'A'.repeat(1 << 20);
    const counted = countChat(
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: data } }] }] },
      'gpt-4o',
    );
    assert.ok(counted.tokens < 800, `${counted.tokens}`);
  });
});
