// Pictures of every page, taken on the tour: node screens.mjs FOLDER
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';

import { CHAPTERS } from './tour.mjs';

const [, , folder] = process.argv;

/** The pages that are shown as well on a phone, in the dark and in English. */
const IMPORTANT = new Set([
  'start', 'way-question', 'way-stop', 'sign-in-slip', 'retrieval', 'card', 'own-ready', 'password',
  'retrieval-saved', 'case', 'colleagues', 'confirm', 'issued', 'menu', 'locked-retrieval', 'form3',
  'account', 'certificate-welcome', 'session-warning', 'desk', 'queue',
]);
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

async function shoot(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: 'disabled' });
}

async function inJapanese(name, page) {
  const size = page.viewportSize();
  await shoot(page, name);
  if (!IMPORTANT.has(name)) return;
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(PHONE);
  await shoot(page, `${name}-phone`);
  await page.setViewportSize(size);
}

async function inEnglish(name, page) {
  if (IMPORTANT.has(name)) await shoot(page, `${name}-en`);
}

/** Plays a chapter, and cleans up after it as the test runner would. */
async function play(chapter, options) {
  const hooks = [];
  try {
    await chapter({ after: (hook) => hooks.push(hook) }, { viewport: DESKTOP, ...options });
  } finally {
    for (const hook of hooks) await hook();
  }
}

await mkdir(folder, { recursive: true });
for (const chapter of Object.values(CHAPTERS)) {
  await play(chapter, { lang: 'ja', stop: inJapanese });
  await play(chapter, { lang: 'en', stop: inEnglish });
}
