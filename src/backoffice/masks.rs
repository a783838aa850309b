//! What nobody shall see on a page, because somebody wrote a password there: laid by one person, seen
//! again or lifted by two. Every picture of the page is painted over before its bytes leave.

use engine::{CaseId, Fault, Submission, Tx};
use forms::{PAGE_MM, Part, Variant, Version};
use workflows::mask::{Area, Command, Mask, State, WHOLE, Wish};

use super::desk::{self, Scanned};
use super::{AtWork, able};
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::host::page_subject;
use crate::policy::{Matter, Viewer, may_see};
use crate::store::masks::{self, MaskLine, MaskRow};
use crate::store::{reissues, submissions};

/// A page of a form with the masks on it.
pub struct MaskedPage {
    /// The page.
    pub page: Scanned,
    /// The case is the envelope's own, because nobody knows yet whose it is.
    pub is_loose: bool,
    /// Every mask that ever lay there, with where it stands.
    pub masks: Vec<(MaskRow, State)>,
}

/// A mask as somebody looks at it.
pub struct Masked {
    /// Where it lies.
    pub row: MaskRow,
    /// Where it stands.
    pub state: State,
    /// When it was laid.
    pub at: engine::Moment,
    /// The commands that a rule would let this viewer carry out now, by name.
    pub open_to: Vec<&'static str>,
}

/// The commands of a page, by name.
const COMMANDS: [(&str, Command); 6] = [
    ("allow", Command::Allow),
    ("see", Command::See),
    ("ask_see", Command::Ask { wish: Wish::See }),
    ("ask_lift", Command::Ask { wish: Wish::Lift }),
    ("refuse", Command::Refuse),
    ("withdraw", Command::Withdraw),
];

/// The command that a page names.
pub fn command_named(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|(known, _)| *known == name).map(|(_, command)| command.clone())
}

/// The parts of a page that lie under masks, but for the one that two people look under.
pub(crate) async fn lying(
    tx: &mut Tx,
    digest: &[u8],
    page: i64,
    shown: Option<CaseId>,
) -> Result<Vec<Part>, Fault> {
    let rows = in_force(tx, digest, page).await?;
    let is_hidden = |row: &&MaskRow| shown != Some(CaseId(row.case_id));
    Ok(rows.iter().filter(is_hidden).map(part_of).collect())
}

/// The masks that lie on a page now.
pub(super) async fn lying_on(tx: &mut Tx, page: &Scanned) -> Result<Vec<i64>, Fault> {
    let rows = in_force(tx, &page.digest, page.page).await?;
    Ok(rows.iter().map(|row| row.case_id).collect())
}

async fn in_force(tx: &mut Tx, digest: &[u8], page: i64) -> Result<Vec<MaskRow>, Fault> {
    let mut rows = masks::of_page(tx, digest, page).await?;
    rows.retain(|row| row.lifted == 0);
    Ok(rows)
}

/// Whether anything is masked on any page of a file.
pub(crate) async fn lie_on(tx: &mut Tx, digest: &[u8]) -> Result<bool, Fault> {
    masks::lie_on(tx, digest).await
}

#[expect(clippy::cast_precision_loss, reason = "ten thousand at most")]
fn part_of(row: &MaskRow) -> Part {
    let part = |value: i64| value as f32 / f32::from(WHOLE);
    Part { x: part(row.x), y: part(row.y), w: part(row.w), h: part(row.h) }
}

/// The same parts on the picture of the page's seal; none where its place cannot be told.
pub(super) fn on_the_seal(page: &Scanned, parts: &[Part]) -> Option<Vec<Part>> {
    let version = Version::from_number(page.read.version?)?;
    let variant: Variant = page.read.variant.as_deref()?.parse().ok()?;
    let layout = forms::layout(version, variant).page(page.of_form)?;
    // As the picture was taken: of several the first that holds something.
    let seals = &page.read.seals;
    let found = seals.iter().find(|(_, seal)| seal.found).or_else(|| seals.iter().next());
    let (name, _) = found?;
    let field = layout.seals.iter().find(|field| field.id == *name)?;
    let cut = field.area.grown(forms::seal::AROUND_MM);
    Some(parts.iter().filter_map(|part| part.within(cut, PAGE_MM)).collect())
}

/// The picture with the parts painted over.
pub(crate) async fn painted(picture: Vec<u8>, parts: Vec<Part>) -> Result<Vec<u8>, Fault> {
    let work = tokio::task::spawn_blocking(move || forms::masked(&picture, &parts));
    let painted = work.await.map_err(Fault::host("mask a picture"))?;
    painted.map_err(Fault::host("mask a picture"))
}

impl App {
    /// A page of a form, by the case that lies on a desk or by its envelope, and by its place among
    /// the scanned pages.
    pub(super) async fn form_page(
        &self,
        case: CaseId,
        place: usize,
    ) -> Result<(Scanned, bool), Declined> {
        let mut tx = self.tools.db.read().await?;
        let of_case = reissues::find(&mut tx, case).await?.and_then(|row| row.submission);
        let (number, is_loose) = match of_case {
            Some(number) => (number, false),
            None => {
                let row = submissions::of_case(&mut tx, case).await?.ok_or(Declined::NotFound)?;
                (row.number, true)
            }
        };
        let mut pages = desk::scanned(&mut tx, number).await?;
        if place >= pages.len() {
            return Err(Declined::NotFound);
        }
        Ok((pages.swap_remove(place), is_loose))
    }

    /// A page with its masks, for whoever may see pages.
    pub async fn masked_page(
        &self,
        by: &AtWork,
        case: CaseId,
        place: usize,
    ) -> Result<MaskedPage, Declined> {
        if !may_see(Viewer::Signed(by.role()), Matter::Details) {
            return Err(Declined::NotFound);
        }
        let (page, is_loose) = self.form_page(case, place).await?;
        let mut tx = self.tools.db.read().await?;
        let rows = masks::of_page(&mut tx, &page.digest, page.page).await?;
        drop(tx);
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let found = self.desks.mask.find(CaseId(row.case_id)).await?;
            all.extend(found.map(|(_, state)| (row, state)));
        }
        Ok(MaskedPage { page, is_loose, masks: all })
    }

    /// Hides a part of a page. From the commit on nobody is served it; the form's own history says so
    /// too. The same key lays one mask.
    pub async fn lay_mask(
        &self,
        by: &AtWork,
        case: CaseId,
        place: usize,
        area: Area,
        key: &str,
    ) -> Result<CaseId, Declined> {
        let (page, _) = self.form_page(case, place).await?;
        let mask = self.engine.next_case().await?;
        let subject = page_subject(&page.digest, page.page);
        let (command, id) = (Command::Lay { area }, format!("mask-{key}"));
        let submission = Submission::<Mask>::opening(mask, subject, command, by.actor(), id);
        let outcome = self.desks.mask.submit(submission.from(by.origin()), ()).await?;
        let (mask, _) = accepted(outcome)?;
        self.note(by, case, "MaskPage").await?;
        Ok(mask)
    }

    /// The masks of all pages.
    pub async fn masks(&self) -> Result<Vec<MaskLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        masks::newest(&mut tx).await
    }

    /// How many masks wait for another person's decision.
    pub async fn masks_asked(&self) -> Result<i64, Fault> {
        let mut tx = self.tools.db.read().await?;
        masks::asked(&mut tx).await
    }

    async fn mask_row(&self, case: CaseId) -> Result<MaskRow, Declined> {
        let mut tx = self.tools.db.read().await?;
        masks::find(&mut tx, case).await?.ok_or(Declined::NotFound)
    }

    /// A mask, with what the viewer may do in one of several roles.
    pub async fn mask(&self, case: CaseId, viewers: &[AtWork]) -> Result<Masked, Declined> {
        let row = self.mask_row(case).await?;
        let (head, state) = self.desks.mask.find(case).await?.ok_or(Declined::NotFound)?;
        let mut open_to = Vec::new();
        for (name, command) in &COMMANDS {
            if able(&self.desks.mask, case, command, viewers).await?.is_some() {
                open_to.push(*name);
            }
        }
        Ok(Masked { row, state, at: engine::Moment(head.opened_at), open_to })
    }

    /// A command about a mask.
    pub async fn with_mask(
        &self,
        case: CaseId,
        command: Command,
        viewers: &[AtWork],
    ) -> Result<State, Declined> {
        self.mask_row(case).await?;
        let able = able(&self.desks.mask, case, &command, viewers).await?;
        // What is declined is declined in some role, and stands in the history.
        let by = able.or(viewers.first()).ok_or(Declined::NotFound)?;
        let id = format!("{}-{case}-{}", engine::label(&command), self.nonce());
        let submission = Submission::<Mask>::new(case, command, by.actor(), id);
        let outcome = self.desks.mask.submit(submission.from(by.origin()), ()).await?;
        accepted(outcome).map(|(_, state)| state)
    }

    /// The page without this one mask, for the two who may look: the look is an entry first.
    pub async fn under_mask(&self, case: CaseId, viewers: &[AtWork]) -> Result<Vec<u8>, Declined> {
        let row = self.mask_row(case).await?;
        self.with_mask(case, Command::See, viewers).await?;
        let page = Scanned {
            of_form: 0,
            digest: row.digest,
            page: row.page,
            read: crate::reader::PageRead::default(),
        };
        self.page_but(&page, Some(case)).await
    }
}
