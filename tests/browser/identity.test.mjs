// Staff sign in at the bank's identity provider: a real one, that changes its keys, breaks down, and
// vouches for people whom nobody knows here.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { Hands } from './hands.mjs';
import { Idp } from './idp.mjs';
import { atWork, inoue, okada } from './office.mjs';
import { World } from './world.mjs';

const DESK = { viewport: { width: 1440, height: 960 } };
const SUBJECT = '248289761001';

/** A bank in whose ledger the provider knows 井上 as somebody. */
async function bank(t, idp) {
  const folder = await mkdtemp(join(tmpdir(), 'saihakko-idp-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const secret = join(folder, 'secret');
  await writeFile(secret, `${idp.secret}\n`);
  await chmod(secret, 0o600);
  const ledger = async (world) => {
    const path = join(world.ledger, 'staff.csv');
    const [head, ...rows] = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const linked = rows.map((row) => (row.includes(',clerk1,') ? `${row},${idp.issuer},${SUBJECT}` : `${row},,`));
    await writeFile(path, `${[`${head},issuer,subject`, ...linked].join('\n')}\n`);
  };
  const world = await World.of(t, { settings: idp.settings(secret), ledger });
  named(world);
  world.provider = idp.issuer;
  return world;
}

/** The provider sends people back to the site's own name. */
function named(world) {
  world.staff = world.staff.replace('localhost', 'staff.localhost');
}

/** At the provider's own page. */
async function vouched(page, subject, factors = 'pwd otp mfa') {
  await page.getByRole('heading', { name: 'Bank ID' }).waitFor();
  await page.getByLabel('Identifier').fill(subject);
  await page.getByLabel('Factors').selectOption(factors);
  await page.getByRole('button', { name: 'Enter' }).click();
}

async function begun(page, world, path = '/sign-in') {
  await page.goto(`${world.staff}${path}`);
  await page.locator('a[href^="/sign-in/provider"]').click();
}

for (const javaScriptEnabled of [true, false]) {
  test(`a clerk signs in at the provider, JavaScript ${javaScriptEnabled}`, async (t) => {
    const idp = await Idp.of(t);
    const world = await bank(t, idp);
    const browser = await Browser.of(t, world);
    const page = await browser.page({ ...DESK, javaScriptEnabled });
    page.hands = new Hands(page, 'ja');

    // Nobody there: it is told, and the own way stays open.
    await begun(page, world, '/queue/check');
    await page.hands.reads('staff.sign_in.provider_down');
    await page.getByLabel(page.hands.say('staff.sign_in.password'), { exact: true }).waitFor();
    browser.faults = [];

    idp.open(world);
    await page.locator('a[href^="/sign-in/provider"]').click();
    await vouched(page, SUBJECT);
    await page.waitForURL(`${world.staff}/queue/check`);
    await page.getByText('井上 誠').waitFor();

    // The provider changes its keys while somebody stands at its door.
    await page.context().clearCookies();
    await begun(page, world);
    await page.getByRole('heading', { name: 'Bank ID' }).waitFor();
    idp.rotate();
    await vouched(page, SUBJECT);
    await page.waitForURL(/\/queue\/check/);

    // Out here, and out there.
    await page.getByRole('button', { name: page.hands.say('customer.sign_out') }).click();
    await page.getByRole('link', { name: page.hands.say('staff.sign_in.leave_there') }).click();
    await page.waitForURL(`${idp.issuer}/**`);
    await page.locator('button[name=logout]').click();
    await page.waitForURL(`${world.staff}/sign-in*`);
    await page.goto(`${world.staff}/queue/check`);
    await page.hands.arrives('staff.sign_in.title');

    // Vouched for, and unknown here; known, and with one factor only; turned back.
    await begun(page, world);
    await vouched(page, 'somebody-else');
    await page.hands.reads('staff.sign_in.provider_unlinked');
    await page.context().clearCookies();
    await begun(page, world);
    await vouched(page, SUBJECT, 'pwd');
    await page.hands.reads('staff.sign_in.provider_factor');
    await page.context().clearCookies();
    await begun(page, world);
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.hands.reads('staff.sign_in.provider_denied');
    browser.faults = [];

    // A person is one, however they sign in; an auditor reads all of it.
    await atWork(world, page, inoue);
    await page.context().clearCookies();
    await atWork(world, page, okada);
    await page.goto(`${world.staff}/sign-ins?login=clerk1`);
    await page.getByText('行内の認証基盤').first().waitFor();
    await page.getByText('ログインパスワード + ワンタイムパスワード').first().waitFor();
    await page.hands.reads('refusal.account.OneFactor');
    await page.goto(`${world.staff}/sign-ins?login=-`);
    await page.hands.reads('refusal.account.Unlinked');
    await page.hands.reads('refusal.account.Denied');
    const log = await world.log();
    assert.ok(!log.includes(idp.secret), 'the client secret stands in the log');

    // An account that is closed here enters no more, whatever the provider says.
    await world.stop();
    await world.command('staff', 'close', 'clerk1', '--dir', world.data);
    await world.start();
    named(world);
    idp.open(world);
    await page.context().clearCookies();
    await begun(page, world);
    await vouched(page, SUBJECT);
    await page.hands.reads('staff.sign_in.provider_unlinked');
    browser.faults = [];
    const told = await world.ask('doctor');
    const part = told.parts.find((one) => one.part === 'staff sign-in');
    assert.ok(part.good, part.says);
    idp.close();
    const down = await world.command('doctor', '--dir', world.data).catch((error) => error);
    assert.equal(down.code, 5);
    assert.match(down.stdout, /identity provider/);
    browser.isContent();
  });
}
