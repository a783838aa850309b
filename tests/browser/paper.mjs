// Paper as customers treat it: pages of forms are drawn, stamped, filled in by hand, and come out of a
// scanner as pictures. One window of the browser does the drawing for a whole pile.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { unevenly } from './seal.mjs';

const run = promisify(execFile);
/** What the scanner of the pile is set to. */
const DPI = 150;

/** A desk with two seals, a pen, and the forms' own layouts. */
export class Paper {
  static async of(world, browser) {
    const paper = new Paper();
    paper.world = world;
    paper.page = await browser.page({ javaScriptEnabled: true });
    const seals = {};
    for (const company of ['aoba', 'mizuiro']) {
      const file = join(import.meta.dirname, '..', '..', 'samples', `seal-${company}.png`);
      seals[company] = `data:image/png;base64,${(await readFile(file)).toString('base64')}`;
    }
    paper.layouts = {};
    for (const variant of ['bizstation', 'light']) {
      const layout = await world.command('form', 'layout', '--variant', variant, '--json');
      paper.layouts[variant] = JSON.parse(layout);
    }
    await paper.page.evaluate(`globalThis.unevenly = ${unevenly}`);
    await paper.page.evaluate(prepare, seals);
    return paper;
  }

  /** The pages of a form as the scanner sees them: JPEG pictures. */
  async scanned({ pdf, number, sender }, { seal = true, ticks = [], digits = {}, blots = [] } = {}) {
    const variant = sender.contract.startsWith('02') ? 'light' : 'bizstation';
    const layout = this.layouts[variant];
    const file = join(this.world.folder, `${number}.pdf`);
    await writeFile(file, pdf);
    const stem = join(this.world.folder, number);
    const last = String(layout.pages.length);
    await run('pdftoppm', ['-r', String(DPI), '-l', last, '-jpeg', '-jpegopt', 'quality=90', file, stem]);
    const found = await Promise.all(layout.pages.map(async (_, index) => {
      const plain = `${stem}-${index + 1}.jpg`;
      return readFile(plain).catch(() => readFile(`${stem}-0${index + 1}.jpg`));
    }));
    const [first] = layout.pages;
    const boxes = (name) => first.checkboxes.find(({ id }) => id === name).box;
    const row = (name) => first.digits.find(({ id }) => id === name).cells;
    const cells = ([name, text]) => [...text].map((digit, index) => ({ digit, box: row(name)[index] }));
    const ink = {
      seal: seal ? first.seals[0].box : null,
      seed: Number(number) % 2 ** 31,
      company: variant === 'light' ? 'mizuiro' : 'aoba',
      ticks: ticks.map(boxes),
      digits: Object.entries(digits).flatMap(cells),
      blots: blots.map(([name, at]) => row(name)[at]),
    };
    if (!seal && ticks.length === 0) return found;
    const paper = `data:image/jpeg;base64,${found[0].toString('base64')}`;
    const stamped = await this.page.evaluate(({ paper: sheet, ink: put }) => globalThis.put(sheet, put), { paper, ink });
    return [Buffer.from(stamped.split(',')[1], 'base64'), ...found.slice(1)];
  }

  /** A page on which somebody has written a letter. */
  async letter() {
    const drawn = await this.page.evaluate(() => globalThis.write('いつもお世話になっております。'));
    return Buffer.from(drawn.split(',')[1], 'base64');
  }

  end() {
    return this.page.context().close();
  }
}

/** Runs in the window. */
function prepare(seals) {
  const load = (source) => new Promise((done, fail) => {
    const image = new Image();
    Object.assign(image, { src: source, onload: () => done(image), onerror: fail });
  });
  const inks = {};
  const sheetOf = (width, height) => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    return [canvas, canvas.getContext('2d')];
  };
  globalThis.put = async (paper, { seal, seed, company, ticks, digits, blots }) => {
    const sheet = await load(paper);
    inks[company] ??= await load(seals[company]);
    const [canvas, drawing] = sheetOf(sheet.width, sheet.height);
    const pixels = sheet.width / 210;
    drawing.drawImage(sheet, 0, 0);
    drawing.globalCompositeOperation = 'multiply';
    if (seal) {
      const [left, top, width, height] = seal;
      const side = Math.min(width, height) * 0.6 * pixels;
      const at = [(left + width / 2) * pixels - side / 2, (top + height / 2) * pixels - side / 2];
      drawing.drawImage(inks[company], ...at, side, side);
      globalThis.unevenly(drawing, at, side, seed);
    }
    drawing.strokeStyle = '#1a237e';
    drawing.fillStyle = '#1a237e';
    drawing.lineWidth = 0.5 * pixels;
    for (const [left, top, width, height] of ticks) {
      drawing.beginPath();
      drawing.moveTo((left + width * 0.15) * pixels, (top + height * 0.5) * pixels);
      drawing.lineTo((left + width * 0.45) * pixels, (top + height * 0.85) * pixels);
      drawing.lineTo((left + width * 0.9) * pixels, (top + height * 0.1) * pixels);
      drawing.stroke();
    }
    drawing.textAlign = 'center';
    drawing.textBaseline = 'middle';
    for (const { digit, box: [left, top, width, height] } of digits) {
      drawing.font = `${height * 0.7 * pixels}px "Noto Sans CJK JP", sans-serif`;
      drawing.fillText(digit, (left + width / 2) * pixels, (top + height / 2) * pixels);
    }
    // Crossed out: what it was, only a person can tell.
    for (const [left, top, width, height] of blots) {
      for (const part of [0.25, 0.45, 0.65, 0.85]) {
        drawing.beginPath();
        drawing.moveTo((left + width * 0.1) * pixels, (top + height * part) * pixels);
        drawing.lineTo((left + width * 0.9) * pixels, (top + height * (1 - part)) * pixels);
        drawing.stroke();
      }
    }
    return canvas.toDataURL('image/jpeg', 0.9);
  };
  globalThis.write = (text) => {
    const [canvas, drawing] = sheetOf(1240, 1754);
    drawing.fillStyle = '#fff';
    drawing.fillRect(0, 0, 1240, 1754);
    drawing.fillStyle = '#222';
    drawing.font = '32px sans-serif';
    for (let line = 0; line < 12; line += 1) drawing.fillText(text, 120, 200 + 60 * line);
    return canvas.toDataURL('image/jpeg', 0.9);
  };
}
