//! Version 1 of the layout. Released: never edit a number here, add a version.

use super::{BoxMm, CodeBox, CodeKind, DigitField, FieldBox, Layout, PageLayout, Variant, Version};

/// One row of the table: the name of a field, what it is, and its top left corner.
#[derive(Clone, Copy)]
struct Row(&'static str, Kind, f32, f32);

#[derive(Clone, Copy)]
enum Kind {
    /// A tick box of 5 × 5 mm.
    Tick,
    /// So many cells of 7 × 9 mm.
    Digits(u8),
    /// A seal box of 40 × 40 mm.
    Seal,
    /// A line of writing of that width and height.
    Text(f32, f32),
}
use Kind::{Digits, Seal, Text, Tick};

const TICK: f32 = 5.0;
const CELL: [f32; 2] = [7.0, 9.0];
const SEAL: f32 = 40.0;

const MARKS: [[f32; 3]; 4] =
    [[12.0, 12.0, 5.0], [198.0, 12.0, 5.0], [198.0, 285.0, 5.0], [12.0, 285.0, 5.0]];

const CODES: [(&str, CodeKind, BoxMm); 2] = [
    ("qr", CodeKind::Qr, BoxMm::new(165.0, 10.0, 26.0, 26.0)),
    ("datamatrix", CodeKind::DataMatrix, BoxMm::new(16.0, 253.0, 16.0, 16.0)),
];

const FIRST_PAGE: &[Row] = &[
    Row("date_year", Digits(2), 94.0, 33.0),
    Row("date_month", Digits(2), 116.0, 33.0),
    Row("date_day", Digits(2), 138.0, 33.0),
    Row("registered_address", Text(112.0, 12.0), 38.0, 50.5),
    Row("company_kana", Text(112.0, 12.0), 38.0, 62.5),
    Row("company_name", Text(112.0, 12.0), 38.0, 74.5),
    Row("representative_title", Text(41.0, 12.0), 38.0, 86.5),
    Row("representative_name", Text(57.0, 12.0), 93.0, 86.5),
    Row("registered_seal", Seal, 154.0, 56.5),
    Row("contract_number", Digits(10), 40.0, 107.5),
    Row("branch_number", Digits(3), 126.0, 107.5),
    Row("account_type_ordinary", Tick, 161.5, 109.5),
    Row("account_type_current", Tick, 178.5, 109.5),
    Row("account_number", Digits(7), 40.0, 120.5),
    Row("contact_name", Text(81.0, 13.0), 115.0, 118.5),
    Row("phone", Digits(11), 40.0, 133.5),
    Row("no_authority_online", Tick, 122.0, 135.5),
];

const SECOND_PAGE: &[Row] = &[
    Row("contract_number", Digits(10), 40.0, 52.5),
    Row("company_name", Text(68.0, 13.0), 128.0, 50.5),
];

/// Relative to the top of the user's row; names get the prefix `u1_` to `u5_`.
const USER: &[Row] = &[
    Row("user_id", Digits(9), 44.0, 2.0),
    Row("department", Text(71.0, 13.0), 125.0, 0.0),
    Row("kana", Text(67.0, 10.0), 42.0, 13.0),
    Row("name", Text(71.0, 10.0), 125.0, 13.0),
    Row("retrieval_reissue", Tick, 45.0, 29.0),
    Row("retrieval_unlock", Tick, 63.0, 29.0),
    Row("login_reset", Tick, 88.0, 29.0),
    Row("login_unlock", Tick, 106.0, 29.0),
    Row("transaction_reset", Tick, 131.0, 29.0),
    Row("transaction_unlock", Tick, 149.0, 29.0),
    Row("id_inquiry", Tick, 174.0, 29.0),
    Row("reason_expired", Tick, 45.0, 38.0),
    Row("reason_new_pc", Tick, 72.0, 38.0),
    Row("reason_lost", Tick, 101.5, 38.0),
    Row("reason_mistyped", Tick, 126.0, 38.0),
    Row("reason_forgotten", Tick, 147.5, 38.0),
    Row("reason_vanished", Tick, 166.5, 38.0),
];

/// The same on every page.
const BANK_STRIP: &[Row] = &[
    Row("bank_receipt_number", Text(46.0, 10.0), 46.0, 252.5),
    Row("bank_defect_code", Text(46.0, 10.0), 46.0, 267.5),
    Row("bank_received", Text(34.0, 25.0), 92.0, 252.5),
    Row("bank_compared", Text(35.0, 25.0), 126.0, 252.5),
    Row("bank_approved", Text(35.0, 25.0), 161.0, 252.5),
];

/// From the top of one user's row to the next.
pub(crate) const USER_PITCH: f32 = 47.0;
/// The top of the first user's row on page 1.
pub(crate) const FIRST_USERS_Y: f32 = 151.5;
/// The top of the first user's row on page 2.
pub(crate) const SECOND_USERS_Y: f32 = 70.5;
/// How many users stand on page 1.
pub(crate) const USERS_ON_FIRST_PAGE: usize = 2;

pub(super) fn layout(variant: Variant) -> Layout {
    let mut first = empty(1);
    first.place(FIRST_PAGE, "", 0.0);
    first.place_users(1..=USERS_ON_FIRST_PAGE, FIRST_USERS_Y);
    first.place(BANK_STRIP, "", 0.0);
    let mut pages = vec![first];
    if variant.user_rows() > USERS_ON_FIRST_PAGE {
        let mut second = empty(2);
        second.place(SECOND_PAGE, "", 0.0);
        second.place_users(USERS_ON_FIRST_PAGE + 1..=variant.user_rows(), SECOND_USERS_Y);
        second.place(BANK_STRIP, "", 0.0);
        pages.push(second);
    }
    Layout { version: Version::One, variant, pages }
}

fn empty(page: u8) -> PageLayout {
    PageLayout {
        page,
        marks: MARKS,
        codes: CODES.into_iter().map(|(id, kind, area)| CodeBox { id, kind, area }).collect(),
        checkboxes: Vec::new(),
        digits: Vec::new(),
        seals: Vec::new(),
        texts: Vec::new(),
    }
}

impl PageLayout {
    fn place_users(&mut self, numbers: std::ops::RangeInclusive<usize>, top: f32) {
        let mut y = top;
        for number in numbers {
            self.place(USER, &format!("u{number}_"), y);
            y += USER_PITCH;
        }
    }

    fn place(&mut self, rows: &[Row], prefix: &str, dy: f32) {
        for Row(name, kind, x, y) in rows {
            let (id, y) = (format!("{prefix}{name}"), y + dy);
            let field = |w, h| FieldBox { id: id.clone(), area: BoxMm::new(*x, y, w, h) };
            match kind {
                Tick => self.checkboxes.push(field(TICK, TICK)),
                Seal => self.seals.push(field(SEAL, SEAL)),
                Text(w, h) => self.texts.push(field(*w, *h)),
                Digits(count) => {
                    let cell = |n| BoxMm::new(x + f32::from(n) * CELL[0], y, CELL[0], CELL[1]);
                    let cells = (0..*count).map(cell).collect();
                    self.digits.push(DigitField { id, cells });
                }
            }
        }
    }
}
