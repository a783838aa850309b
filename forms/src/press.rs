//! The press: loads the fonts once and prints everything.

use std::time::SystemTime;

use crate::data::{FieldValues, FormData, House};
use crate::document::{Draft, Imprint, Paper, iso_day};
use crate::fault::PrintFault;
use crate::fillable;
use crate::fonts::{FontChoice, Fonts, Typesetter};
use crate::form3::{Layout, PageLayout, Variant, Version, layout};
use crate::json::PrintedPage;
use crate::payload::{CodeKey, Payload};
use crate::print::{draw_identity, draw_instructions, draw_page, draw_specimen, draw_values};
use crate::submission::SubmissionNumber;

/// Prints forms and letters. Loading reads fonts; everything afterwards happens in memory and does
/// not touch the disk, the network or the clock.
#[derive(Clone)]
pub struct Press {
    fonts: Fonts,
}

/// Everything that the copies of one printing have in common.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Which of the two services.
    pub variant: Variant,
    /// Who issues the form.
    pub house: &'a House,
    /// The key of the check in the codes.
    pub key: &'a CodeKey,
    /// The moment that the file gives as its date.
    pub made_at: SystemTime,
}

/// Which sheets of a form are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheets {
    /// Every page that is read, and the sheet with address and instructions.
    All,
    /// Every page that is read.
    Pages,
    /// Page 1 alone.
    First,
}

/// One copy of Form 3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    /// The submission; none for the blank download, which names no case.
    pub submission: Option<SubmissionNumber>,
    /// What is filled in already.
    pub data: FormData,
}

/// A printed batch: one PDF, and what stands in the codes of its pages.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The file.
    pub pdf: Vec<u8>,
    /// Its pages in order, sheets of instructions left out.
    pub pages: Vec<PrintedPage>,
}

impl Press {
    /// Loads the fonts of the choice.
    ///
    /// # Errors
    /// When the configured font is missing or unusable.
    pub fn new(choice: &FontChoice) -> Result<Self, PrintFault> {
        Ok(Self { fonts: Fonts::load(choice)? })
    }

    /// The names of the faces in use, embedded ones first.
    pub fn face_names(&self) -> Vec<String> {
        self.fonts.faces.iter().map(|face| face.name.clone()).collect()
    }

    /// The characters of a text that no face has, so that a name can be refused before printing.
    ///
    /// # Errors
    /// When a face cannot be parsed.
    pub fn missing(&self, text: &str) -> Result<Vec<char>, PrintFault> {
        let setter = Typesetter::new(&self.fonts)?;
        let lacks =
            |c: &char| setter.runs(crate::fonts::Role::Value, c.encode_utf8(&mut [0; 4])).is_err();
        Ok(text.chars().filter(lacks).collect())
    }

    pub(crate) fn fonts(&self) -> &Fonts {
        &self.fonts
    }

    /// One copy of Form 3, blank or filled in, with the sheet of instructions.
    ///
    /// # Errors
    /// Names the character that no font has, or the field that a value does not fit.
    pub fn form3(&self, job: &Job<'_>, copy: &Copy) -> Result<Vec<u8>, PrintFault> {
        Ok(self.batch(job, std::slice::from_ref(copy), Sheets::All)?.pdf)
    }

    /// Many copies in one PDF, sharing fonts and everything that is the same on each.
    ///
    /// # Errors
    /// As [`Self::form3`]; nothing is printed when one copy cannot be.
    pub fn batch(
        &self,
        job: &Job<'_>,
        copies: &[Copy],
        sheets: Sheets,
    ) -> Result<Batch, PrintFault> {
        if copies.is_empty() {
            return Err(PrintFault::Nothing);
        }
        let setter = Typesetter::new(&self.fonts)?;
        let mut run = Run::new(job, Paper::new(&setter))?;
        let mut printed = Vec::new();
        for copy in copies {
            printed.extend(run.copy(copy, sheets)?);
        }
        let pdf = run.draft()?.finish()?;
        Ok(Batch { pdf, pages: printed })
    }

    /// The form as an AcroForm: rows of digits and tick boxes can be filled in a viewer; lines of
    /// writing are printed from `copy` (a viewer without a Japanese font would show boxes).
    ///
    /// # Errors
    /// As [`Self::form3`].
    pub fn fillable(&self, job: &Job<'_>, copy: &Copy) -> Result<Vec<u8>, PrintFault> {
        let setter = Typesetter::new(&self.fonts)?;
        let mut values = checked_values(job.variant, &copy.data)?;
        let fillable =
            FieldValues { texts: std::mem::take(&mut values.texts), ..Default::default() };
        let mut run = Run::new(job, Paper::new(&setter))?;
        let mut printed = Vec::new();
        for page in &run.layout.pages {
            printed.push(
                run.page(page, copy.submission, |sheet| draw_values(sheet, page, &fillable))?,
            );
        }
        run.instructions()?;
        let layout = run.layout;
        let mut draft = run.draft()?;
        fillable::add_fields(&mut draft, layout, &printed)?;
        fillable::set_values(&mut draft.pdf, &setter, &values)?;
        draft.finish()
    }

    /// Fills a form made by [`Self::fillable`], as a viewer would; lines of writing are left alone.
    ///
    /// # Errors
    /// When the document is none of ours.
    pub fn fill(&self, pdf: &[u8], values: &FieldValues) -> Result<Vec<u8>, PrintFault> {
        let setter = Typesetter::new(&self.fonts)?;
        fillable::fill(pdf, &setter, values)
    }
}

fn checked_values(variant: Variant, data: &FormData) -> Result<FieldValues, PrintFault> {
    let (given, rows) = (data.users.len(), variant.user_rows());
    if given > rows {
        return Err(PrintFault::TooManyUsers { given, rows });
    }
    Ok(data.values())
}

/// A printing under way.
pub(crate) struct Run<'r> {
    job: &'r Job<'r>,
    layout: &'static Layout,
    paper: Paper<'r>,
    /// The shared part of each page, by position in the layout.
    shared: Vec<usize>,
    /// The shared sheet of instructions, once it is needed.
    instructions: Option<usize>,
}

impl<'r> Run<'r> {
    pub(crate) fn new(job: &'r Job<'r>, mut paper: Paper<'r>) -> Result<Self, PrintFault> {
        let layout = layout(Version::default(), job.variant);
        let mut shared = Vec::new();
        for page in &layout.pages {
            let mut sheet = paper.sheet();
            draw_page(&mut sheet, job.house, layout, page)?;
            if job.house.specimen {
                draw_specimen(&mut sheet)?;
            }
            shared.push(paper.share(sheet));
        }
        Ok(Self { job, layout, paper, shared, instructions: None })
    }

    /// One copy of the form, onto the pages that are there already.
    pub(crate) fn copy(
        &mut self,
        copy: &Copy,
        sheets: Sheets,
    ) -> Result<Vec<PrintedPage>, PrintFault> {
        let values = checked_values(self.job.variant, &copy.data)?;
        let mut printed = Vec::new();
        for page in self.layout.pages.iter().filter(|p| sheets != Sheets::First || p.page == 1) {
            printed
                .push(self.page(page, copy.submission, |sheet| draw_values(sheet, page, &values))?);
        }
        if sheets == Sheets::All {
            self.instructions()?;
        }
        Ok(printed)
    }

    fn page(
        &mut self,
        page: &PageLayout,
        submission: Option<SubmissionNumber>,
        draw: impl FnOnce(&mut crate::sheet::Sheet<'_>) -> Result<(), PrintFault>,
    ) -> Result<PrintedPage, PrintFault> {
        let payload = Payload {
            version: self.layout.version,
            variant: self.layout.variant,
            submission,
            page: page.page,
            pages: self.layout.page_count(),
        };
        let text = payload.encode(self.job.key);
        let mut sheet = self.paper.sheet();
        draw_identity(&mut sheet, page, &payload, &text)?;
        draw(&mut sheet)?;
        let shared = self.shared.get(usize::from(page.page) - 1).copied();
        self.paper.page(shared, sheet);
        let case_id = submission.map(|number| number.to_string()).unwrap_or_default();
        Ok(PrintedPage { case_id, payload: text })
    }

    fn instructions(&mut self) -> Result<(), PrintFault> {
        let house = self.job.house;
        if house.permit_has_ended(&iso_day(self.job.made_at)) {
            return Err(PrintFault::PermitEnded { until: house.reply_permit_until.clone() });
        }
        let shared = if let Some(shared) = self.instructions {
            shared
        } else {
            let mut sheet = self.paper.sheet();
            draw_instructions(&mut sheet, self.job.house, self.job.variant)?;
            if self.job.house.specimen {
                draw_specimen(&mut sheet)?;
            }
            let shared = self.paper.share(sheet);
            self.instructions = Some(shared);
            shared
        };
        let sheet = self.paper.sheet();
        self.paper.page(Some(shared), sheet);
        Ok(())
    }

    fn draft(self) -> Result<Draft, PrintFault> {
        let title = format!(
            "[書式3] パスワードに関する諸届 ({})",
            self.job.house.service(self.job.variant)
        );
        let imprint =
            Imprint { title: &title, author: &self.job.house.bank, made_at: self.job.made_at };
        self.draft_as(&imprint)
    }

    /// The document under a title of its own.
    pub(crate) fn draft_as(self, imprint: &Imprint<'_>) -> Result<Draft, PrintFault> {
        self.paper.draft(imprint)
    }
}
