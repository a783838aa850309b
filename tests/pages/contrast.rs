//! Every pair of colours that meets on a page, in both themes.

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("../../templates/web/static/1-tokens.css");
const SHEETS: [&str; 5] = [
    include_str!("../../templates/web/static/7-office.css"),
    include_str!("../../templates/web/static/2-base.css"),
    include_str!("../../templates/web/static/3-parts.css"),
    include_str!("../../templates/web/static/4-diagram.css"),
    include_str!("../../templates/web/static/5-pages.css"),
];

/// Text and its ground: 4.5 to 1.
const TEXTS: &[(&str, &[&str])] = &[
    ("ink", &["surface", "surface-2", "surface-3", "bg", "info-bg", "ok-bg", "warn-bg", "err-bg"]),
    ("ink-2", &["surface", "surface-2", "bg", "ok-bg", "err-bg"]),
    ("ink-3", &["surface", "surface-2", "bg"]),
    ("link", &["surface", "surface-2", "bg"]),
    ("action-ink", &["action", "action-hover"]),
    ("action", &["surface"]),
    ("brand-ink", &["brand"]),
    ("brand-ink-2", &["brand"]),
    ("ok", &["ok-bg", "surface"]),
    ("info", &["info-bg", "surface"]),
    ("work", &["work-bg", "surface"]),
    ("warn", &["warn-bg", "surface"]),
    ("err", &["err-bg", "surface", "surface-2"]),
    ("surface", &["ok-solid"]),
];
/// Controls and lines that mean something: 3 to 1.
const SHAPES: &[(&str, &[&str])] = &[
    ("control", &["surface", "surface-2", "bg"]),
    ("ok-solid", &["surface", "ok-bg"]),
    ("warn-solid", &["surface"]),
    ("err-solid", &["surface", "err-bg"]),
    ("info-solid", &["surface"]),
    ("work-solid", &["surface"]),
    ("action", &["surface", "bg"]),
    ("brand-mark-ink", &["brand-mark"]),
    ("brand-mark", &["brand"]),
    ("focus", &["focus-ring", "bg", "surface"]),
];

fn themes() -> [(&'static str, BTreeMap<&'static str, [f64; 3]>); 2] {
    let (light, dark) = TOKENS.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let mut both = colours(light);
    let first = both.clone();
    both.extend(colours(dark));
    [("light", first), ("dark", both)]
}

fn colours(text: &'static str) -> BTreeMap<&'static str, [f64; 3]> {
    let pair = |part: &'static str| {
        let (name, value) = part.trim().rsplit_once("--")?.1.split_once(": #")?;
        let channel = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok();
        Some((name, [channel(0)?, channel(2)?, channel(4)?].map(f64::from)))
    };
    text.split(';').filter_map(pair).collect()
}

/// WCAG 2.2, relative luminance and contrast ratio.
fn contrast(one: [f64; 3], two: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|channel| {
            let share = channel / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (a, b) = (luminance(one), luminance(two));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn the_measure_is_right() {
    let ratio = |one, two| (contrast(one, two) * 100.0).round() / 100.0;
    assert_eq!(ratio([0.0; 3], [255.0; 3]).to_bits(), 21.0_f64.to_bits());
    assert_eq!(ratio([119.0; 3], [255.0; 3]).to_bits(), 4.48_f64.to_bits());
}

#[test]
fn every_pair_can_be_read() {
    let mut weak = Vec::new();
    for (theme, colours) in themes() {
        let found = |name: &str| *colours.get(name).unwrap_or_else(|| panic!("no --{name}"));
        for (pairs, least) in [(TEXTS, 4.5), (SHAPES, 3.0)] {
            for (name, grounds) in pairs {
                for ground in *grounds {
                    let ratio = contrast(found(name), found(ground));
                    if ratio < least {
                        weak.push(format!("{theme}: {name} on {ground} {ratio:.2} < {least}"));
                    }
                }
            }
        }
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
}

/// Colours stand in the tokens alone, so that the test above sees all of them. Print is black on
/// white, and the header's focus ring is on a bar that is dark in both themes.
#[test]
fn no_sheet_names_a_colour_of_its_own() {
    for sheet in SHEETS {
        let screen = sheet.split("@layer print {").next().unwrap();
        for line in screen.lines().filter(|line| !line.contains(".top :focus-visible")) {
            assert!(!line.contains(": #") && !line.contains(" #"), "{line}");
        }
        for name in
            screen.split("var(--").skip(1).map(|rest| rest.split([')', ',']).next().unwrap())
        {
            let is_known = TOKENS.contains(&format!("--{name}:")) || name.starts_with("tint");
            assert!(is_known, "--{name} is not defined");
        }
    }
}
