//! What the browser fetches beside a page, under names that change with the content.
//!
//! Packed once at the start for browsers that accept that. Pages are not packed: they hold secrets
//! beside what a visitor has typed, and the size of the two together would tell. A long page that
//! nothing was typed into may be ([`packed_page`]).

use std::collections::BTreeMap;
use std::io::Write;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::embedded::{SCRIPTS, STYLES};

/// Everything that is fetched.
pub(super) struct Assets {
    pub(super) style: Asset,
    pub(super) icons: Asset,
    /// The sign in the browser's tab.
    pub(super) mark: Asset,
    /// By the stem of their file names.
    pub(super) scripts: BTreeMap<&'static str, Asset>,
}

/// One file.
pub(super) struct Asset {
    name: String,
    kind: &'static str,
    plain: Vec<u8>,
    packed: Option<Vec<u8>>,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: String) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let hash = engine::history::hex(digest.get(..8).unwrap_or_default());
        let plain = text.into_bytes();
        let packed = packed(&plain, Compression::best());
        Self { name: format!("{stem}.{hash}.{ending}"), kind, plain, packed }
    }

    /// Where it is fetched.
    pub(super) fn address(&self) -> String {
        format!("/static/{}", self.name)
    }

    /// As this browser accepts it.
    pub(super) fn response(&self, asked: &HeaderMap) -> Response {
        let packed = self.packed.as_ref().filter(|_| accepts_gzip(asked));
        let mut response = packed.unwrap_or(&self.plain).clone().into_response();
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, self.kind);
        set(header::CACHE_CONTROL, "public, max-age=31536000, immutable");
        set(header::VARY, "Accept-Encoding");
        if packed.is_some() {
            set(header::CONTENT_ENCODING, "gzip");
        }
        response
    }
}

/// A page as this browser accepts it. Only for pages that show nothing of what was asked or typed:
/// else the size would tell what stands beside it.
pub(super) async fn packed_page(page: Response, asked: &HeaderMap) -> Response {
    if !accepts_gzip(asked) {
        return page;
    }
    let (mut parts, body) = page.into_parts();
    let Ok(plain) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(packed) = packed(&plain, Compression::fast()) else {
        return Response::from_parts(parts, Body::from(plain));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let vary = HeaderValue::from_static("Accept, Accept-Encoding, Accept-Language, Cookie");
    parts.headers.insert(header::VARY, vary);
    Response::from_parts(parts, Body::from(packed))
}

/// `None` when packing gains nothing.
fn packed(plain: &[u8], how: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), how);
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < plain.len())
}

/// A weight of 0 means "rather not", written in whatever way.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    let mut codings = texts.flat_map(|text| text.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

impl Assets {
    /// Puts the embedded files together.
    pub(super) fn gather() -> Self {
        let mut style = String::new();
        for (_, text) in STYLES {
            style.push_str(text);
        }
        let mut scripts = BTreeMap::new();
        for (file, text) in SCRIPTS {
            let stem = file.trim_end_matches(".js");
            let kind = "text/javascript; charset=utf-8";
            scripts.insert(stem, Asset::new(stem, "js", kind, (*text).to_owned()));
        }
        Self {
            style: Asset::new("app", "css", "text/css; charset=utf-8", style),
            icons: Asset::new("icons", "svg", "image/svg+xml", super::face::sprite()),
            mark: Asset::new("mark", "svg", "image/svg+xml", super::face::mark()),
            scripts,
        }
    }

    /// The file of that name.
    pub(super) fn find(&self, name: &str) -> Option<&Asset> {
        let others = [&self.style, &self.icons, &self.mark];
        self.scripts.values().chain(others).find(|asset| asset.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn accepts(text: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
        accepts_gzip(&headers)
    }

    #[test]
    fn a_browser_gets_what_it_accepts() {
        for text in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.8"] {
            assert!(accepts(text), "{text}");
        }
        for text in ["", "identity", "gzip;q=0", "gzip; q=0.000", "xgzip"] {
            assert!(!accepts(text), "{text}");
        }
    }

    /// Packed for whoever accepts it, and the same page for everybody.
    #[tokio::test]
    async fn a_packed_page_is_the_plain_one() {
        let text = "<p>見本</p>".repeat(500);
        let page = || axum::response::Html(text.clone()).into_response();
        let body = |page: Response| axum::body::to_bytes(page.into_body(), usize::MAX);
        let mut asked = HeaderMap::new();
        let plain = packed_page(page(), &asked).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        assert!(body(plain).await.unwrap() == text.as_bytes());
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
        let packed = packed_page(page(), &asked).await;
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let packed = body(packed).await.unwrap();
        assert!(packed.len() < text.len() / 10);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == text.as_bytes());
    }

    #[test]
    fn the_packed_file_is_the_plain_one() {
        let assets = Assets::gather();
        for asset in assets.scripts.values().chain([&assets.style, &assets.icons]) {
            let packed = asset.packed.as_ref().unwrap();
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
            assert!(plain == asset.plain, "{}", asset.name);
        }
    }
}
