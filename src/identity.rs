//! The bank's own identity provider, as this application asks it who somebody is: authorization code
//! flow with PKCE, state and nonce; the answer is believed only when the provider's own keys have
//! signed it, for us, just now, to this very question, after a second factor.
//!
//! What somebody may do is never taken from it: roles stand in our own ledger.

mod examination;
mod passage;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::{Entropy, Moment};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
    CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Signed,
};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, JsonWebKeySet, LanguageTag, LogoutRequest, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
};
use tokio::sync::Mutex;
use workflows::account::Answer;
use zeroize::Zeroizing;

use crate::config::{StaffIdentity, is_protected};
use crate::secret::{SecretFault, Token, private_text};
use crate::text::Language;

pub use examination::Examined;
pub use passage::{LIFE, Passage};
use wire::{Wire, WireFault};

/// Signatures by the provider's own key pairs. A shared secret proves nothing to a third party, and
/// no signature proves nothing at all.
const ALGORITHMS: [Signed; 8] = [
    Signed::RsaSsaPkcs1V15Sha256,
    Signed::RsaSsaPkcs1V15Sha384,
    Signed::RsaSsaPkcs1V15Sha512,
    Signed::RsaSsaPssSha256,
    Signed::RsaSsaPssSha384,
    Signed::RsaSsaPssSha512,
    Signed::EcdsaP256Sha256,
    Signed::EcdsaP384Sha384,
];
/// How far the provider's clock and ours may be apart where it states a time of the past.
const LEEWAY: Duration = Duration::from_mins(1);
/// Longer texts are none of a provider's: subjects have at most 255 characters.
const LONGEST: usize = 255;

/// The provider cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderFault {
    /// It does not answer, or not in time.
    #[error("the identity provider cannot be reached")]
    Unreachable {
        /// What broke.
        source: WireFault,
    },
    /// What it says of itself or answers is of no use.
    #[error("the identity provider's {what} is of no use: {reason}")]
    Unusable {
        /// What it was asked for.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The client secret cannot be read.
    #[error("the client secret cannot be read")]
    Secret {
        /// Why.
        source: SecretFault,
    },
    /// The certificates that its own must lead to cannot be read.
    #[error("certificates cannot be read from {path}: {reason}")]
    Authorities {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Somebody for whom the provider vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Whom it means.
    pub subject: String,
    /// Its authentication context class; empty when it states none.
    pub acr: String,
    /// Its authentication methods.
    pub amr: Vec<String>,
}

/// Why an answer lets nobody in.
#[derive(Debug)]
pub enum Unmet {
    /// The provider could not be asked.
    Down(ProviderFault),
    /// What is wrong with its answer, and of whom it spoke as far as that is proven.
    Wrong(Answer, Option<Vouched>),
}

/// Where the browser goes, and what it keeps until it comes back.
pub struct Departure {
    /// The provider's page.
    pub address: String,
    /// What binds the answer to this browser.
    pub passage: Passage,
}

type Known = ProviderMetadataWithLogout;
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider as it was last met.
pub struct Provider {
    settings: StaffIdentity,
    secret: Option<Zeroizing<String>>,
    wire: Wire,
    known: Mutex<Option<Arc<Known>>>,
}

fn unusable(what: &'static str) -> impl Fn(String) -> ProviderFault {
    move |reason| ProviderFault::Unusable { what, reason }
}

impl Provider {
    /// The configured provider; `None` where there is none. It is not asked anything yet.
    pub fn of(settings: &StaffIdentity) -> Result<Option<Self>, ProviderFault> {
        if !settings.is_on() {
            return Ok(None);
        }
        let secret = match settings.client_secret_file.as_path() {
            path if path == Path::new("") => None,
            path => {
                let text = private_text(path);
                let text = text.map_err(|source| ProviderFault::Secret { source })?;
                Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
            }
        };
        let wire = Wire::new(&settings.authorities, Duration::from_secs(settings.timeout_s))?;
        Ok(Some(Self { settings: settings.clone(), secret, wire, known: Mutex::default() }))
    }

    /// Its name.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// What stands on its button.
    pub fn button(&self, lang: Language) -> &str {
        match lang {
            Language::Japanese => &self.settings.button_ja,
            Language::English => &self.settings.button_en,
        }
    }

    /// Asks the provider about itself; whoever begins a sign-in learns so that it is there.
    async fn meet(&self) -> Result<Arc<Known>, ProviderFault> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| unusable("issuer")(error.to_string()))?;
        let found =
            Known::discover_async(issuer, &self.wire).await.map_err(|error| match error {
                DiscoveryError::Request(source) => ProviderFault::Unreachable { source },
                other => unusable("description")(other.to_string()),
            })?;
        let token = found.token_endpoint().map(|url| url.as_str().to_owned());
        let token = token.ok_or_else(|| unusable("description")("no token endpoint".to_owned()))?;
        for address in [found.authorization_endpoint().as_str(), &token] {
            if !is_protected(address) {
                return Err(unusable("description")(format!("{address} is not protected")));
            }
        }
        let found = Arc::new(found);
        *self.known.lock().await = Some(found.clone());
        Ok(found)
    }

    async fn known(&self) -> Result<Arc<Known>, ProviderFault> {
        let known = self.known.lock().await.clone();
        match known {
            Some(known) => Ok(known),
            None => self.meet().await,
        }
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }

    fn client(&self, known: &Known, redirect: &str) -> Result<Client, ProviderFault> {
        let secret = self.secret.as_ref().map(|secret| ClientSecret::new(secret.to_string()));
        let redirect = RedirectUrl::new(redirect.to_owned());
        let redirect = redirect.map_err(|error| unusable("way back")(error.to_string()))?;
        let ways = known.token_endpoint_auth_methods_supported();
        let offers = |way| ways.is_some_and(|ways| ways.contains(&way));
        let in_body = offers(CoreClientAuthMethod::ClientSecretPost)
            && !offers(CoreClientAuthMethod::ClientSecretBasic);
        let client = CoreClient::from_provider_metadata(known.clone(), self.client_id(), secret)
            .set_redirect_uri(redirect);
        Ok(if in_body { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    /// Where somebody signs in who will come back to `redirect` and then to the page `back`.
    pub async fn begin(
        &self,
        redirect: &str,
        back: &str,
        lang: Language,
        now: Moment,
        entropy: &Entropy,
    ) -> Result<Departure, ProviderFault> {
        let known = self.meet().await?;
        let client = self.client(&known, redirect)?;
        let random = || Token::generate(entropy).expose().to_string();
        let passage = Passage::new([random(), random(), random()], back, now);
        let verifier = PkceCodeVerifier::new(passage.verifier().to_owned());
        let (state, nonce) = (passage.state().to_owned(), passage.nonce().to_owned());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .add_ui_locale(LanguageTag::new(lang.code().to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for acr in &self.settings.required_acr {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        if let Some(most) = self.max_age() {
            request = request.set_max_age(most);
        }
        let (address, ..) = request.url();
        Ok(Departure { address: address.into(), passage })
    }

    fn max_age(&self) -> Option<Duration> {
        let minutes = self.settings.max_age_minutes;
        (minutes > 0).then(|| Duration::from_mins(u64::from(minutes)))
    }

    /// Judges what the browser has brought back.
    pub async fn finish(
        &self,
        redirect: &str,
        passage: &Passage,
        code: &str,
        now: Moment,
    ) -> Result<Vouched, Unmet> {
        let known = self.known().await.map_err(Unmet::Down)?;
        let token = self.exchange(&known, redirect, passage, code).await?;
        let nonce = Nonce::new(passage.nonce().to_owned());
        let claims = match self.believe(&token, known.jwks(), &nonce, now) {
            // Providers change their keys; only they themselves can say by which ones.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                | SignatureVerificationError::CryptoError(_)
                | SignatureVerificationError::AmbiguousKeyId(_),
            )) => {
                let keys = self.fresh_keys(&known).await.map_err(Unmet::Down)?;
                self.believe(&token, &keys, &nonce, now)
            }
            other => other,
        };
        let claims = claims.map_err(|error| Unmet::Wrong(meaning(&error), None))?;
        self.vouched(claims, now)
    }

    /// Code against token, directly with the provider.
    async fn exchange(
        &self,
        known: &Known,
        redirect: &str,
        passage: &Passage,
        code: &str,
    ) -> Result<CoreIdToken, Unmet> {
        let client = self.client(known, redirect).map_err(Unmet::Down)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| Unmet::Down(unusable("description")(error.to_string())))?
            .set_pkce_verifier(PkceCodeVerifier::new(passage.verifier().to_owned()));
        let answer = request.request_async(&self.wire).await.map_err(|error| match error {
            RequestTokenError::Request(source) => {
                Unmet::Down(ProviderFault::Unreachable { source })
            }
            RequestTokenError::ServerResponse(said) => match said.error() {
                // It is us whom it does not know.
                CoreErrorResponseType::InvalidClient
                | CoreErrorResponseType::UnauthorizedClient => {
                    let reason = "it does not accept this application's client secret";
                    Unmet::Down(unusable("answer")(reason.to_owned()))
                }
                _ => Unmet::Wrong(Answer::Denied, None),
            },
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Unmet::Wrong(Answer::Forged, None)
            }
        })?;
        answer.id_token().cloned().ok_or(Unmet::Wrong(Answer::Forged, None))
    }

    async fn fresh_keys(&self, known: &Known) -> Result<CoreJsonWebKeySet, ProviderFault> {
        let fetched = JsonWebKeySet::fetch_async(known.jwks_uri(), &self.wire).await;
        let keys = fetched.map_err(|error| match error {
            DiscoveryError::Request(source) => ProviderFault::Unreachable { source },
            other => unusable("keys")(other.to_string()),
        })?;
        *self.known.lock().await = Some(Arc::new(known.clone().set_jwks(keys.clone())));
        Ok(keys)
    }

    /// Issuer, audience, signature, expiry and nonce.
    fn believe<'a>(
        &self,
        token: &'a CoreIdToken,
        keys: &CoreJsonWebKeySet,
        nonce: &Nonce,
        now: Moment,
    ) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())
            .map_err(|error| ClaimsVerificationError::InvalidIssuer(error.to_string()))?;
        let at = DateTime::from_timestamp(now.seconds(), 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.client_id(), issuer, keys.clone())
                .set_allowed_algs(ALGORITHMS)
                .set_time_fn(move || at);
        token.claims(&verifier, nonce)
    }

    /// What is demanded beyond the standard's own checks.
    fn vouched(&self, claims: &CoreIdTokenClaims, now: Moment) -> Result<Vouched, Unmet> {
        let own = &self.settings.client_id;
        if claims.authorized_party().is_some_and(|party| party.as_str() != own) {
            return Err(Unmet::Wrong(Answer::ForeignAudience, None));
        }
        let acr = claims.auth_context_ref().map(|acr| acr.to_string()).unwrap_or_default();
        let amr = claims.auth_method_refs().into_iter().flatten();
        let amr: Vec<String> = amr.map(|method| method.to_string()).collect();
        let vouched = Vouched { subject: claims.subject().to_string(), acr, amr };
        if vouched.subject.is_empty() || vouched.subject.len() > LONGEST {
            return Err(Unmet::Wrong(Answer::Forged, None));
        }
        let settings = &self.settings;
        let has_class =
            settings.required_acr.is_empty() || settings.required_acr.contains(&vouched.acr);
        let has_method = settings.required_amr.is_empty()
            || settings.required_amr.iter().any(|method| vouched.amr.contains(method));
        if !has_class || !has_method {
            return Err(Unmet::Wrong(Answer::OneFactor, Some(vouched)));
        }
        let shown = claims.auth_time().map(|at| Moment::from_seconds(at.timestamp()));
        match (self.max_age(), shown) {
            (None, _) => Ok(vouched),
            (Some(most), Some(at)) if now.since(at) <= most + LEEWAY => Ok(vouched),
            _ => Err(Unmet::Wrong(Answer::Stale, Some(vouched))),
        }
    }

    /// Where somebody signs out at the provider too, to come back to `after`; `None` while it was not
    /// met, or offers no such page.
    pub async fn leaving(&self, after: &str) -> Option<String> {
        let known = self.known.lock().await.clone()?;
        let page = known.additional_metadata().end_session_endpoint.clone()?;
        if !is_protected(page.as_str()) {
            return None;
        }
        let after = PostLogoutRedirectUrl::new(after.to_owned()).ok()?;
        // Without the token itself: nothing secret stands in an address. The provider asks back.
        let request = LogoutRequest::from(page)
            .set_client_id(self.client_id())
            .set_post_logout_redirect_uri(after);
        Some(request.http_get_url().into())
    }
}

/// What an error of verification means to us.
fn meaning(error: &ClaimsVerificationError) -> Answer {
    match error {
        ClaimsVerificationError::Expired(_) => Answer::Expired,
        ClaimsVerificationError::InvalidAudience(_) => Answer::ForeignAudience,
        ClaimsVerificationError::InvalidIssuer(_) => Answer::ForeignIssuer,
        ClaimsVerificationError::InvalidNonce(_) => Answer::Mismatched,
        _ => Answer::Forged,
    }
}
