// The bank's identity provider: the certified package `oidc-provider`, on this machine, with people
// who say at its door who they are and with how many factors.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';

import Provider from 'oidc-provider';

const CLIENT = 'saihakko';

/** A key as the provider keeps it. */
function key(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

/** The form of the provider's own page. */
const page = (uid) => `<!doctype html><html lang="en"><head><title>Bank ID</title></head><body><h1>Bank ID</h1>
<form method="post" action="/interaction/${uid}"><label>Identifier <input name="subject"></label>
<label>Factors <select name="amr"><option>pwd otp mfa</option><option>pwd</option></select></label>
<button name="do" value="enter">Enter</button><button name="do" value="refuse">Refuse</button></form></body></html>`;

async function formOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

export class Idp {
  /** Listens, and answers nothing of use before it is opened. */
  static async of(test) {
    const idp = new Idp();
    idp.secret = randomBytes(24).toString('base64url');
    idp.cookies = [randomBytes(24).toString('base64url')];
    idp.keys = 0;
    idp.server = createServer((request, response) => idp.#answer(request, response));
    idp.server.listen(0, '127.0.0.1');
    await once(idp.server, 'listening');
    idp.issuer = `http://127.0.0.1:${idp.server.address().port}`;
    test.after(() => {
      idp.server.closeAllConnections();
      idp.server.close();
    });
    return idp;
  }

  /** What a world is configured with. */
  settings(secretFile) {
    return {
      'staff_identity.issuer': this.issuer,
      'staff_identity.client_id': CLIENT,
      'staff_identity.client_secret_file': secretFile,
    };
  }

  /** Serves the world's staff, with a key that nobody has seen yet. */
  open(world) {
    this.staff = world.staff;
    this.rotate();
  }

  /** Another key from now on; whoever is on the way stays so. */
  rotate() {
    this.keys += 1;
    this.provider = new Provider(this.issuer, {
      clients: [{
        client_id: CLIENT,
        client_secret: this.secret,
        redirect_uris: [`${this.staff}/sign-in/provider/back`],
        post_logout_redirect_uris: [`${this.staff}/sign-in`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        require_auth_time: true,
      }],
      jwks: { keys: [key(`key-${this.keys}`)] },
      cookies: { keys: this.cookies },
      claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
      scopes: ['openid'],
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      // What may be told about somebody is not asked of them.
      loadExistingGrant: async ({ oidc }) => {
        const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
    });
    this.answers = this.provider.callback();
  }

  /** Nobody is there any more. */
  close() {
    this.answers = undefined;
  }

  async #answer(request, response) {
    if (!this.answers) {
      response.writeHead(503).end();
      return;
    }
    const uid = /^\/interaction\/([\w-]+)$/.exec(request.url)?.[1];
    if (!uid) {
      await this.answers(request, response);
    } else if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(uid));
    } else {
      const form = await formOf(request);
      const result = form.get('do') === 'refuse'
        ? { error: 'access_denied' }
        : { login: { accountId: form.get('subject'), amr: form.get('amr').split(' '), remember: false } };
      await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    }
  }
}
