// A bank of its own for one story: a data folder, the sample ledger, a running server.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The program under test. */
const PROGRAM = resolve(process.env.SAIHAKKO ?? join(import.meta.dirname, '..', '..', 'target', 'debug', 'saihakko'));
const SITES = ['customer', 'certificate', 'staff', 'metrics', 'revocation_list'];
/** How long a server may take to come up or to end, on a busy machine. */
const PATIENCE = 60_000;

/** What differs from the usual configuration: free ports, and hashes that cost nothing. */
const USUAL = {
  'security.argon2_memory_kib': 64,
  'security.argon2_passes': 1,
  'security.sign_ins_per_minute': 0,
  'forms.font': process.env.SAIHAKKO_TEST_FONT ?? '',
  'log.format': 'json',
};

/** `security.argon2_passes` → `SAIHAKKO__SECURITY__ARGON2_PASSES`. */
function environment(settings) {
  const named = Object.entries(settings).map(([key, value]) => [
    `SAIHAKKO__${key.toUpperCase().replaceAll('.', '__')}`,
    String(value),
  ]);
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith('SAIHAKKO'));
  return Object.fromEntries([...ours, ...named]);
}

export class World {
  /** Makes the folder, imports the ledger and starts the server. `ledger` may change the files. */
  static async begin({ settings = {}, ledger = async () => {} } = {}) {
    const world = new World();
    world.folder = await mkdtemp(join(tmpdir(), 'saihakko-browser-'));
    world.data = join(world.folder, 'data');
    world.ledger = join(world.folder, 'ledger');
    world.temporary = join(world.folder, 'tmp');
    await mkdir(world.data);
    await mkdir(world.temporary);
    const addresses = SITES.map((site) => [`${site}_site.address`, '127.0.0.1:0']);
    const all = { ...USUAL, ...Object.fromEntries(addresses), ...settings };
    world.environment = { ...environment(all), TMPDIR: world.temporary };
    await world.command('demo', '--ledger-only', world.ledger);
    await ledger(world);
    await world.import();
    await world.start();
    return world;
  }

  /** Begins a world that ends with the test. */
  static async of(test, options) {
    const world = await World.begin(options);
    test.after(() => world.end());
    return world;
  }

  /** Runs a command of the program and gives what it said. */
  async command(...words) {
    const options = { env: this.environment, cwd: this.folder, maxBuffer: 64 << 20 };
    return (await run(PROGRAM, words, options)).stdout;
  }

  /** The print station prints what waits; a printer that keeps nothing. */
  async print() {
    const printer = ['--login', 'hassou', '--printer', 'cat'];
    return this.command('print-station', '--dir', this.data, ...printer);
  }

  /** Runs a reading command and gives its JSON. */
  async ask(...words) {
    return JSON.parse(await this.command(...words, '--dir', this.data, '--json'));
  }

  /** Imports the ledger, or the given lists of it. */
  async import(...lists) {
    const all = (await readdir(this.ledger)).filter((name) => name.endsWith('.csv'));
    const files = (lists.length > 0 ? lists : all).map((name) => join(this.ledger, name));
    return this.command('import', '--dir', this.data, ...files);
  }

  /** Replaces text in a list of the ledger; it must have been there. */
  async rewrite(list, from, to) {
    const path = join(this.ledger, list);
    const text = await readFile(path, 'utf8');
    assert.ok(text.includes(from), `${from} is not in ${list}`);
    await writeFile(path, text.replace(from, to));
  }

  async start() {
    const log = createWriteStream(join(this.folder, 'server.log'), { flags: 'a' });
    this.server = spawn(PROGRAM, ['serve', '--dir', this.data], {
      env: this.environment,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.server, 'exit');
    this.server.stderr.pipe(log);
    const said = await this.#sites();
    const port = (name) => new URL(said.get(name)).port;
    this.customers = `https://localhost:${port('customers')}`;
    this.members = `https://certificate.localhost:${port('certificate')}`;
    this.staff = `https://localhost:${port('staff')}`;
    this.metrics = said.get('metrics');
    this.revocations = said.get('revocations');
  }

  /** Reads the lines in which the server says where its sites answer. */
  async #sites() {
    let said = '';
    const sites = new Map();
    const late = AbortSignal.timeout(PATIENCE);
    this.ended.then(() => this.server.stdout.destroy());
    for await (const part of this.server.stdout.iterator({ destroyOnReturn: false })) {
      said += part;
      for (const [, name, address] of said.matchAll(/^(\w+) +(https?:\S+)$/gm)) {
        sites.set(name, address);
      }
      if (sites.size === SITES.length) return sites;
      late.throwIfAborted();
    }
    throw new Error(`the server did not come up:\n${await this.log()}`);
  }

  /** Ends the server as a service manager would. */
  async stop() {
    if (this.server.exitCode === null) this.server.kill('SIGTERM');
    const late = new Promise((_, no) => {
      setTimeout(no, PATIENCE, new Error('the server does not end')).unref();
    });
    const [code] = await Promise.race([this.ended, late]);
    assert.equal(code, 0, 'the server ended badly');
  }

  async end() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  log() {
    return readFile(join(this.folder, 'server.log'), 'utf8').catch(() => '');
  }

  /** The authority that signs the servers' certificates. */
  root() {
    return join(this.data, 'keys', 'root.pem');
  }

  /** A call through the local socket, as the bank's own people make; gives what was done. */
  async call(call) {
    const socket = connect(join(this.data, 'saihakko.sock'));
    socket.write(`${JSON.stringify(call)}\n`);
    for await (const line of createInterface({ input: socket })) {
      socket.destroy();
      const reply = JSON.parse(line);
      assert.ok('done' in reply, `${call.do}: ${line}`);
      return reply.done;
    }
    throw new Error(`${call.do}: no reply`);
  }

  /** The cases, newest first, without those of single credentials. */
  async cases(workflow) {
    const more = workflow ? ['--workflow', workflow] : [];
    return (await this.ask('case', 'list', '--limit', '500', ...more)).cases;
  }

  async case(number) {
    return this.ask('case', 'show', String(number));
  }

  async history(number) {
    return (await this.ask('case', 'history', String(number))).entries;
  }

  /** Rows of the embedded database, read beside the running server. */
  async rows(query) {
    const path = join(this.data, 'saihakko.db');
    const { stdout } = await run('sqlite3', ['-readonly', '-json', path, query], {
      maxBuffer: 64 << 20,
    });
    return stdout.trim() === '' ? [] : JSON.parse(stdout);
  }

  /** The history of one of a person's credentials. */
  async credentialHistory(person, kind) {
    const [row] = await this.rows(
      'SELECT c.case_id FROM credentials c JOIN users u ON u.id = c.user_id '
      + `WHERE u.user_id = '${person.id}' AND c.kind = '${kind}'`,
    );
    assert.ok(row, `${person.id} has no credential ${kind}`);
    return this.history(row.case_id);
  }

  /** Waits until something is true of this world. */
  async until(what, isTrue, patience = PATIENCE) {
    const end = Date.now() + patience;
    for (;;) {
      const found = await isTrue();
      if (found) return found;
      if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
      await new Promise((go) => setTimeout(go, 100));
    }
  }

  /** Waits until a case stands in one of the given states. */
  async stands(number, ...states) {
    return this.until(`case ${number} in ${states}`, async () => {
      const found = await this.case(number);
      return states.includes(found.state) ? found : null;
    });
  }
}
