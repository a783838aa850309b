// Path 1: the holder of the authority reissues for themselves, page by page as the manual tells
// it, to a certificate that logs in.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { Browser, Home } from './browser.mjs';
import { Hands, digitsOn } from './hands.mjs';
import { awaitMails } from './mails.mjs';
import { cardOf, hanako, ichiro, naoko } from './people.mjs';
import { words } from './words.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);

const VARIANTS = [
  { lang: 'ja', script: true, password: '', person: hanako },
  { lang: 'en', script: true, password: 'Correct horse 8', person: naoko },
  { lang: 'ja', script: false, password: '', person: naoko },
  { lang: 'en', script: false, password: 'Correct horse 8', person: ichiro },
];

test('the buttons are called as the manual calls them', () => {
  const say = words('ja');
  assert.equal(say('customer.start.title'), '電子証明書取得');
  assert.equal(say('customer.sign_in.do'), 'ログイン');
  assert.equal(say('customer.retrieval.reissue'), '証明書取得用パスワードの再発行はこちら');
  assert.equal(say('customer.own.card_do'), 'ワンタイムパスワード認証');
  assert.equal(say('customer.own.show'), '証明書取得用パスワードを表示');
  assert.equal(say('customer.own.to_retrieval'), '電子証明書取得画面へ戻る');
  assert.equal(say('customer.retrieval.do'), '取得');
  assert.equal(say('customer.fetch.making_title'), '取得中');
});

for (const variant of VARIANTS) {
  const name = `${variant.lang}, ${variant.script ? 'with' : 'without'} JavaScript, `
    + `${variant.password ? 'with' : 'without'} a password on the file`;
  test(`path 1: ${name}`, (t) => pathOne(t, variant));
}

async function pathOne(t, { lang, script, password, person }) {
  const world = await World.of(t);
  const home = await Home.of(t, world);
  const browser = await Browser.at(home);
  const context = await browser.context({
    locale: lang === 'ja' ? 'ja-JP' : 'en-GB', javaScriptEnabled: script,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const hands = new Hands(page, lang);

  // 1, 2: 電子証明書取得 and the login. Numbers may come in full width and in groups.
  await page.goto(world.customers);
  await hands.follow('customer.start.sign_in');
  await hands.signIn({ ...person, contract: inGroups(person.contract) });

  // 3: 「証明書取得用パスワードの再発行はこちら」, and why.
  await hands.follow('customer.retrieval.reissue');
  await page.locator('input[value=expired]').check();
  await hands.press('customer.reason.do');

  // 4: the one-time password.
  await hands.type('customer.own.card', await cardOf(world, person));
  await hands.press('customer.own.card_do');

  // 5, 6: the digits appear in a window of their own.
  const opening = context.waitForEvent('page');
  await hands.press('customer.own.show');
  const own = await opening;
  const digits = await digitsOn(own);
  assert.match(digits, /^\d{16}$/);
  await keepsToItself(own, digits, script);
  await neverASecond(own, page, digits);
  if (script) await copies(own, lang, digits);

  // 7, 8: back to 電子証明書取得 and [取得]. Spaces between the groups do not matter.
  await page.reload();
  await hands.follow('customer.own.to_retrieval');
  await hands.type('customer.retrieval.digits', digits.replace(/(.{4})/g, '$1 '));
  const sent = bodiesOf(page);
  const file = await (script ? fetchByScript : fetchFromServer)(hands, password);
  assert.equal(file.suggestedFilename(), `certificate-${person.id}.p12`);
  const saved = join(world.folder, 'saved.p12');
  await file.saveAs(saved);
  if (script) keptItsKey(sent, password);

  // Firefox 16–19: the file is imported, and the certificate is there.
  if (password) await assert.rejects(home.import(saved, 'another one'));
  await home.import(saved, password);
  assert.match((await home.subjects()).join(), new RegExp(person.id));
  await opensElsewhere(saved, password, person);

  // 13, 14, 20: every window is closed, a new browser logs in with the certificate.
  browser.isContent();
  await browser.close();
  const again = await Browser.at(home);
  await logsIn(again, world, lang, person);

  // The case is over, and everybody was told without any digits.
  const [line] = await world.cases('self_service');
  await world.stands(line.case, 'Tail.Completed');
  const mails = await awaitMails(world, /再発行しました/);
  assert.ok(mails.every((mail) => !mail.source.includes(digits)));
  await saysCompleted(again, world, lang, person);
  again.isContent();
}

function inGroups(number) {
  const wide = [...number].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
  return `${wide.slice(0, 4).join('')}-${wide.slice(4).join('')}`;
}

/** Not in the title, the address, the browser's storage, nor on the way to its caches. */
async function keepsToItself(own, digits, script) {
  assert.ok(!own.url().includes(digits) && !(await own.title()).includes(digits));
  const answer = await own.reload();
  assert.equal(answer.headers()['cache-control'], 'no-store');
  if (!script) return;
  const stored = await own.evaluate(async () => JSON.stringify([
    { ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys(),
  ]));
  assert.equal(stored, '[{},{},[],[]]');
}

/** F5 in either window, back and forward, and asking again: the same digits. */
async function neverASecond(own, page, digits) {
  for (let time = 0; time < 3; time += 1) {
    await own.reload();
    assert.equal(await digitsOn(own), digits);
  }
  await page.reload();
  await page.goBack();
  await page.goForward();
  const address = own.url();
  await own.goto(address.replace('?show=1', ''));
  assert.equal(await own.locator('#digits-shown').count(), 0, 'hidden until asked');
  await own.goBack();
  assert.equal(await digitsOn(own), digits);
}

async function copies(own, lang, digits) {
  const hands = new Hands(own, lang);
  await hands.press('customer.password.copy');
  const copied = own.getByText(hands.say('customer.password.copied'));
  await copied.waitFor({ state: 'attached' });
  assert.equal(await own.evaluate(() => navigator.clipboard.readText()), digits);
}

/** What the page sends with [取得]. */
function bodiesOf(page) {
  const bodies = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') bodies.push(request.postData() ?? '');
  });
  return bodies;
}

function keptItsKey(sent, password) {
  const [body] = sent;
  assert.equal(sent.length, 1, 'the digits are sent once');
  const fields = new URLSearchParams(body);
  assert.match(fields.get('csr'), /^-----BEGIN CERTIFICATE REQUEST-----/);
  assert.deepEqual([...fields.keys()].sort(), ['csr', 'digits']);
  assert.ok(!password || !body.includes(encodeURIComponent(password).slice(0, 7)));
}

async function fetchByScript(hands, password) {
  if (password) {
    await hands.type('customer.fetch.password', password);
    await hands.type('customer.fetch.password_again', 'another');
    await hands.press('customer.retrieval.do');
    await hands.reads('customer.retrieval.mismatch');
    await hands.type('customer.fetch.password_again', password);
  }
  const download = hands.page.waitForEvent('download');
  await hands.press('customer.retrieval.do');
  const file = await download;
  await hands.reads('customer.retrieval.ready');
  await hands.reads('customer.fetch.next3');
  return file;
}

/** The page goes on by itself while the certificate is being made. */
async function fetchFromServer(hands, password) {
  await hands.press('customer.retrieval.do');
  await hands.button('customer.fetch.do').waitFor();
  if (password) {
    await hands.type('customer.fetch.password', password);
    await hands.type('customer.fetch.password_again', 'another');
    await hands.press('customer.fetch.do');
    await hands.reads('customer.fetch.unequal');
    await hands.type('customer.fetch.password', password);
    await hands.type('customer.fetch.password_again', password);
  }
  const download = hands.page.waitForEvent('download');
  await hands.press('customer.fetch.do');
  return download;
}

/** OpenSSL reads the file too, and finds whose it is. */
async function opensElsewhere(saved, password, person) {
  const words_ = ['pkcs12', '-in', saved, '-passin', `pass:${password}`, '-nokeys', '-clcerts'];
  const { stdout } = await run('openssl', words_);
  assert.match(stdout, new RegExp(`CN ?= ?${person.id}`));
}

async function logsIn(browser, world, lang, person) {
  const page = await browser.page({ locale: lang === 'ja' ? 'ja-JP' : 'en-GB' });
  const hands = new Hands(page, lang);
  await page.goto(world.members);
  await hands.arrives('web.certificate.welcome_title');
  await hands.reads('web.certificate.completed');
  await page.getByText(person.name).first().waitFor();
  await hands.enter(person);
  await hands.arrives('customer.menu.title');
  // 21: [ログアウト].
  await hands.press('customer.sign_out');
  await hands.reads('customer.sign_in.left');
  await page.context().close();
}

async function saysCompleted(browser, world, lang, person) {
  const page = await browser.page({ locale: lang === 'ja' ? 'ja-JP' : 'en-GB' });
  const hands = new Hands(page, lang);
  await page.goto(`${world.customers}/cases`);
  // Signing in returns to the page that was asked for.
  await hands.signIn(person);
  await page.locator('section[aria-labelledby=own]').getByRole('link').click();
  await page.locator('.chip.ok.big').waitFor();
  const steps = await page.locator('.parcel li').count();
  assert.ok(steps > 3);
  assert.equal(await page.locator('.parcel li:is(.done, .now)').count(), steps);
}
