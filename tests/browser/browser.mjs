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

/** A home folder with an NSS database, as certificates for Chromium lie on Linux. */
export class Home {
  static async of(test, world) {
    const home = new Home();
    home.folder = await mkdtemp(join(tmpdir(), 'saihakko-home-'));
    test.after(() => rm(home.folder, { recursive: true, force: true }));
    home.database = `sql:${join(home.folder, '.pki', 'nssdb')}`;
    await mkdir(join(home.folder, '.pki', 'nssdb'), { recursive: true });
    await run('certutil', ['-N', '-d', home.database, '--empty-password']);
    const trust = ['-A', '-n', 'sample root', '-t', 'C,,', '-i', world.root()];
    await run('certutil', [...trust, '-d', home.database]);
    return home;
  }

  /** Imports a .p12 file with NSS's own program; gives what it said. */
  async import(file, password = '') {
    const words = ['-i', file, '-d', this.database, '-K', '', '-W', password];
    return (await run('pk12util', words)).stdout;
  }

  /** The names under which certificates with keys lie there. */
  async keys() {
    const { stdout } = await run('certutil', ['-K', '-d', this.database]);
    return stdout.split('\n').filter((line) => line.startsWith('<'));
  }
}
