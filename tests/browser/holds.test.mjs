// A legal hold: a supervisor proposes it on a case, another person approves; the database itself keeps
// what is held; both again to lift it, and an auditor reads all of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { Browser } from './browser.mjs';
import { atWork, hayashi, matsumoto, okada } from './office.mjs';
import { hanako } from './people.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);
const DESK = { viewport: { width: 1440, height: 960 } };

/** What somebody with the database in hand would do. */
function deleted(world, number) {
  const sql = `DELETE FROM entry_details WHERE case_id = ${number}`;
  return run('sqlite3', [join(world.data, 'saihakko.db'), `.timeout 10000`, sql]);
}

for (const javaScriptEnabled of [true, false]) {
  test(`two people hold a case, JavaScript ${javaScriptEnabled}`, async (t) => {
    const world = await World.of(t);
    const browser = await Browser.of(t, world);
    const { case: number } = await (await new Visitor(world).signIn(hanako)).reissue();
    const options = { ...DESK, javaScriptEnabled };
    const chief = await atWork(world, await browser.page(options), matsumoto);
    const approver = await atWork(world, await browser.page(options), hayashi);
    const wished = async (button) => {
      await chief.goto(`${world.staff}/cases/${number}`);
      await chief.locator('a[href^="/holds?case="]').click();
      await chief.hands.press(button);
      await chief.locator('#errors').waitFor();
      await chief.hands.type('staff.holds.reference', '令和8年(ワ)第101号');
      await chief.hands.type('staff.holds.reason', '裁判所の照会のため');
      await chief.hands.press(button);
      await chief.waitForURL(/\/proposals\/\d+/);
      assert.equal(await chief.hands.button('staff.proposal.approve').count(), 0);
      await approver.goto(chief.url());
      await approver.hands.press('staff.proposal.approve');
      await approver.hands.reads('staff.proposal.done');
    };
    await wished('staff.holds.propose');
    await chief.goto(`${world.staff}/holds`);
    await chief.hands.reads('staff.holds.in_force');
    await assert.rejects(deleted(world, number), /a legal hold keeps this/);

    const auditor = await atWork(world, await browser.page(options), okada);
    await world.until('the note in the case', async () => {
      const told = await world.history(number);
      return told.some(({ command }) => command === 'PlaceHold');
    });
    await auditor.goto(`${world.staff}/cases/${number}`);
    await auditor.hands.reads('web.story.hold_text');
    await auditor.hands.reads('note.PlaceHold');
    await wished('staff.holds.propose_lift');
    await auditor.goto(`${world.staff}/cases/${number}`);
    await auditor.hands.reads('web.story.hold_lifted');
    assert.equal(await auditor.getByText(auditor.hands.say('web.story.hold_text')).count(), 0);
    assert.match(await world.command('history', 'verify', '--dir', world.data), /\d/);
    browser.isContent();
  });
}
