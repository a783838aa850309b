// The bank's side: its people, and forms on paper as they come back in the post.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Hands } from './hands.mjs';
import { cardOf } from './people.mjs';
import { stamp } from './seal.mjs';
import { Visitor } from './visitor.mjs';

const run = promisify(execFile);

/** Somebody of the sample staff. */
export function member(id, name) {
  return { id, name, password: `staff-${id}` };
}

export const mori = member('uketsuke', '森 彩');
export const inoue = member('clerk1', '井上 誠');
export const kimura = member('clerk2', '木村 葵');
export const hayashi = member('approver1', '林 京子');
export const yamaguchi = member('hassou', '山口 陸');
export const helper = member('helpdesk', '斎藤 舞');
export const matsumoto = member('supervisor', '松本 隆');
export const okada = member('auditor', '岡田 恵');
export const hara = member('operator', '原 大輔');

/** A page in which a member of staff has signed in. */
export async function atWork(world, page, person, lang = 'ja') {
  page.hands = new Hands(page, lang);
  // A scan is read in a child of the server, which takes its time on a busy machine.
  page.setDefaultTimeout(120_000);
  await page.goto(`${world.staff}/sign-in`);
  await page.hands.type('staff.sign_in.login', person.id);
  await page.hands.type('staff.sign_in.password', person.password);
  await page.hands.type('staff.sign_in.code', await cardOf(world, person));
  await page.hands.press('staff.sign_in.do');
  await page.locator('.member').waitFor();
  return page;
}

/** A prefilled form: who sends it, and what is asked for whom: [[person, request, reason], ...]. */
export async function ordered(world, sender, wishes) {
  const visitor = await new Visitor(world).signIn(sender);
  const fields = {};
  for (const [person, request, reason] of wishes) {
    fields[`${person.id}.${request}`] = 'yes';
    if (reason) fields[`${person.id}.reason.${reason}`] = 'yes';
  }
  const answer = await visitor.post('/form', fields);
  assert.equal(answer.headers['content-type'], 'application/pdf', answer.text().slice(0, 400));
  const [{ number }] = await world.rows('SELECT number FROM submissions ORDER BY case_id DESC LIMIT 1');
  return { pdf: answer.body, number: String(number).padStart(12, '0'), sender };
}

/**
 * The form's own pages as a scanner sees them, stamped where it is wished; paths of pictures. Two with the
 * same seed bear the same impression.
 */
export async function posted(world, browser, { pdf, number, sender }, { seal = true, seed } = {}) {
  const isLight = sender.contract.startsWith('02');
  const file = join(world.folder, `${number}.pdf`);
  await writeFile(file, pdf);
  const stem = join(world.folder, number);
  await run('pdftoppm', ['-r', '200', '-l', isLight ? '1' : '2', '-png', file, stem]);
  const pages = (isLight ? [1] : [1, 2]).map((page) => `${stem}-${page}.png`);
  // Some versions number with as many digits as the file has pages.
  const found = await Promise.all(pages.map((path) => readFile(path).then(() => path, () => path.replace(/-(\d)\.png$/, '-0$1.png'))));
  if (!seal) return found;
  const stamped = await stamp(world, browser, found[0], isLight ? 'mizuiro' : 'aoba', seed ?? Number(number) % 2 ** 31);
  const kept = `${stem}-stamped.png`;
  await writeFile(kept, await readFile(stamped));
  return [kept, ...found.slice(1)];
}

/** The mail room registers an envelope and scans it. */
export async function received(page, world, form, pages) {
  await page.goto(`${world.staff}/intake`);
  await page.locator('#number').fill(form.number);
  await page.locator('input[value="普通郵便"]').check();
  await page.locator('#pages').fill(String(pages.length));
  await page.hands.press('staff.intake.do_register');
  await page.hands.reads('staff.intake.registered', { n: form.number });
  await page.locator('#files').setInputFiles(pages);
  await page.hands.press('staff.intake.do_scan');
  await page.hands.reads('staff.intake.what_read');
  await world.until(`cases of ${form.number}`, async () => {
    const rows = await world.rows(`SELECT case_id FROM items WHERE submission = ${Number(form.number)}`);
    return rows.length > 0 ? rows : null;
  });
}
