//! The bank's own identity provider, where staff sign in.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigFault, senseless};

/// Sign-in of staff at the bank's own identity provider (`OpenID` Connect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StaffIdentity {
    /// The provider's issuer address, exactly as it names itself, such as
    /// `https://id.bank.example/staff`; plain HTTP on loopback only. Empty for no provider.
    pub issuer: String,
    /// As whom the provider knows this application.
    pub client_id: String,
    /// The file, readable by its owner only, whose first line is the client secret; empty for a
    /// client without one.
    pub client_secret_file: PathBuf,
    /// The scopes that are asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Authentication context classes (`acr`) of which the provider must state one; they are asked
    /// for in this order. Empty for any.
    pub required_acr: Vec<String>,
    /// Authentication methods (`amr`) of which the provider must state one, as `mfa`, `otp` or
    /// `hwk`. Empty for any; this or `required_acr` must demand a second factor.
    pub required_amr: Vec<String>,
    /// Minutes after which a sign-in at the provider counts no longer, and has to be made anew; 0
    /// leaves that to the provider.
    pub max_age_minutes: u32,
    /// What stands on the button, in Japanese.
    pub button_ja: String,
    /// What stands on the button, in English.
    pub button_en: String,
    /// Whether staff may sign in with a password and card of this application besides.
    pub local_sign_in: bool,
    /// The address to which the provider sends people back, as it is registered there; empty for
    /// `/sign-in/provider/back` on the staff's site as this node is reached.
    pub redirect_address: String,
    /// A file with the certificates in PEM that the provider's certificate must lead to; empty for
    /// those that the system trusts.
    pub authorities: PathBuf,
    /// Seconds after which the provider counts as not reachable.
    pub timeout_s: u64,
}

impl Default for StaffIdentity {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret_file: PathBuf::new(),
            scopes: Vec::new(),
            required_acr: Vec::new(),
            required_amr: vec!["mfa".to_owned()],
            max_age_minutes: 480,
            button_ja: "行内IDでログインする".to_owned(),
            button_en: "Sign in with the bank's ID".to_owned(),
            local_sign_in: true,
            redirect_address: String::new(),
            authorities: PathBuf::new(),
            timeout_s: 10,
        }
    }
}

impl StaffIdentity {
    /// Whether there is a provider.
    pub const fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        let redirect = &self.redirect_address;
        let is_ours =
            redirect.starts_with("https://") && redirect.ends_with("/sign-in/provider/back");
        if !redirect.is_empty() && !is_ours {
            let problem = "must begin with https:// and end with /sign-in/provider/back";
            return Err(senseless("staff_identity.redirect_address", problem));
        }
        if !self.is_on() {
            return if self.local_sign_in {
                Ok(())
            } else {
                let problem = "may be false only where staff_identity.issuer names a provider";
                Err(senseless("staff_identity.local_sign_in", problem))
            };
        }
        if !is_protected(&self.issuer) {
            let problem = "must begin with https://, or lie on loopback";
            return Err(senseless("staff_identity.issuer", problem));
        }
        if self.client_id.is_empty() {
            return Err(senseless("staff_identity.client_id", "goes with staff_identity.issuer"));
        }
        let is_blank = |list: &[String]| list.iter().any(|one| one.trim().is_empty());
        if is_blank(&self.required_acr) || is_blank(&self.required_amr) {
            return Err(senseless("staff_identity.required_acr", "may not hold empty names"));
        }
        if self.required_acr.is_empty() && self.required_amr.is_empty() {
            let problem = "or staff_identity.required_amr must demand a second factor";
            return Err(senseless("staff_identity.required_acr", problem));
        }
        if self.button_ja.trim().is_empty() || self.button_en.trim().is_empty() {
            return Err(senseless("staff_identity.button_ja", "and button_en may not be empty"));
        }
        if self.timeout_s == 0 {
            return Err(senseless("staff_identity.timeout_s", "must be at least 1"));
        }
        Ok(())
    }
}

/// Nobody on the way reads what goes to such an address: it is protected by TLS, or goes no way.
pub(crate) fn is_protected(address: &str) -> bool {
    let Ok(uri) = address.parse::<axum::http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_here,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> StaffIdentity {
        StaffIdentity {
            issuer: "https://id.bank.example".to_owned(),
            client_id: "saihakko".to_owned(),
            ..StaffIdentity::default()
        }
    }

    fn problem(change: impl FnOnce(&mut StaffIdentity)) -> String {
        let mut one = sound();
        change(&mut one);
        one.check().expect_err("accepted").to_string()
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://a.example/x",
            "http://127.0.0.1:80",
            "http://[::1]:80",
            "http://id.localhost:1",
        ] {
            assert!(is_protected(good), "{good}");
        }
        for bad in
            ["http://a.example", "http://localhost.example", "ftp://127.0.0.1", "x", "https://"]
        {
            assert!(!is_protected(bad), "{bad}");
        }
        assert!(problem(|one| "http://a.example".clone_into(&mut one.issuer)).contains("issuer"));
    }

    #[test]
    fn a_second_factor_is_demanded_and_somebody_can_sign_in() {
        assert!(sound().check().is_ok() && StaffIdentity::default().check().is_ok());
        let said = problem(|one| one.required_amr.clear());
        assert!(said.contains("second factor"), "{said}");
        let said = problem(|one| {
            one.issuer.clear();
            one.local_sign_in = false;
        });
        assert!(said.contains("local_sign_in"), "{said}");
        assert!(problem(|one| one.client_id.clear()).contains("client_id"));
        let said = problem(|one| "http://a.example".clone_into(&mut one.redirect_address));
        assert!(said.contains("redirect_address"), "{said}");
        assert!(problem(|one| one.timeout_s = 0).contains("timeout_s"));
    }
}
