//! Ordinary letters: defects of a form, an inquiry at the former address, a case that ended, a lock.
//!
//! None bears a secret, so they are plain text. Each is a Japanese business letter behind a window;
//! English follows where it is asked for.

mod composition;
mod inquiry;
mod reason;
mod returned;
mod wording;

use std::time::SystemTime;

use crate::data::House;
use crate::document::{Imprint, Paper};
use crate::envelope::Addressee;
use crate::fault::PrintFault;
use crate::fonts::Typesetter;
use crate::press::Press;

pub use inquiry::Inquiry;
pub use reason::ReturnReason;
pub use returned::{DefectLetter, FreshForm, ReturnItem};

use composition::Composition;
use wording::Wording;

/// A day as it is printed in either language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// 「令和8年(2026年)11月20日(金)」.
    pub japanese: String,
    /// "20 November 2026".
    pub english: String,
}

/// What every letter has in common.
#[derive(Clone, Copy)]
pub struct LetterHead<'a> {
    /// Who writes.
    pub house: &'a House,
    /// To whom.
    pub addressee: &'a Addressee,
    /// The day of the letter.
    pub written_on: &'a Day,
    /// The number to quote.
    pub reference: &'a str,
    /// The last four digits of the contract number; never more.
    pub contract_last_four: &'a str,
    /// The user whom it is about, if it is about one.
    pub user_name: Option<&'a str>,
    /// Whether English follows the Japanese.
    pub english: bool,
    /// The moment that the file gives as its date.
    pub made_at: SystemTime,
}

/// What a letter of one page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter<'a> {
    /// 終了のお知らせ: the case has ended.
    Closure(Closure),
    /// ロックのお知らせ: a secret is locked.
    Lock(Locked),
    /// お受け取り確認のお願い: a letter came back, and what it brought is void.
    Undelivered,
    /// The answer to an inquiry for a forgotten user ID.
    UserId {
        /// The ID.
        user_id: &'a str,
    },
    /// 照会状: a question at the former address whether the move is real.
    AddressInquiry(Inquiry<'a>),
}

/// Why a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closure {
    /// The corrected form did not come.
    NoResponse,
    /// The letters came back.
    Undeliverable,
    /// It took too long.
    Lapsed,
    /// The request cannot be granted.
    Rejected,
    /// A certificate was obtained in the meantime.
    NotNeeded,
    /// The same request is under way already.
    Duplicate,
    /// The form cannot be worked on and goes back.
    FormReturned,
    /// The customer withdrew.
    Withdrawn,
}

impl Closure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoResponse,
        Self::Undeliverable,
        Self::Lapsed,
        Self::Rejected,
        Self::NotNeeded,
        Self::Duplicate,
        Self::FormReturned,
        Self::Withdrawn,
    ];
}

/// Which secret is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locked {
    /// The certificate retrieval password, after so many wrong entries.
    Retrieval {
        /// How many.
        wrong_entries: u8,
    },
    /// The login password.
    Login,
    /// The transaction password.
    Transaction,
    /// The one-time-password card.
    OneTimePassword,
    /// The enrolment code.
    EnrolmentCode,
}

impl Press {
    /// A letter as a PDF.
    ///
    /// # Errors
    /// Names the character that no font has, or what does not fit.
    pub fn letter(
        &self,
        head: &LetterHead<'_>,
        letter: &Letter<'_>,
    ) -> Result<Vec<u8>, PrintFault> {
        let setter = Typesetter::new(self.fonts())?;
        let wording = Wording::of(head, letter);
        let mut composition = Composition::begin(&setter, head, &wording)?;
        composition.body(&wording)?;
        if let Letter::AddressInquiry(_) = letter {
            inquiry::draw_slip(composition.sheet_mut(), head)?;
            composition.full();
        }
        composition.english(&wording)?;
        let mut paper = Paper::new(&setter);
        for sheet in composition.finish()? {
            paper.page(None, sheet);
        }
        let author = &head.house.bank;
        paper.draft(&Imprint { title: wording.title, author, made_at: head.made_at })?.finish()
    }
}
