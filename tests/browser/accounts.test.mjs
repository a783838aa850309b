// A new member of staff: one system administrator proposes, another approves, each hands over one
// half, and only with both halves somebody signs in. An auditor reads all of it.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { atWork, hara, member, okada } from './office.mjs';
import { World } from './world.mjs';

const DESK = { viewport: { width: 1440, height: 960 } };
const shimizu = member('approver2', '清水 剛');

/** RFC 4648 without padding, as authenticators take it. */
function base32(text) {
  const bits = [...text].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

for (const javaScriptEnabled of [true, false]) {
  test(`two people make an account, JavaScript ${javaScriptEnabled}`, async (t) => {
    const world = await World.of(t, {
      ledger: (made) => made.rewrite('staff.csv', '清水 剛,approver', '清水 剛,system_administrator'),
    });
    const browser = await Browser.of(t, world);
    const options = { ...DESK, javaScriptEnabled };
    const first = await atWork(world, await browser.page(options), hara);
    await first.goto(`${world.staff}/accounts`);
    await first.hands.press('staff.accounts.propose_new');
    await first.locator('#errors').waitFor();
    await first.locator('#login').fill('takagi');
    await first.locator('#name').fill('高木 真');
    await first.locator('#person').fill('S-020');
    await first.locator('input[name=role_clerk]').check();
    await first.hands.press('staff.accounts.propose_new');
    await first.waitForURL(/\/proposals\/\d+/);
    const page = first.url();
    assert.equal(await first.hands.button('staff.proposal.approve').count(), 0);

    const second = await atWork(world, await browser.page(options), shimizu);
    await second.goto(`${world.staff}/accounts`);
    await second.goto(page);
    await second.hands.press('staff.proposal.approve');
    await second.hands.reads('staff.proposal.done');
    assert.equal(await second.hands.button('staff.proposal.take_password').count(), 0);
    await second.hands.press('staff.proposal.take_seed');
    const seed = await second.locator('.note code').innerText();
    await first.goto(page);
    await first.hands.press('staff.proposal.take_password');
    const password = await first.locator('.note code').innerText();
    await first.goto(page);
    assert.equal(await first.locator('.note code').count(), 0, 'the password is shown once');

    const takagi = { ...member('takagi', '高木 真'), password, seed: base32(seed) };
    const clerk = await atWork(world, await browser.page(options), takagi);
    assert.match(clerk.url(), /\/queue\/check/);

    const auditor = await atWork(world, await browser.page(options), okada);
    await auditor.goto(`${world.staff}/sign-ins?login=takagi`);
    await auditor.getByText('ログインパスワード + ワンタイムパスワード').waitFor();
    const number = Number(/proposals\/(\d+)/.exec(page)[1]);
    await auditor.goto(`${world.staff}/cases/${number}?view=all`);
    await auditor.hands.reads('command.proposal.Approve');
    const told = JSON.stringify(await world.history(number));
    assert.ok(!told.includes(password) && !told.includes(seed), 'a secret stands in a history');
    assert.match(await world.command('history', 'verify', '--dir', world.data), /\d/);
    browser.isContent();
  });
}
