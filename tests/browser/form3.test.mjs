// Form 3 from the web: printed with the contract's data, blank, to be filled in; and looked at
// before it is posted.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { Browser } from './browser.mjs';
import { Hands } from './hands.mjs';
import { hanako, naoko, taro } from './people.mjs';
import { stamp } from './seal.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);

async function textOf(path) {
  return (await run('pdftotext', ['-layout', path, '-'])).stdout;
}

/** Presses something that saves a file, and keeps it. */
async function saved(world, page, press) {
  const download = page.waitForEvent('download');
  await press();
  const file = await download;
  const path = join(world.folder, file.suggestedFilename());
  await file.saveAs(path);
  return path;
}

/** Everything that lasts: rows of every table but the metrics of it, and the files of the folder. */
async function lasting(world) {
  const tables = await world.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1");
  const counts = {};
  for (const { name } of tables) {
    // The clock's own ticks pass through the outbox at any time; they keep nothing of a visitor.
    if (name === 'sqlite_sequence') continue;
    const own = name === 'outbox' ? " WHERE kind <> 'tick'" : '';
    [{ n: counts[name] }] = await world.rows(`SELECT count(*) AS n FROM "${name}"${own}`);
  }
  const files = {};
  for (const entry of await readdir(world.data, { recursive: true })) {
    const path = join(world.data, entry);
    const isKept = /\.(db|db-wal|db-shm|sock|lock)$|checkpoint|\.crl$/.test(entry);
    if (isKept || !(await stat(path)).isFile()) continue;
    files[entry] = createHash('sha256').update(await readFile(path)).digest('hex');
  }
  return { counts, files, temporary: await readdir(world.temporary) };
}

test('a prefilled form bears the contract, the users, their requests and a code', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  for (const [person, other, script] of [[hanako, taro, true], [naoko, null, false]]) {
    const page = await browser.page({ javaScriptEnabled: script });
    const hands = new Hands(page);
    await page.goto(`${world.customers}/form`);
    await hands.signIn(person);
    await hands.press('customer.form3.do');
    await hands.reads('customer.form3.nothing_chosen');
    await page.locator(`input[name="${person.id}.retrieval_reissue"]`).check();
    await hands.press('customer.form3.do');
    await hands.reads('customer.form3.reason_missing');
    assert.ok(await page.locator(`input[name="${person.id}.retrieval_reissue"]`).isChecked());
    await page.locator(`input[name="${person.id}.reason.expired"]`).check();
    if (other) {
      await page.locator('fieldset', { hasText: other.name }).locator('summary').click();
      await page.locator(`input[name="${other.id}.login_reset"]`).check();
    }
    const path = await saved(world, page, () => hands.press('customer.form3.do'));
    const text = await textOf(path);
    assert.match(text, /パスワードに関する諸届/);
    for (const expected of [person.contract, person.id, ...(other ? [other.id] : [])]) {
      assert.ok(text.replace(/\s/g, '').includes(expected), `${expected} is not on the form:\n${text}`);
    }
    assert.ok(text.replace(/\s/g, '').includes(person.name.replace(/\s/g, '')), person.name);
    await run('qpdf', ['--check', path]);
    await page.context().close();
  }
  const awaited = await world.rows('SELECT * FROM submissions');
  assert.equal(awaited.length, 2, 'both forms are awaited');
  browser.isContent();
});

test('blank and fillable forms need no login', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  await page.goto(world.customers);
  for (const variant of ['bizstation', 'light']) {
    for (const kind of ['blank', 'fillable']) {
      const link = page.locator(`a[href="/form/plain?variant=${variant}&kind=${kind}"]`);
      const path = await saved(world, page, () => link.click());
      assert.match(await textOf(path), /パスワードに関する諸届/);
      const fields = (await run('qpdf', ['--json', '--json-key=acroform', path])).stdout;
      const { hasacroform, fields: list } = JSON.parse(fields).acroform;
      assert.equal(hasacroform && list.length > 5, kind === 'fillable', `${variant} ${kind}`);
    }
  }
  browser.isContent();
});

test('a photo is looked at, says what is missing, and is not kept', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.customers}/form`);
  await hands.signIn(hanako);
  await page.locator(`input[name="${hanako.id}.retrieval_reissue"]`).check();
  await page.locator(`input[name="${hanako.id}.reason.expired"]`).check();
  const form = await saved(world, page, () => hands.press('customer.form3.do'));
  const photo = join(world.folder, 'photo');
  // The form has two pages; what follows them is for the envelope.
  await run('pdftoppm', ['-r', '200', '-l', '2', '-png', form, photo]);
  const pages = (await readdir(world.folder)).filter((name) => /^photo.*png$/.test(name)).sort();
  const bare = pages.map((name) => join(world.folder, name));
  const stamped = await stamp(world, browser, bare[0], 'aoba');
  const before = await lasting(world);

  const look = async (...files) => {
    await page.goto(`${world.customers}/form/check`);
    await page.getByLabel(hands.say('customer.check.photo')).setInputFiles(files);
    await hands.press('customer.check.do');
    await page.locator('main .verdict, #errors').first().waitFor();
    return page.locator('main').innerText();
  };
  const empty = await look(...bare);
  assert.ok(empty.includes(hands.say('customer.check.no_seal')), empty);
  assert.ok(empty.includes(hands.say('customer.check.ticked')), empty);
  assert.ok(empty.includes(hands.say('customer.check.bad')));
  const good = await look(stamped, ...bare.slice(1));
  assert.ok(good.includes(hands.say('customer.check.seal')), good);
  assert.ok(good.includes(hands.say('customer.check.good')), good);
  const partial = await look(stamped);
  assert.ok(partial.includes(hands.say('customer.check.missing', { n: 2 })), partial);
  const strange = await look(join(import.meta.dirname, '..', '..', 'samples', 'seal-aoba.png'));
  assert.ok(strange.includes(hands.say('customer.check.no_form')), strange);
  const broken = await look(join(import.meta.dirname, 'form3.test.mjs'));
  assert.ok(broken.includes(hands.say('customer.check.unreadable')), broken);
  await page.goto(`${world.customers}/form/check`);
  await page.getByLabel(hands.say('customer.check.photo')).evaluate((field) => { field.required = false; });
  await hands.press('customer.check.do');
  await hands.reads('customer.check.nothing');

  assert.deepEqual(await lasting(world), before, 'nothing was stored');
  browser.isContent();
});
