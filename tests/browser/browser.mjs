// Debian's Chromium with a home of its own: the sample bank's authority is trusted there, and a
// person's certificate lies there as a customer would have imported it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

const run = promisify(execFile);

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update',
];
/** How long a page may take on a busy machine. */
const PATIENCE = 30_000;

/** A home folder with an NSS database, where Chromium on Linux looks for certificates. */
export class Home {
  /** Trusts the world's authority from the start. */
  static async of(test, world) {
    const home = new Home();
    home.world = world;
    home.folder = await mkdtemp(join(tmpdir(), 'saihakko-home-'));
    home.browsers = [];
    test.after(() => home.end());
    home.database = `sql:${join(home.folder, '.pki', 'nssdb')}`;
    await mkdir(join(home.folder, '.pki', 'nssdb'), { recursive: true });
    await run('certutil', ['-N', '-d', home.database, '--empty-password']);
    const trust = ['-A', '-n', 'sample root', '-t', 'C,,', '-i', world.root()];
    await run('certutil', [...trust, '-d', home.database]);
    return home;
  }

  /** Nothing may still be writing there when the folder goes. */
  async end() {
    for (const browser of this.browsers) await browser.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Imports a .p12 file with NSS's own program. */
  async import(file, password = '') {
    await run('pk12util', ['-i', file, '-d', this.database, '-K', '', '-W', password]);
  }

  /** The subjects of the certificates whose keys lie there. */
  async subjects() {
    const { stdout } = await run('certutil', ['-K', '-d', this.database]).catch((error) => error);
    return stdout.split('\n').filter((line) => line.startsWith('<')).map((line) => line.trim());
  }
}

/** The browser of one person: one process, as many contexts as wished. */
export class Browser {
  static async at(home) {
    const browser = new Browser();
    browser.world = home.world;
    browser.faults = [];
    const profile = await mkdtemp(join(home.folder, 'profile-'));
    await mkdir(join(profile, 'Default'));
    const preferences = JSON.stringify(chosenFor(home.world.members));
    await writeFile(join(profile, 'Default', 'Preferences'), preferences);
    const env = { ...process.env, HOME: home.folder, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' };
    browser.first = await chromium.launchPersistentContext(profile, {
      executablePath: EXECUTABLE, args: ARGUMENTS, env,
    });
    home.browsers.push(browser);
    return browser;
  }

  close() {
    return this.first.close();
  }

  /** A browser without any certificate. */
  static async of(test, world) {
    return Browser.at(await Home.of(test, world));
  }

  /** A browser with the given .p12 imported. */
  static async holding(test, world, file, password) {
    const home = await Home.of(test, world);
    const path = join(home.folder, 'certificate.p12');
    await writeFile(path, file);
    await home.import(path, password);
    return Browser.at(home);
  }

  /** A window of its own with its own cookies. */
  async context(options = {}) {
    const usual = { locale: 'ja-JP', viewport: { width: 1280, height: 900 } };
    const context = await this.first.browser().newContext({ ...usual, ...options });
    context.setDefaultTimeout(PATIENCE);
    context.on('page', (page) => this.#watch(page));
    return context;
  }

  async page(options) {
    return (await this.context(options)).newPage();
  }

  /** Whatever a page complains about is a fault; a refused form is an answer, not a fault. */
  #watch(page) {
    const note = (what) => this.faults.push(`${new URL(page.url()).pathname}: ${what}`);
    page.on('console', (message) => {
      const isAnswer = /status of 4(03|04|09|22|29)/.test(message.text());
      if (message.type() === 'error' && !isAnswer) note(message.text());
    });
    page.on('pageerror', (error) => note(error.message));
    page.on('response', (response) => {
      if (response.status() >= 500) note(`${response.status()} ${response.url()}`);
    });
    page.on('request', (request) => {
      const { origin } = new URL(request.url());
      const ours = [this.world.customers, this.world.members, this.world.staff, this.world.provider];
      if (!ours.includes(origin) && !request.url().startsWith('blob:')) {
        note(`asks elsewhere: ${request.url()}`);
      }
    });
  }

  /** Fails when any page complained. */
  isContent() {
    assert.deepEqual(this.faults, []);
  }
}

/**
 * The choice that Chromium's own dialog would ask for: on that site, the one certificate there is.
 * Without a window nobody can press its button.
 */
function chosenFor(site) {
  const choice = { last_modified: '13300000000000000', setting: { filters: [{}] } };
  const exceptions = { auto_select_certificate: { [`${site},*`]: choice } };
  return { profile: { content_settings: { exceptions } } };
}
