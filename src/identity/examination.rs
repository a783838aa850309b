//! Whether the provider can be used as it is configured, before anybody stands at the door.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::header;
use chrono::DateTime;
use openidconnect::HttpRequest;

use super::{Provider, ProviderFault, unusable};

/// Clocks further apart than this make fresh tokens look old.
const MOST_APART: u64 = 60;

/// What was found.
pub struct Examined {
    /// Seconds between its clock and ours; `None` when it tells no time.
    pub apart: Option<u64>,
    /// What it says that it does not offer, and the configuration demands.
    pub missing: Vec<String>,
    /// It offers a page on which one signs out there too.
    pub signs_out: bool,
}

impl Examined {
    /// Nothing speaks against it.
    pub fn is_well(&self) -> bool {
        self.missing.is_empty() && self.apart.is_none_or(|apart| apart <= MOST_APART)
    }
}

impl Provider {
    /// Asks the provider about itself, and compares that with what is demanded of it.
    pub async fn examine(&self) -> Result<Examined, ProviderFault> {
        let known = self.meet().await?;
        let address =
            format!("{}/.well-known/openid-configuration", self.issuer().trim_end_matches('/'));
        let request = HttpRequest::new(Vec::new());
        let (mut parts, body) = request.into_parts();
        parts.uri = address.parse().map_err(|_| unusable("issuer")("no address".to_owned()))?;
        let answer = self.wire.send(HttpRequest::from_parts(parts, body)).await;
        let answer = answer.map_err(|source| ProviderFault::Unreachable { source })?;
        let said: serde_json::Value = serde_json::from_slice(answer.body())
            .map_err(|error| unusable("description")(error.to_string()))?;
        let told = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let told = told.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        Ok(Examined {
            apart: told.map(|date| apart(date.timestamp())),
            missing: self.missing(&said),
            signs_out: known.additional_metadata().end_session_endpoint.is_some(),
        })
    }

    /// A list that is not told says nothing.
    fn missing(&self, said: &serde_json::Value) -> Vec<String> {
        let lacks = |list: &str, wanted: &str| {
            let told = said.get(list).and_then(serde_json::Value::as_array);
            told.is_some_and(|told| !told.iter().any(|one| one.as_str() == Some(wanted)))
        };
        let mut missing = Vec::new();
        if lacks("code_challenge_methods_supported", "S256") {
            missing.push("PKCE by S256".to_owned());
        }
        if lacks("response_types_supported", "code") {
            missing.push("the authorization code flow".to_owned());
        }
        for scope in self.settings.scopes.iter().filter(|one| lacks("scopes_supported", one)) {
            missing.push(format!("scope {scope}"));
        }
        let classes = &self.settings.required_acr;
        if !classes.is_empty() && classes.iter().all(|one| lacks("acr_values_supported", one)) {
            missing.push(format!("acr {}", classes.join(", ")));
        }
        missing
    }
}

fn apart(told: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(now).unwrap_or(i64::MAX).abs_diff(told)
}
