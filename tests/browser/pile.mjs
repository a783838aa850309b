// What lies in the mail on the day of the pile, and the folder into which it is scanned.
import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { emily, hanako, ken, misaki, naoko, taro } from './people.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

export const FORMS = 40;
/** Clean ones, pairs, two of three, the late one, the one resubmitted, the one filled in by hand. */
export const LETTERS = 26 + 6 + 2 + 1 + 1 + 1;
/** Of the form for three users. */
export const BAD_ROW = 2;
/** What the small company writes about itself. */
export const CONTRACT = { contract_number: '0207054321', branch_number: '070', account_number: '2070502' };
const RETRIEVAL = 'retrieval_reissue';

/** A person of the small company, of whom the ledger knows no more than the name. */
export function staffer(index) {
  const id = String(20_705_100 + index).padStart(9, '0');
  return { contract: naoko.contract, id, name: `喫茶 店員${index}` };
}

/** Many people more in the small company, and a folder for the scanners. */
export async function prepared(t) {
  let scans;
  const world = await World.of(t, {
    settings: { 'intake.rest_s': 1, 'intake.look_s': 1 },
    ledger: async (made) => {
      const lines = Array.from({ length: 60 }, (_, index) => {
        const { contract, id, name } = staffer(index);
        return `${contract},${id},${name},キッサ テンイン,店舗,,,ja,active,false,true`;
      });
      await appendFile(join(made.ledger, 'users.csv'), `${lines.join('\n')}\n`);
      scans = join(made.folder, 'scans');
      for (const device of ['mfp-2f', 'mfp-3f']) await mkdir(join(scans, device), { recursive: true });
      made.environment.SAIHAKKO__INTAKE__FOLDER = scans;
    },
  });
  return { world, scans };
}

/** The scanner writes under another name until the file is whole. */
export async function scan(scans, name, bytes) {
  const path = join(scans, name);
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}

/** What comes in the post: what is asked for whom, and what the customer forgot. */
export function pile() {
  const single = (index, request = RETRIEVAL, reason = 'expired') =>
    ({ sender: naoko, wishes: [[staffer(index), request, reason]] });
  const clean = Array.from({ length: 26 }, (_, index) => single(index));
  const resets = Array.from({ length: 5 }, (_, index) => single(26 + index, 'login_reset', ''));
  const pairs = [31, 33, 35].map((index) => ({
    sender: naoko,
    wishes: [[staffer(index), RETRIEVAL, 'new_pc'], [staffer(index + 1), RETRIEVAL, 'forgotten']],
  }));
  return [
    ...clean, ...resets, ...pairs,
    { ...single(40), is: 'unsealed', seal: false },
    { ...single(41), is: 'withdrawn' },
    { ...single(42), is: 'deleted' },
    { is: 'three', sender: hanako, wishes: [taro, ken, misaki].map((one) => [one, RETRIEVAL, 'expired']) },
    { is: 'late', sender: hanako, wishes: [[emily, RETRIEVAL, 'mistyped']] },
  ];
}

/** The date as it stands on a form: year of the era, month and day in two digits each. */
export function today() {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Tokyo' }).format(new Date());
  const [year, month, date] = day.split('-');
  return { date_year: String(Number(year) - 2018).padStart(2, '0'), date_month: month, date_day: date };
}

/** The fortieth: a form from the web, filled in by hand, with blots on number, user and date. */
export async function unnamed(world, paper) {
  const answer = await new Visitor(world).get('/form/plain?variant=light');
  assert.equal(answer.headers['content-type'], 'application/pdf', answer.text().slice(0, 200));
  const form = { pdf: answer.body, number: 'plain', sender: naoko };
  const ticks = ['u1_retrieval_reissue', 'u1_reason_expired'];
  const digits = { ...CONTRACT, u1_user_id: staffer(43).id, ...today() };
  const [page] = await paper.scanned(form, { ticks, digits, blots: [['contract_number', 4], ['u1_user_id', 6], ['date_day', 1]] });
  return page;
}
