//! A form's fields beside the ledger: what was read, how surely, and where the two differ, character
//! by character.

use forms::{BoxMm, FormData, PageLayout, Variant, Version, layout};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use crate::intake::Contents;
use crate::reader::{Digits, PageRead};
use crate::store::contracts::Contract;
use crate::store::users::User;

/// How a field stands to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// As the ledger has it.
    Same,
    /// Otherwise than the ledger has it, or not certain.
    Differs,
    /// Written by hand: a person compares picture and ledger.
    Look,
}

/// A part of a text, and whether the other text lacks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The characters.
    pub text: String,
    /// Only here.
    pub differs: bool,
}

/// One field of the form.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// Its name, under which its texts stand.
    pub key: &'static str,
    /// On which page of the form, from 1.
    pub page: u8,
    /// Where on that page, in millimetres.
    pub area: [f32; 4],
    /// What the form says; empty where only a person can read it.
    pub read: String,
    /// How sure the reading is, in percent of its least sure digit.
    pub sure: Option<u8>,
    /// What the ledger says.
    pub ledger: String,
    /// How the two stand to each other.
    pub found: Match,
    /// A person has to type what the machine could not read.
    pub asks: bool,
    /// We printed it ourselves: what was written over it is for people's eyes.
    pub printed: bool,
    /// What the form says, by pieces.
    pub read_pieces: Vec<Piece>,
    /// What the ledger says, by pieces.
    pub ledger_pieces: Vec<Piece>,
}

/// What the fields are made from.
pub struct Sources<'a> {
    /// Which form.
    pub variant: Variant,
    /// The user's row on it, from 1.
    pub row: u8,
    /// The pages that belong to the form: its number, and what was read.
    pub pages: &'a [(u8, &'a PageRead)],
    /// What was printed into it.
    pub printed: Option<&'a FormData>,
    /// What the pages say together.
    pub contents: &'a Contents,
    /// The ledger's contract.
    pub contract: &'a Contract,
    /// Its registered address.
    pub address: &'a str,
    /// The ledger's user.
    pub user: &'a User,
}

impl Sources<'_> {
    /// Every field that is compared with the ledger, in the order of the form.
    pub fn fields(&self) -> Vec<Field> {
        let (contract, user) = (self.contract, self.user);
        let printed = self.printed;
        let row = printed.and_then(|form| form.users.get(usize::from(self.row).checked_sub(1)?));
        let of_form = |take: fn(&FormData) -> &String| printed.map(take);
        let representative = printed
            .map(|form| format!("{} {}", form.representative_title, form.representative_name));
        let u = |name: &str| format!("u{}_{name}", self.row);
        let all = [
            self.digits(
                "contract_number",
                "contract_number",
                of_form(|f| &f.contract_number),
                &contract.number,
            ),
            self.written(
                "company_name",
                &["company_name"],
                of_form(|f| &f.company_name),
                &contract.company,
            ),
            self.written(
                "address",
                &["registered_address"],
                of_form(|f| &f.registered_address),
                self.address,
            ),
            self.written(
                "representative",
                &["representative_title", "representative_name"],
                representative.as_ref(),
                &contract.representative,
            ),
            self.digits(
                "branch_number",
                "branch_number",
                of_form(|f| &f.branch_number),
                &contract.branch,
            ),
            self.digits(
                "account_number",
                "account_number",
                of_form(|f| &f.account_number),
                &contract.account_number,
            ),
            self.digits("user_id", &u("user_id"), row.map(|row| &row.user_id), &user.user_id),
            self.written("name", &[&u("name")], row.map(|row| &row.name), &user.name),
            self.written(
                "department",
                &[&u("department")],
                row.map(|row| &row.department),
                &user.department,
            ),
        ];
        all.into_iter().flatten().collect()
    }

    /// Where boxes of the form lie together: the page and the rectangle around them.
    pub fn area(&self, names: &[&str]) -> Option<(u8, [f32; 4])> {
        let layout = layout(Version::default(), self.variant);
        let page =
            layout.pages.iter().find(|page| names.iter().all(|n| find(page, n).is_some()))?;
        let boxes: Vec<BoxMm> = names.iter().filter_map(|name| find(page, name)).collect();
        let whole = boxes.into_iter().reduce(BoxMm::with)?;
        let BoxMm { x, y, w, h } = whole.grown(0.8);
        Some((page.page, [x, y, w, h]))
    }

    fn read_of(&self, page: u8) -> Option<&PageRead> {
        self.pages.iter().find(|(no, _)| *no == page).map(|(_, read)| *read)
    }

    /// A row of digits: what was printed is its value where the reading does not contradict it.
    fn digits(
        &self,
        key: &'static str,
        name: &str,
        printed: Option<&String>,
        ledger: &str,
    ) -> Option<Field> {
        let (page, area) = self.area(&[name])?;
        let digits = self.read_of(page).and_then(|page| page.digits.get(name));
        let reading = digits.map(|digits| digits.v.trim().to_owned()).unwrap_or_default();
        let least = digits.map(|digits| digits.conf.iter().copied().fold(1.0, f32::min));
        let printed = printed.filter(|text| !text.is_empty());
        let is_doubted = self.contents.doubts.contains(name);
        let read = match printed {
            Some(text) if !is_doubted => text.clone(),
            _ => reading.clone(),
        };
        let is_crossed_out = printed.is_some() && digits.is_some_and(is_crossed_out);
        let mut field = compared(key, page, area, read, ledger);
        field.sure = least.map(percent);
        field.printed = printed.is_some();
        field.asks = field.read.contains('?') || field.read.is_empty() || is_crossed_out;
        if is_crossed_out {
            field.found = Match::Differs;
            field.read = reading;
        }
        Some(field)
    }

    /// A line of writing: known where we printed it ourselves, else for people's eyes.
    fn written(
        &self,
        key: &'static str,
        names: &[&str],
        printed: Option<&String>,
        ledger: &str,
    ) -> Option<Field> {
        let (page, area) = self.area(names)?;
        // What neither the ledger nor our own print fills in is not asked of anybody's eyes.
        let is_void = ledger.trim().is_empty();
        let printed = printed.filter(|text| is_void || !text.trim().is_empty());
        Some(match printed {
            Some(text) => {
                Field { printed: true, ..compared(key, page, area, text.trim().to_owned(), ledger) }
            }
            None => Field {
                found: Match::Look,
                read_pieces: Vec::new(),
                ledger_pieces: vec![Piece { text: ledger.to_owned(), differs: false }],
                ..compared(key, page, area, String::new(), ledger)
            },
        })
    }
}

/// Digits of which less is certain stand under something else.
const LEGIBLE: f32 = 0.25;

/// What was printed cannot be read any more, or hardly: somebody wrote over it.
pub fn is_crossed_out(digits: &Digits) -> bool {
    let gaps = digits.v.chars().filter(|letter| *letter == '?').count();
    let least = digits.conf.iter().copied().fold(1.0, f32::min);
    gaps > 0 && (gaps * 3 > digits.v.chars().count() || least < LEGIBLE)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn percent(sure: f32) -> u8 {
    (sure.clamp(0.0, 1.0) * 100.0).round() as u8
}

fn find(page: &PageLayout, name: &str) -> Option<BoxMm> {
    let boxes = page.checkboxes.iter().chain(&page.seals).chain(&page.texts);
    let found = boxes.filter(|field| field.id == name).map(|field| field.area).next();
    found.or_else(|| page.digits.iter().find(|field| field.id == name).map(forms::DigitField::area))
}

fn compared(key: &'static str, page: u8, area: [f32; 4], read: String, ledger: &str) -> Field {
    let (read_pieces, ledger_pieces) = differences(&read, ledger);
    let is_same = plain(&read) == plain(ledger);
    Field {
        key,
        page,
        area,
        sure: None,
        ledger: ledger.to_owned(),
        found: if is_same { Match::Same } else { Match::Differs },
        asks: false,
        printed: false,
        read_pieces,
        ledger_pieces,
        read,
    }
}

/// Width and spaces tell no names apart.
fn plain(text: &str) -> String {
    text.nfkc().filter(|letter| !letter.is_whitespace()).collect()
}

/// Both texts in pieces: what stands in both, in order, and what only one has.
pub fn differences(one: &str, other: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let common = common(&a, &b);
    let pieces = |letters: &[char], kept: &dyn Fn(usize) -> bool| {
        let mut pieces: Vec<Piece> = Vec::new();
        for (at, letter) in letters.iter().enumerate() {
            let differs = !kept(at) && !letter.is_whitespace();
            match pieces.last_mut() {
                Some(last) if last.differs == differs => last.text.push(*letter),
                _ => pieces.push(Piece { text: letter.to_string(), differs }),
            }
        }
        pieces
    };
    (
        pieces(&a, &|at| common.iter().any(|(i, _)| *i == at)),
        pieces(&b, &|at| common.iter().any(|(_, j)| *j == at)),
    )
}

/// The places of a longest common subsequence. Fields are short, so a table costs nothing.
fn common(a: &[char], b: &[char]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut table = vec![0_u16; (a.len() + 1) * width];
    let at = |table: &[u16], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = if x == y {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut places) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            places.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&table, i + 1, j) >= at(&table, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(pieces: &[Piece]) -> String {
        let piece = |p: &Piece| if p.differs { format!("[{}]", p.text) } else { p.text.clone() };
        pieces.iter().map(piece).collect()
    }

    #[test]
    fn what_differs_is_marked_by_character() {
        let both = |one, other| {
            let (a, b) = differences(one, other);
            (marked(&a), marked(&b))
        };
        assert_eq!(both("山田 太朗", "山田 太郎"), ("山田 太[朗]".into(), "山田 太[郎]".into()));
        assert_eq!(both("010429003", "010429003"), ("010429003".into(), "010429003".into()));
        assert_eq!(
            both("青葉製作所", "株式会社 青葉製作所"),
            ("青葉製作所".into(), "[株式会社] 青葉製作所".into())
        );
        assert_eq!(both("", "a"), (String::new(), "[a]".into()));
    }

    #[test]
    fn print_that_somebody_wrote_over_is_told_from_a_smudge() {
        let crossed = |v: &str, conf: &[f32]| {
            is_crossed_out(&Digits { v: v.to_owned(), conf: conf.to_vec(), ..Digits::default() })
        };
        assert!(crossed("0?0?21?3", &[1.0; 8]), "a third and more is gone");
        assert!(crossed("01042123?5", &[0.05]), "one, and hardly anything of it");
        assert!(!crossed("01042123?5", &[0.8]), "a smudge is proof enough against what we printed");
        assert!(!crossed("0104212345", &[0.1]) && !crossed("", &[]));
    }

    #[test]
    fn width_and_spaces_are_no_difference() {
        let field = compared("name", 1, [0.0; 4], "ｴﾐﾘｰ　１".to_owned(), "エミリー 1");
        assert_eq!(field.found, Match::Same);
    }
}
