// What key.js makes of a server's answers, over real connections on loopback.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { load } from './load.mjs';
import { needs, Workbench } from './workbench.mjs';

const script = await load('key.js');
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Serves until the test ends; returns the address. */
async function serve(context, respond) {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

async function bodyOf(request) {
  let body = '';
  for await (const piece of request) body += piece;
  return new URLSearchParams(body);
}

const fields = () => new URLSearchParams({ digits: '0741852307418565', csr: 'x' });

test('from the digits to a file that opens', needs('openssl'), async (context) => {
  const bench = new Workbench(context);
  let chain;
  let polls = 0;
  const site = await serve(context, async (request, response) => {
    if (request.method === 'POST') {
      assert.equal(request.headers.accept, 'application/json');
      assert.equal(
        request.headers['content-type'],
        'application/x-www-form-urlencoded;charset=UTF-8',
      );
      const sent = await bodyOf(request);
      assert.equal(sent.get('digits'), '0741852307418565');
      chain = bench.certify(sent.get('csr'));
      response
        .writeHead(200, JSON_TYPE)
        .end(JSON.stringify({ case: 12, chain: '/certificate/12/chain' }));
      return;
    }
    assert.equal(request.url, '/certificate/12/chain');
    assert.equal(request.headers.accept, 'application/x-pem-file');
    polls += 1;
    if (polls === 1) response.writeHead(202).end();
    else if (polls === 2) request.socket.destroy();
    else if (polls === 3) response.writeHead(503).end();
    else response.writeHead(200, { 'Content-Type': 'application/x-pem-file' }).end(chain);
  });

  const key = await script.makeKey();
  const body = fields();
  body.set('csr', script.pem('CERTIFICATE REQUEST', await script.makeRequest(key, '010429001')));
  const answer = await script.ask(`${site}/certificate`, body);
  assert.deepEqual(answer, { case: 12, chain: '/certificate/12/chain' });
  const certificates = await script.awaitChain(new URL(answer.chain, site), { pause: () => {} });
  assert.equal(polls, 4);
  bench.write(
    'user.p12',
    await script.makeBundle(key, certificates, '010429001', 'correct horse 7'),
  );
  bench.openssl('pkcs12', '-in', 'user.p12', '-nodes', '-passin', 'pass:correct horse 7');
});

test('a refusal is told apart from silence', async (context) => {
  const refusal = { error: '証明書取得用パスワードが違います', next: null };
  const site = await serve(context, async (request, response) => {
    await bodyOf(request);
    if (request.url === '/wrong') response.writeHead(422, JSON_TYPE).end(JSON.stringify(refusal));
    else if (request.url === '/plain') response.writeHead(403).end('no');
    else if (request.url === '/fault') response.writeHead(500, JSON_TYPE).end('{}');
    else if (request.url === '/odd')
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>');
    else if (request.url === '/over')
      response.writeHead(303, { Location: '/sign-in?over=1' }).end();
    else if (request.url === '/sign-in?over=1') response.end('<form>');
    else request.socket.destroy();
  });
  const answers = new Map([
    ['/wrong', { refused: refusal }],
    ['/plain', { refused: {} }],
    // The digits may be spent: nobody knows.
    ['/fault', {}],
    ['/odd', {}],
    ['/broken', {}],
    ['/over', { elsewhere: `${site}/sign-in?over=1` }],
  ]);
  for (const [path, expected] of answers) {
    assert.deepEqual(await script.ask(site + path, fields()), expected, path);
  }
});

test('an answer starts the session anew in every tab', async (context) => {
  const site = await serve(context, async (request, response) => {
    await bodyOf(request);
    response
      .writeHead(200, JSON_TYPE)
      .end(JSON.stringify({ case: 1, chain: '/certificate/1/chain' }));
  });
  const tab = new BroadcastChannel('session');
  context.after(() => tab.close());
  const heard = once(tab, 'message', { signal: AbortSignal.timeout(5_000) });
  await script.ask(site, fields());
  assert.equal((await heard)[0].data, 'alive');
});

test('the chain is not asked for without end', async (context) => {
  const asked = new Map();
  const site = await serve(context, (request, response) => {
    asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
    if (request.url === '/empty') response.writeHead(200).end('no certificates');
    else response.writeHead(request.url === '/never' ? 202 : 404).end();
  });
  const pauses = [];
  let told = 0;
  const patience = {
    pause: (time) => pauses.push(time),
    waiting: () => {
      told += 1;
    },
  };
  await assert.rejects(script.awaitChain(`${site}/never`, patience), /no chain/);
  assert.equal(asked.get('/never'), 40);
  const seconds = pauses.reduce((sum, time) => sum + time, 0) / 1_000;
  assert.ok(seconds > 60 && seconds < 120, `${seconds} s`);
  assert.equal(told, 1);
  await assert.rejects(script.awaitChain(`${site}/gone`, patience), /no chain/);
  await assert.rejects(script.awaitChain(`${site}/empty`, patience), /without certificates/);
  assert.deepEqual([asked.get('/gone'), asked.get('/empty')], [1, 1]);
});
