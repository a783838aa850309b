//! Which lines of a queue somebody wants to see: a part of it, a kind of case, and words in names and
//! numbers. It stands in the address, goes along to the desk, and can be kept under a name.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::desk::Typed;
use super::queue::{Line, stage_named};
use super::{Shared, Signed};
use crate::fold::folded;
use crate::store::filters::{self, FilterRow};
use crate::web::customer::see;
use crate::web::error::Problem;
use crate::web::page::address;

/// Which part of a queue is wanted.
pub(super) const PARTS: [&str; 4] = ["all", "mine", "free", "overdue"];
/// Which kind of case; none for every one.
pub(super) const KINDS: [&str; 2] = ["paper", "clerical"];
/// More than anybody looks for at once.
const LONGEST: usize = 60;
/// The longest name of a filter.
const LONGEST_NAME: usize = 30;

/// What is wanted of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) part: &'static str,
    pub(super) kind: &'static str,
    pub(super) words: String,
}

fn known(names: &[&'static str], asked: &str) -> Option<&'static str> {
    names.iter().find(|name| **name == asked).copied()
}

impl Filter {
    fn new(part: &str, kind: &str, words: &str) -> Self {
        Self {
            part: known(&PARTS, part).unwrap_or("all"),
            kind: known(&KINDS, kind).unwrap_or(""),
            words: words.trim().chars().take(LONGEST).collect(),
        }
    }

    /// As the address says.
    pub(super) fn asked(signed: &Signed) -> Self {
        let asked = |name| signed.visit.asked(name);
        Self::new(asked("part"), asked("kind"), asked("q"))
    }

    fn of(row: &FilterRow) -> Self {
        Self::new(&row.part, &row.kind, &row.words)
    }

    /// Whether it leaves nothing out.
    pub(super) fn is_open(&self) -> bool {
        self.part == "all" && self.kind.is_empty() && self.words.is_empty()
    }

    /// Whether a line is wanted.
    pub(super) fn keeps(&self, line: &Line) -> bool {
        let mut terms = self.words.split_whitespace().map(folded);
        line.is_in(self.part)
            && (self.kind.is_empty() || line.workflow == self.kind)
            && terms.all(|term| line.words.contains(&term))
    }

    /// The parts of an address that say it.
    fn pairs(&self) -> BTreeMap<String, String> {
        let all = [("part", self.part), ("kind", self.kind), ("q", self.words.as_str())];
        let told = all
            .into_iter()
            .filter(|(name, value)| !value.is_empty() && (*name != "part" || *value != "all"));
        told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The list that it leaves, with another part where one is named.
    pub(super) fn list(&self, queue: &str, part: Option<&'static str>) -> String {
        let filter = Self { part: part.unwrap_or(self.part), ..self.clone() };
        address(&format!("/queue/{queue}"), &filter.pairs())
    }

    /// What stands behind the address of a case, so that its neighbours are those of this list.
    pub(super) fn within(&self, queue: &str) -> String {
        let mut pairs = self.pairs();
        pairs.insert("queue".to_owned(), queue.to_owned());
        address("", &pairs)
    }

    /// The same without the queue, for forms of the queue's own page.
    pub(super) fn narrowed(&self) -> String {
        address("", &self.pairs())
    }

    /// The list again, with something to say.
    pub(super) fn back(&self, queue: &str, told: (&str, &str)) -> String {
        let mut pairs = self.pairs();
        pairs.insert(told.0.to_owned(), told.1.to_owned());
        address(&format!("/queue/{queue}"), &pairs)
    }
}

/// A filter that was kept.
#[derive(Serialize)]
pub(super) struct Kept {
    name: String,
    href: String,
    is_here: bool,
}

/// Somebody's filters of a queue.
pub(super) async fn kept(
    shared: &Shared,
    signed: &Signed,
    queue: &str,
    here: &Filter,
) -> Result<Vec<Kept>, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let rows = filters::of(&mut tx, &signed.member.account.person, queue).await?;
    let one = |row: &FilterRow| {
        let filter = Filter::of(row);
        Kept { name: row.name.clone(), href: filter.list(queue, None), is_here: filter == *here }
    };
    Ok(rows.iter().map(one).collect())
}

/// Keeps the filter of the address under a name, or forgets the one of that name.
pub(super) async fn keep(
    State(shared): State<Shared>,
    signed: Signed,
    Path(queue): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let (_, room, _) = stage_named(&queue)?;
    signed.enter(room)?;
    let person = &signed.member.account.person;
    let here = Filter::asked(&signed);
    let name = typed.get("name").map(|name| name.trim()).unwrap_or_default();
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let mut tx = shared.app.tools.db.write().await?;
    let told = match typed.get("do").map(String::as_str) {
        Some("drop") => {
            filters::drop(&mut tx, person, &queue, &name).await?;
            "dropped"
        }
        _ if name.is_empty() => "nameless",
        _ => {
            let row = FilterRow {
                name,
                part: here.part.to_owned(),
                kind: here.kind.to_owned(),
                words: here.words.clone(),
            };
            if filters::save(&mut tx, person, &queue, &row).await? { "kept" } else { "many" }
        }
    };
    tx.commit().await?;
    Ok(see(&here.back(&queue, ("filter", told))))
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn an_address_says_what_is_left_out_and_nothing_else() {
        let open = Filter::new("everything", "nothing", "  ");
        assert!(open.is_open());
        assert_eq!(open.list("check", None), "/queue/check");
        assert_eq!(open.within("check"), "?queue=check");
        let some = Filter::new("free", "paper", " 青葉 ");
        assert!(!some.is_open());
        assert_eq!(
            some.list("check", None),
            "/queue/check?kind=paper&part=free&q=%E9%9D%92%E8%91%89"
        );
        assert_eq!(some.list("check", Some("all")), "/queue/check?kind=paper&q=%E9%9D%92%E8%91%89");
        assert_eq!(some.back("check", ("none", "1")).matches("none=1").count(), 1);
    }
}
