// A seal on paper, drawn by the browser itself.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * No hand stamps twice alike, and the server knows one that seems to have: specks where ink is missing. It
 * runs in a window; the same seed gives the same impression, as a copy does.
 */
export function unevenly(drawing, [left, top], side, seed) {
  let state = seed;
  // Mulberry32.
  const chance = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  drawing.save();
  drawing.globalCompositeOperation = 'lighten';
  drawing.fillStyle = 'rgba(255, 240, 240, 0.45)';
  for (let speck = 0; speck < 900; speck += 1) {
    const [x, y, size] = [chance(), chance(), 0.004 + 0.012 * chance()];
    drawing.beginPath();
    drawing.arc(left + x * side, top + y * side, size * side, 0, 2 * Math.PI);
    drawing.fill();
  }
  drawing.restore();
}

/** Presses the company's seal into the box that the form's own layout names, as ink on paper. */
export async function stamp(world, browser, picture, company, seed = 1) {
  const seal = join(import.meta.dirname, '..', '..', 'samples', `seal-${company}.png`);
  const variant = company === 'aoba' ? 'bizstation' : 'light';
  const words = ['form', 'layout', '--variant', variant, '--json'];
  const layout = JSON.parse(await world.command(...words));
  const page = await browser.page({ javaScriptEnabled: true });
  const url = async (path) => `data:image/png;base64,${(await readFile(path)).toString('base64')}`;
  await page.evaluate(`globalThis.unevenly = ${unevenly}`);
  const given = { paper: await url(picture), ink: await url(seal), box: layout.pages[0].seals[0].box, seed };
  const stamped = await page.evaluate(async ({ paper, ink, box, seed }) => {
    const load = (source) => new Promise((done, fail) => {
      const image = new Image();
      Object.assign(image, { src: source, onload: () => done(image), onerror: fail });
    });
    const [sheet, seal] = [await load(paper), await load(ink)];
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: sheet.width, height: sheet.height });
    const drawing = canvas.getContext('2d');
    drawing.drawImage(sheet, 0, 0);
    drawing.globalCompositeOperation = 'multiply';
    const pixels = sheet.width / 210;
    const [left, top, width, height] = box;
    const side = Math.min(width, height) * 0.6 * pixels;
    const x = (left + width / 2) * pixels - side / 2;
    const y = (top + height / 2) * pixels - side / 2;
    drawing.drawImage(seal, x, y, side, side);
    globalThis.unevenly(drawing, [x, y], side, seed);
    return canvas.toDataURL('image/png');
  }, given);
  await page.context().close();
  const path = join(world.folder, 'stamped.png');
  await writeFile(path, Buffer.from(stamped.split(',')[1], 'base64'));
  return path;
}
