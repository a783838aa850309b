// Somebody at the sites without a browser: cookies, forms, a client certificate. For what many do
// at once, and for what has to be so before a story begins.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';

import { cardOf } from './people.mjs';

export class Visitor {
  #agent;
  #site;

  /** At the customers' site, or with a .p12 file at the certificate site. */
  constructor(world, pfx, passphrase = '', site = pfx ? world.members : world.customers) {
    this.world = world;
    this.cookies = new Map();
    this.#site = site;
    const key = pfx ? { pfx, passphrase } : {};
    this.#agent = new https.Agent({
      ca: readFileSync(world.root()), keepAlive: true, maxSockets: 64, ...key,
    });
  }

  get(path, headers) {
    return this.#send('GET', path, headers);
  }

  /** Sends a form. */
  post(path, fields = {}, headers = {}) {
    const body = new URLSearchParams(fields).toString();
    const type = 'application/x-www-form-urlencoded';
    return this.#send('POST', path, { origin: this.#site, 'content-type': type, ...headers }, body);
  }

  /** Sends a form and opens the page that the answer leads to. */
  async follow(path, fields) {
    const answer = await this.post(path, fields);
    assert.equal(answer.status, 303, `${path}: ${answer.status}\n${answer.text()}`);
    return this.get(answer.location);
  }

  #send(method, path, headers = {}, body = '') {
    const { hostname, port, host } = new URL(this.#site);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = { host, ...(cookie ? { cookie } : {}), ...headers };
    if (method === 'POST') all['content-length'] = Buffer.byteLength(body);
    const options = {
      method, path, headers: all, host: '127.0.0.1', port, servername: hostname, agent: this.#agent,
    };
    return new Promise((done, fail) => {
      const request = https.request(options, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', fail);
        response.on('end', () => done(this.#read(response, Buffer.concat(parts))));
      });
      request.on('error', fail);
      request.end(body);
    });
  }

  #read(response, body) {
    for (const cookie of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const { statusCode: status, headers } = response;
    return { status, headers, location: headers.location, body, text: () => body.toString('utf8') };
  }

  /** The value of a hidden or other field of a page. */
  static field(page, name) {
    return new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text())?.[1] ?? '';
  }

  /** The digits that a page shows, or nothing. */
  static digits(page) {
    const shown = /id="digits-shown"[^>]*>(.*?)<\/p>/s.exec(page.text());
    return shown ? shown[1].replace(/<[^>]*>/g, '') : '';
  }

  // ------------------------------------------------------------------------- what people do

  /** At the customers' site. */
  async signIn(person) {
    this.person = person;
    const typed = { contract: person.contract, user_id: person.id, password: person.login };
    const answer = await this.post('/sign-in', typed);
    assert.equal(answer.location, '/certificate', `${person.id} cannot sign in`);
    return this;
  }

  /** At the certificate site, where the certificate says who comes. */
  async enter(person) {
    this.person = person;
    await this.get('/');
    const answer = await this.post('/sign-in', { password: person.login });
    assert.equal(answer.location, '/menu', `${person.id} cannot enter`);
    return this;
  }

  /** Path 1 up to the digits. */
  async reissue(reason = 'expired') {
    const asked = await this.get('/reissue');
    const key = Visitor.field(asked, 'key');
    const begun = await this.post('/reissue', { reason, key });
    const case_ = Number(/^\/reissue\/(\d+)$/.exec(begun.location ?? '')?.[1]);
    assert.ok(case_, `no case was opened: ${begun.status}`);
    const entry = { one_time_password: await cardOf(this.world, this.person) };
    await this.post(`/reissue/${case_}/one-time-password`, entry);
    const shown = await this.follow(`/reissue/${case_}/password`);
    const digits = Visitor.digits(shown);
    assert.match(digits, /^\d{16}$/);
    return { case: case_, digits };
  }

  /** Enters digits and fetches the file whose key the server makes. */
  async fetch(digits, password = '') {
    const claimed = await this.post('/certificate', { digits });
    const case_ = /^\/certificate\/(\d+)$/.exec(claimed.location ?? '')?.[1];
    assert.ok(case_, `the digits were not accepted: ${claimed.status}`);
    await this.world.until('the certificate', async () => {
      const page = await this.get(`/certificate/${case_}`);
      return page.text().includes('name="p12_password"');
    });
    const fields = { p12_password: password, p12_password_again: password };
    const file = await this.post(`/certificate/${case_}/file`, fields);
    assert.equal(file.headers['content-type'], 'application/x-pkcs12');
    return file.body;
  }

  /** Path 2: opens a case for a colleague. */
  async pick(colleague, reason = 'expired') {
    const list = await this.get('/settings/users/reissue');
    const key = Visitor.field(list, 'key');
    const picked = { key, reason, user_id: colleague.id };
    const answer = await this.post('/settings/users/reissue', picked);
    const case_ = Number(/(\d+)$/.exec(answer.location ?? '')?.[1]);
    assert.ok(case_, `no case for ${colleague.id}: ${answer.status}`);
    return case_;
  }

  /** Path 2 up to the digits. */
  async reissueFor(colleague) {
    const case_ = await this.pick(colleague);
    const path = `/settings/users/reissue/${case_}`;
    await this.post(path, { transaction_password: this.person.order });
    const digits = Visitor.digits(await this.get(`${path}/done?show=1`));
    assert.match(digits, /^\d{16}$/);
    return { case: case_, digits };
  }
}

/** A certificate that has logged in, for whoever may reissue for themselves. */
export async function certificateOf(world, person) {
  const visitor = await new Visitor(world).signIn(person);
  const { case: case_, digits } = await visitor.reissue();
  const file = await visitor.fetch(digits);
  await new Visitor(world, file).get('/');
  await world.stands(case_, 'Tail.Completed');
  return file;
}
