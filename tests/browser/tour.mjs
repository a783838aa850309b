// Every page of the customers' sites in every state, chapter by chapter. Each chapter makes a world
// of its own, goes through it as people do, and calls `stop(name, page)` wherever there is
// something to look at. The accessibility tests and the pictures take the same tour.
import { writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Browser } from './browser.mjs';
import { mistyped, wrongDigits } from './digits.mjs';
import { Hands, digitsOn } from './hands.mjs';
import { cardOf, hanako, ichiro, misaki, naoko, taro, wrongCardOf } from './people.mjs';
import { office } from './office_tour.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);
const LOCKS = ['login', 'one_time_password', 'transaction', 'retrieval'];

/** What a chapter needs: somewhere to be, and how to stop there. */
class Guide {
  constructor(test, world, browser, { lang, stop, ...options }) {
    Object.assign(this, { test, world, browser, lang, stop, options });
  }

  /** A page with hands, in the tour's language. */
  async page(options = {}) {
    const locale = this.lang === 'ja' ? 'ja-JP' : 'en-GB';
    const page = await this.browser.page({ locale, ...this.options, ...options });
    page.hands = new Hands(page, this.lang);
    return page;
  }

  /** A page at the customers' site in which somebody has signed in. */
  async signedIn(person, path = '/certificate', options = {}) {
    const page = await this.page(options);
    await page.goto(`${this.world.customers}${path}`);
    await page.hands.signIn(person);
    return page;
  }

  /** A page at the certificate site in which the holder has signed in. */
  async entered(person, path = '/menu') {
    const page = await this.page();
    await page.goto(`${this.world.members}${path}`);
    await page.hands.enter(person);
    return page;
  }

  /** Goes to each address and stops there. */
  async stops(page, base, places) {
    for (const [name, path] of places) {
      await page.goto(`${base}${path}`);
      await this.stop(name, page);
    }
  }
}

function chapter(take, { holder, ...special } = {}) {
  return async (test, options) => {
    const world = await World.of(test, special);
    const browser = holder
      ? await Browser.holding(test, world, await certificateOf(world, holder))
      : await Browser.of(test, world);
    await take(new Guide(test, world, browser, options));
    browser.isContent();
  };
}

// ------------------------------------------------------------------------- before any login

async function outside(guide) {
  const { world, stop } = guide;
  const page = await guide.page();
  const { hands } = page;
  const able = '/way?danger=no&needed=yes&renewable=no';
  const unable = `${able}&authority=no&colleague=no`;
  await guide.stops(page, world.customers, [
    ['start', '/'],
    ['way-question', '/way'],
    ['way-later-question', `${able}&authority=yes&login=yes`],
    ['way-stop', '/way?danger=yes'],
    ['way-not-needed', '/way?danger=no&needed=no'],
    ['way-renew', '/way?danger=no&needed=yes&renewable=yes'],
    ['way-own', `${able}&authority=yes&login=yes&card=yes&retrieval=yes`],
    ['way-colleague', `${able}&authority=no&colleague=yes`],
    ['way-chain', `${unable}&chain=yes`],
    ['way-paper', `${unable}&chain=no`],
    ['call-back', '/call-back'],
    ['call-back-done', '/call-back/done'],
    ...LOCKS.map((kind) => [`locked-${kind}`, `/locked/${kind}`]),
    ...['windows', 'firefox', 'macos', 'linux'].map((one) => [`guide-${one}`, `/guides?for=${one}`]),
    ['form-check', '/form/check'],
    ['enrol', '/enrol'],
    ['missing', '/no-such-page'],
    ['sign-in', '/sign-in'],
    ['sign-in-over', '/sign-in?over=1'],
    ['sign-in-left', '/sign-in?left=1'],
  ]);
  await page.goto(`${world.customers}/call-back`);
  await hands.press('customer.call_back.do');
  await stop('call-back-slip', page);
  await page.goto(`${world.customers}/sign-in`);
  await hands.type('customer.sign_in.contract', '12');
  await hands.press('customer.sign_in.do');
  await stop('sign-in-slip', page);
  await hands.signIn({ ...hanako, login: 'wrong' });
  await page.locator('#errors').waitFor();
  await stop('sign-in-not-accepted', page);
  await page.goto(`${world.customers}/enrol`);
  await hands.press('customer.enrol.do');
  await page.locator('#errors').waitFor();
  await stop('enrol-slip', page);
  await page.goto(`${world.members}/`);
  await stop('certificate-none', page);
}

// -------------------------------------------------------------------------- path 1 and around

async function own(guide) {
  const { world, stop } = guide;
  const page = await guide.signedIn(hanako);
  const { hands } = page;
  await stop('retrieval-none', page);
  await guide.stops(page, world.customers, [
    ['cases-none', '/cases'], ['form3', '/form'], ['account', '/account'],
    ['account-authenticator', '/account?authenticator=1'], ['stop', '/stop'], ['reason', '/reissue'],
  ]);
  await hands.press('customer.reason.do');
  await page.locator('#errors').waitFor();
  await stop('reason-slip', page);
  await page.locator('input[value=expired]').check();
  await stop('reason-chosen', page);
  await hands.press('customer.reason.do');
  await stop('card', page);
  await hands.type('customer.own.card', wrongCardOf(hanako));
  await hands.press('customer.own.card_do');
  await page.locator('#errors').waitFor();
  await stop('card-wrong', page);
  await hands.type('customer.own.card', await cardOf(world, hanako));
  await hands.press('customer.own.card_do');
  await stop('own-ready', page);
  const opening = page.context().waitForEvent('page');
  await hands.press('customer.own.show');
  const shown = await opening;
  await shown.locator('#digits-shown').waitFor();
  const digits = await digitsOn(shown);
  await shown.setViewportSize({ width: 720, height: 860 });
  await stop('password', shown);
  await shown.goto(shown.url().replace('?show=1', ''));
  await stop('password-covered', shown);
  await shown.close();
  await page.reload();
  await stop('own-issued', page);
  await hands.follow('customer.own.to_retrieval');
  await stop('retrieval', page);
  await entries(guide, page, digits);
  await afterwards(guide, page);
}

/** The page of retrieval with what can go wrong there, to the file. */
async function entries({ stop }, page, digits) {
  const { hands } = page;
  await hands.type('customer.retrieval.digits', mistyped(digits));
  await hands.press('customer.retrieval.do');
  await page.locator('input[aria-invalid=true]').waitFor();
  await stop('retrieval-slip', page);
  await hands.type('customer.retrieval.digits', wrongDigits(1));
  await hands.press('customer.retrieval.do');
  await hands.reads('customer.retrieval.wrong', { n: 4 });
  await stop('retrieval-wrong', page);
  await hands.type('customer.retrieval.digits', digits);
  const download = page.waitForEvent('download');
  await hands.press('customer.retrieval.do');
  await download;
  await hands.reads('customer.retrieval.ready');
  await stop('retrieval-saved', page);
}

async function afterwards(guide, page) {
  const { world, stop } = guide;
  const { hands } = page;
  const [{ case: number }] = await world.cases('self_service');
  await guide.stops(page, world.customers, [
    ['retrieval-going-on', '/certificate'], ['fetch-browser', `/certificate/${number}`],
    ['cases', '/cases'], ['case', `/cases/${number}`], ['not-me', `/cases/${number}/not-me`],
  ]);
  await page.goto(`${world.customers}/form`);
  await hands.press('customer.form3.do');
  await page.locator('#errors').waitFor();
  await stop('form3-slip', page);
  await page.goto(`${world.customers}/account`);
  await page.locator('#login summary').click();
  await page.locator('#login-present').fill('wrong');
  await page.locator('#login button[type=submit]').click();
  await page.locator('#errors').waitFor();
  await stop('account-slip', page);
  await page.goto(`${world.customers}/cases/${number}/not-me`);
  await hands.press('customer.act.disown_do');
  await stop('case-stopped', page);
}

// -------------------------------------------------------------- without JavaScript, and the end

async function server(guide) {
  const { world, stop } = guide;
  const visitor = await new Visitor(world).signIn(naoko);
  const { case: number, digits } = await visitor.reissue();
  // The inspector needs a page that runs scripts; ours arrive empty there.
  const page = await guide.page();
  const { hands } = page;
  await page.route('**/static/*.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(`${world.customers}/certificate`);
  await hands.signIn(naoko);
  await stop('retrieval-without-script', page);
  await page.goto(`${world.customers}/cases/${number}/withdraw`);
  await stop('withdraw', page);
  await page.goto(`${world.customers}/certificate`);
  await hands.type('customer.retrieval.digits', digits);
  await hands.press('customer.retrieval.do');
  await hands.button('customer.fetch.do').waitFor();
  await stop('fetch-file', page);
  await hands.type('customer.fetch.password', 'one password');
  await hands.press('customer.fetch.do');
  await page.locator('#errors').waitFor();
  await stop('fetch-file-slip', page);
  const fields = { p12_password: '', p12_password_again: '' };
  const { body: file } = await visitor.post(`/certificate/${number}/file`, fields);
  await new Visitor(world, file).get('/');
  await world.stands(number, 'Tail.Completed');
  await guide.stops(page, world.customers, [
    ['fetch-closed', `/certificate/${number}`], ['case-completed', `/cases/${number}`],
  ]);
}

// ---------------------------------------------------------------------------- path 2 and around

async function member(guide) {
  const { world, stop } = guide;
  const page = await guide.page();
  const { hands } = page;
  await page.goto(world.members);
  await stop('certificate-welcome', page);
  await hands.enter({ login: 'wrong' });
  await page.locator('#errors').waitFor();
  await stop('certificate-wrong-password', page);
  await hands.enter(hanako);
  await stop('menu', page);
  const users = '/settings/users';
  await guide.stops(page, world.members, [
    ['settings', '/settings'], ['users', users], ['colleagues', `${users}/reissue`],
    ['colleagues-found', `${users}/reissue?q=${encodeURIComponent('やまだ')}`],
    ['colleagues-none-found', `${users}/reissue?q=nobody`], ['codes', `${users}/codes`],
    ['code-confirm', `${users}/codes/${misaki.id}`],
  ]);
  await hands.type('customer.confirm.password', hanako.order);
  await hands.press('customer.code.do');
  await page.locator('.pw').waitFor();
  await stop('code-covered', page);
  await hands.follow('customer.password.show');
  const code = await page.locator('#code-shown').innerText();
  await stop('code', page);
  await enrolment(guide, code);

  await page.goto(`${world.members}${users}/reissue`);
  await page.locator('#people button').first().click();
  await page.locator('#errors').waitFor();
  await stop('colleagues-slip', page);
  await hands.pick(taro);
  await stop('confirm', page);
  await hands.press('customer.confirm.do');
  await page.locator('#errors').waitFor();
  await stop('confirm-slip', page);
  await hands.type('customer.confirm.password', taro.order);
  await hands.press('customer.confirm.do');
  await hands.reads('customer.confirm.wrong');
  await stop('confirm-wrong', page);
  await hands.type('customer.confirm.password', hanako.order);
  await hands.press('customer.confirm.do');
  await stop('issued-covered', page);
  await hands.follow('customer.password.show');
  await stop('issued', page);
  await hands.press('customer.password.noted');
  await stop('issued-noted', page);
  const [{ case: number }] = await world.cases('delegated');
  await guide.stops(page, world.members, [
    ['cases-of-colleagues', '/cases'], ['case-of-colleague', `/cases/${number}`],
    ['colleagues-under-way', `${users}/reissue`],
  ]);
}

/** With the code, in a browser that nobody has signed in to. */
async function enrolment(guide, code) {
  const { world, stop } = guide;
  const page = await guide.page();
  const { hands } = page;
  await page.goto(`${world.customers}/enrol`);
  await hands.type('customer.sign_in.contract', misaki.contract);
  await hands.type('customer.sign_in.user_id', misaki.id);
  await hands.type('customer.enrol.code', code);
  await hands.press('customer.enrol.do');
  await page.locator('#login-new').waitFor();
  await stop('enrol-secrets', page);
  await page.locator('#login-new').fill('short');
  await page.locator('#login button[type=submit]').click();
  await page.locator('#errors').waitFor();
  await stop('enrol-secrets-slip', page);
  await page.goto(`${world.customers}/enrol/secrets?authenticator=1`);
  await stop('enrol-authenticator', page);
  await page.context().close();
}

// ------------------------------------------------------------------------------------- troubles

async function troubles(guide) {
  const { world, stop } = guide;
  // A password that a colleague granted; only its holder sees it.
  const colleague = await new Visitor(world, await certificateOf(world, ichiro)).enter(ichiro);
  const granted = await colleague.pick(misaki);
  await colleague.post(`/settings/users/reissue/${granted}`, { transaction_password: ichiro.order });
  const page = await guide.signedIn(misaki);
  const { hands } = page;
  await stop('retrieval-granted', page);
  await hands.follow('customer.retrieval.granted_do');
  await stop('card-granted', page);

  // Locked, and no way round it.
  const locked = await guide.signedIn(taro, '/reissue');
  const choice = locked.locator('input[value=expired]');
  if (await choice.count() > 0) {
    await choice.check();
    await locked.hands.press('customer.reason.do');
  }
  await stop('declined', locked);
  const visitor = await new Visitor(world).signIn(hanako);
  const { case: number } = await visitor.reissue();
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await visitor.post('/certificate', { digits: wrongDigits(wrong) });
  }
  const own_ = await guide.signedIn(hanako);
  await stop('retrieval-locked', own_);
  await guide.stops(own_, world.customers, [
    ['case-locked', `/cases/${number}`], ['account-locked', '/account'],
  ]);
  await session(guide);
  await check(guide);
}

/** The warning before the session ends. */
async function session(guide) {
  const page = await guide.page();
  await page.clock.install();
  await page.goto(`${guide.world.customers}/cases`);
  await page.hands.signIn(naoko);
  const dialog = page.locator('dialog#session');
  const idle = Number(await dialog.getAttribute('data-idle'));
  await page.clock.runFor((idle - 90) * 1_000);
  await dialog.waitFor();
  await page.clock.resume();
  await guide.stop('session-warning', page);
}

/** What the check of a photo says: of a form without a seal, and of something else. */
async function check(guide) {
  const { world, stop } = guide;
  const page = await guide.signedIn(naoko, '/form');
  const { hands } = page;
  await page.locator(`input[name="${naoko.id}.retrieval_reissue"]`).check();
  await page.locator(`input[name="${naoko.id}.reason.expired"]`).check();
  const download = page.waitForEvent('download');
  await hands.press('customer.form3.do');
  const form = join(world.folder, 'form.pdf');
  await (await download).saveAs(form);
  const picture = join(world.folder, 'form');
  await run('pdftoppm', ['-r', '150', '-f', '1', '-l', '1', '-png', '-singlefile', form, picture]);
  const nothing = join(world.folder, 'nothing.txt');
  await writeFile(nothing, 'nothing');
  for (const [name, file] of [['form-check-no-seal', `${picture}.png`], ['form-check-slip', nothing]]) {
    await page.goto(`${world.customers}/form/check`);
    await page.locator('#photo').setInputFiles(file);
    await hands.press('customer.check.do');
    await page.locator('main .verdict, #errors').first().waitFor();
    await stop(name, page);
  }
  await page.goto(`${world.customers}/cases`);
  await stop('cases-with-form', page);
}

/** Certificates that open nothing, and people without the authority. */
async function turnedAway(guide) {
  const { world, stop } = guide;
  const issuer = await new Visitor(world, await certificateOf(world, ichiro)).enter(ichiro);
  const { digits } = await issuer.reissueFor(taro);
  const visitor = await new Visitor(world).signIn(taro);
  const file = await visitor.fetch(digits);
  await new Visitor(world, file).get('/');
  guide.browser = await Browser.holding(guide.test, world, file);
  const page = await guide.entered(taro, '/settings/users');
  await stop('no-authority', page);
  const [{ case: number }] = await world.cases('delegated');
  const paths = [`/cases/${number}/not-me`, `/cases/${number}`];
  const key = Visitor.field(await visitor.get(paths[0]), 'key');
  await visitor.post(paths[0], { key });
  await page.goto(world.members);
  await stop('certificate-revoked', page);
  // One of another bank, in this world nobody's.
  const other = await World.of(guide.test);
  const foreign = await certificateOf(other, naoko);
  guide.browser = await Browser.holding(guide.test, world, foreign);
  const strange = await guide.page();
  const answer = await strange.goto(world.members).catch(() => null);
  if (answer) await stop('certificate-foreign', strange);
}

/** Target-only reveal, from the side of whoever granted. */
async function granted(guide) {
  const page = await guide.entered(hanako, '/settings/users/reissue');
  await page.hands.pick(taro);
  await page.hands.type('customer.confirm.password', hanako.order);
  await page.hands.press('customer.confirm.do');
  await page.hands.arrives('customer.granted.title');
  await guide.stop('granted', page);
}

const targetOnly = (world) =>
  world.rewrite('contracts.csv', '青い鳥と三毛猫,false', '青い鳥と三毛猫,true');

/** An identity provider at which nobody answers. */
const nobody = { 'staff_identity.issuer': 'http://127.0.0.1:9', 'staff_identity.client_id': 'saihakko' };

export const CHAPTERS = {
  'before any login': chapter(outside),
  'path 1': chapter(own),
  'without JavaScript, and the end': chapter(server),
  'path 2': chapter(member, { holder: hanako }),
  troubles: chapter(troubles, { ledger: targetOnly }),
  'turned away': chapter(turnedAway),
  office: chapter(office, { settings: nobody }),
  granted: chapter(granted, { holder: hanako, ledger: targetOnly }),
};
