//! An identity provider small enough to lie: its own keys, and answers as a test wants them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// As whom it knows us.
pub(crate) const CLIENT: &str = "saihakko";
/// What we prove that with.
pub(crate) const SECRET: &str = "a-secret-of-two-parties";

/// A key with its name.
pub(crate) struct Key {
    pub(crate) name: String,
    pair: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ES256, document.as_ref(), &random).unwrap();
        Self { name: name.to_owned(), pair }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.name,
            "x": part(&point[1..33]), "y": part(&point[33..65]),
        })
    }

    /// A token as a provider signs it.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let head = json!({ "alg": "ES256", "typ": "JWT", "kid": self.name });
        let text = unsigned(&head, claims);
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}

/// Head and claims, without a signature.
pub(crate) fn unsigned(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", part(head), part(claims))
}

/// What it has been told.
pub(crate) struct Script {
    /// The keys that it publishes.
    pub(crate) keys: Vec<Key>,
    /// The token that a code is answered with.
    pub(crate) tokens: BTreeMap<String, String>,
    /// The challenge of a code; the verifier must belong to it.
    pub(crate) challenges: BTreeMap<String, String>,
    /// It breaks.
    pub(crate) is_broken: bool,
    issuer: String,
}

/// The running provider; it ends with the test.
pub(crate) struct Idp {
    pub(crate) issuer: String,
    script: Arc<Mutex<Script>>,
    task: tokio::task::JoinHandle<()>,
}

type Shared = Arc<Mutex<Script>>;

impl Idp {
    pub(crate) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let listener = listener.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script {
            keys: vec![Key::new("first")],
            tokens: BTreeMap::new(),
            challenges: BTreeMap::new(),
            is_broken: false,
            issuer: issuer.clone(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(script.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, script, task }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Nobody listens there any more.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn description(State(shared): State<Shared>) -> Response {
    let script = shared.lock().unwrap();
    if script.is_broken {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let issuer = &script.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "end_session_endpoint": format!("{issuer}/leave"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

async fn keys(State(shared): State<Shared>) -> Response {
    let script = shared.lock().unwrap();
    let keys: Vec<Value> = script.keys.iter().map(Key::public).collect();
    Json(json!({ "keys": keys })).into_response()
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let mut script = shared.lock().unwrap();
    if script.is_broken {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let asked = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let refuse =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let expected = format!("Basic {}", BASE64.encode(format!("{CLIENT}:{SECRET}").as_bytes()));
    if headers.get("authorization").is_none_or(|value| value != expected.as_str()) {
        return refuse("invalid_client");
    }
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(asked("code_verifier")));
    let is_bound = script.challenges.get(asked("code")).is_some_and(|one| *one == challenge);
    let is_code = asked("grant_type") == "authorization_code";
    // A code counts once.
    let token = script.tokens.remove(asked("code")).filter(|_| is_bound && is_code);
    let Some(token) = token else { return refuse("invalid_grant") };
    Json(json!({ "access_token": "of no use", "token_type": "Bearer", "id_token": token }))
        .into_response()
}
