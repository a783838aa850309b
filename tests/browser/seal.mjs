// A seal on paper, drawn by the browser itself.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Presses the company's seal into the box that the form's own layout names, as ink on paper. */
export async function stamp(world, browser, picture, company) {
  const seal = join(import.meta.dirname, '..', '..', 'samples', `seal-${company}.png`);
  const variant = company === 'aoba' ? 'bizstation' : 'light';
  const words = ['form', 'layout', '--variant', variant, '--json'];
  const layout = JSON.parse(await world.command(...words));
  const page = await browser.page({ javaScriptEnabled: true });
  const url = async (path) => `data:image/png;base64,${(await readFile(path)).toString('base64')}`;
  const given = { paper: await url(picture), ink: await url(seal), box: layout.pages[0].seals[0].box };
  const stamped = await page.evaluate(async ({ paper, ink, box }) => {
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
    return canvas.toDataURL('image/png');
  }, given);
  await page.context().close();
  const path = join(world.folder, 'stamped.png');
  await writeFile(path, Buffer.from(stamped.split(',')[1], 'base64'));
  return path;
}
