// Everything secret that went through the pages is looked for afterwards, wherever it could lie.
import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { wrongDigits } from './digits.mjs';
import { mailsOf } from './mails.mjs';
import { everybody, hanako, misaki, naoko, seedOf, taro } from './people.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { World } from './world.mjs';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(octets) {
  const bits = [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => BASE32[Number.parseInt(five, 2)]).join('');
}

/** The forms in which a text may have been written down. */
function forms(secret) {
  const octets = Buffer.from(secret, 'utf8');
  const all = [octets, encodeURIComponent(secret), octets.toString('base64'), octets.toString('hex')];
  if (/^\d{16}$/.test(secret)) {
    const groups = secret.match(/.{4}/g);
    all.push(groups.join(' '), groups.join('-'), groups.join('</span><span>'));
  }
  return all.map((form) => Buffer.from(form));
}

/** The forms of octets: as they are, and in every usual writing. */
function writings(octets) {
  const texts = [octets.toString('hex'), octets.toString('base64'), octets.toString('base64url'), base32(octets)];
  return [octets, ...texts.map((text) => Buffer.from(text)), Buffer.from(octets.toString('hex').toUpperCase())];
}

/** Every file below a folder, with its octets. */
async function filesOf(folder) {
  const files = [];
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    if ((await stat(path)).isFile()) files.push([path, await readFile(path)]);
  }
  return files;
}

test('known secrets lie nowhere: database, its log, logs at trace, mails, temporary files, error pages', async (t) => {
  const world = await World.of(t, { settings: { 'log.level': 'trace' } });
  const secrets = new Map();
  const note = (what, found) => secrets.set(what, found);
  for (const person of everybody) {
    note(`login password of ${person.id}`, forms(person.login));
    note(`transaction password of ${person.id}`, forms(person.order));
    note(`card's seed of ${person.id}`, writings(seedOf(person)));
  }
  const pages = [];
  const cookies = (visitor, whose) => {
    for (const [name, value] of visitor.cookies) {
      if (name === '__Host-lang') continue;
      note(`${name} of ${whose}: ${value.slice(0, 4)}`, forms(value));
    }
  };

  // Path 1, with mistakes on the way.
  const own = new Visitor(world);
  pages.push(await own.post('/sign-in', { contract: hanako.contract, user_id: hanako.id, password: 'a wrong one 7' }));
  note('a wrong login password', forms('a wrong one 7'));
  await own.signIn(hanako);
  cookies(own, 'hanako before the card');
  const { case: number, digits } = await own.reissue();
  note('digits of path 1', forms(digits));
  cookies(own, 'hanako after the card');
  const wrong = wrongDigits(4711);
  note('wrong digits', forms(wrong));
  pages.push(await own.post('/certificate', { digits: wrong }));
  const filePassword = 'a password for the file 5';
  note('password of the file', forms(filePassword));
  const file = await own.fetch(digits, filePassword);
  await new Visitor(world, file, filePassword).get('/');
  await world.stands(number, 'Tail.Completed');

  // Path 2, a code for enrolment, and passwords chosen anew.
  const member = await new Visitor(world, file, filePassword).enter(hanako);
  cookies(member, 'hanako with certificate');
  const { digits: theirs } = await member.reissueFor(taro);
  note('digits of path 2', forms(theirs));
  const codes = `/settings/users/codes/${misaki.id}`;
  const key = Visitor.field(await member.get(codes), 'key');
  await member.post(codes, { key, transaction_password: hanako.order });
  const code = /id="code-shown"[^>]*>([^<]*)</.exec((await member.get(`${codes}/done?show=1`)).text())[1];
  note('code for enrolment', [...forms(code), ...forms(code.replace(/[\s-]/g, ''))]);
  const fresh = new Visitor(world);
  await fresh.post('/enrol', { contract: misaki.contract, user_id: misaki.id, code });
  cookies(fresh, 'misaki at enrolment');
  const chosen = 'kumo to ame 2026';
  note('chosen password', forms(chosen));
  await fresh.post('/enrol/secrets/login', { new: chosen, again: chosen });
  const shown = await own.get('/account?authenticator=1');
  const seed = /class="mono">([A-Z2-7 ]{16,})</.exec(shown.text())?.[1];
  assert.ok(seed, 'the seed is shown');
  note('seed of the authenticator', [...forms(seed), ...forms(seed.replaceAll(' ', ''))]);

  // Error pages of many kinds, none of which repeats what was sent.
  const typed = { digits: theirs, password: hanako.login, transaction_password: hanako.order };
  for (const path of ['/certificate', '/sign-in', '/no-such-page', '/cases/1/withdraw', '/form']) {
    pages.push(await own.post(path, typed), await new Visitor(world).post(path, typed));
    pages.push(await own.post(path, typed, { origin: 'https://evil.example' }));
    pages.push(await own.post(path, { ...typed, filler: 'x'.repeat(100_000) }));
  }
  pages.push(await own.get(`/no-such-page?digits=${theirs}`), await own.get('/cases/999999'));

  const files = [...await filesOf(world.data), ...await filesOf(world.temporary)];
  assert.ok(files.some(([path]) => path.endsWith('.db-wal')), 'the log of the database was read');
  const log = await world.log();
  assert.ok(log.includes('"TRACE"'), 'the log is at trace');
  assert.ok(secrets.size > 30 && pages.length > 15);
  await world.stop();
  files.push(...await filesOf(world.data));
  files.push([join(world.folder, 'server.log'), Buffer.from(await world.log())]);
  const mails = await mailsOf(world);
  assert.ok(mails.length >= 5, 'mails were written');
  mails.forEach((mail, at) => files.push([`mail ${at}`, Buffer.from(`${mail.subject}\n${mail.text}`)]));
  pages.forEach((page, at) => files.push([`answer ${at}`, page.body]));

  // The search itself finds what is there: the secrets of the ledger that was imported.
  const seeds = await readFile(join(world.ledger, 'credentials.csv'));
  assert.ok(secrets.get(`card's seed of ${naoko.id}`).some((form) => seeds.includes(form)));
  const found = [];
  for (const [path, octets] of files) {
    for (const [what, all] of secrets) {
      if (all.some((form) => octets.includes(form))) found.push(`${what} in ${path}`);
    }
  }
  assert.deepEqual(found, []);
  await world.start();
});

test('a page with digits is the only one that bears them', async (t) => {
  const world = await World.of(t);
  const member = await new Visitor(world, await certificateOf(world, hanako)).enter(hanako);
  const { case: number, digits } = await member.reissueFor(taro);
  const done = `/settings/users/reissue/${number}/done`;
  for (const path of [done, `/cases/${number}`, '/cases', '/settings/users/reissue', '/menu']) {
    const page = await member.get(path);
    assert.equal(page.status, 200);
    assert.ok(forms(digits).every((form) => !page.body.includes(form)), path);
    assert.equal(page.headers['cache-control'], 'no-store');
  }
  // Neither to the colleague, who signs in elsewhere, nor to another browser of the same person.
  const colleague = await new Visitor(world).signIn(taro);
  for (const path of [`/cases/${number}`, `/reissue/${number}`, `/reissue/${number}/password?show=1`]) {
    const page = await colleague.get(path);
    assert.ok(forms(digits).every((form) => !page.body.includes(form)), path);
  }
});
