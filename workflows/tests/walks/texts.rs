//! Every word that a walk can bring to a person has a text in both languages, and no other.

use std::collections::BTreeSet;
use std::path::PathBuf;

use engine::{Graph, Role as _, Workflow, label};
use workflows::router::Advice;
use workflows::terms::{DefectCode, Reason, Role, TaskKind};

use crate::world;

/// Demands that an enum's variants, read from its source, are exactly the names found.
pub(crate) fn enumerated(file: &str, name: &str, found: &BTreeSet<String>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = std::fs::read_to_string(path).expect("the source");
    let start = format!("pub enum {name} {{");
    let body = source.split_once(&start).expect("the enum").1;
    let body = body.split_once("\n}").expect("its end").0;
    let declared: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(char::is_uppercase))
        .map(|line| line.chars().take_while(|c| c.is_alphanumeric()).collect())
        .collect();
    let never: Vec<_> = declared.difference(found).collect();
    assert!(never.is_empty(), "{name}: the walks never come to {never:?}");
    assert!(found.is_subset(&declared), "{name}: {found:?}");
}

struct Texts {
    file: &'static str,
    table: toml::Table,
}

fn languages() -> [Texts; 2] {
    ["ja", "en"].map(|file| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../templates/text/{file}.toml"));
        let text = std::fs::read_to_string(&path).expect("the texts");
        Texts { file, table: text.parse().expect("the texts are TOML") }
    })
}

impl Texts {
    fn agree(&self, section: &[&str], expected: &BTreeSet<String>) {
        let place = || format!("{}.toml [{}]", self.file, section.join("."));
        let mut table = &self.table;
        for part in section {
            let inner = table.get(*part).and_then(toml::Value::as_table);
            table = inner.unwrap_or_else(|| panic!("{} is missing", place()));
        }
        let keys: BTreeSet<String> = table
            .iter()
            .inspect(|(key, value)| {
                let text = value.as_str().unwrap_or_default();
                assert!(!text.trim().is_empty(), "{} {key} is empty", place());
            })
            .map(|(key, _)| key.clone())
            .collect();
        let missing: Vec<_> = expected.difference(&keys).collect();
        let superfluous: Vec<_> = keys.difference(expected).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", place());
        assert!(superfluous.is_empty(), "{} has {superfluous:?} in vain", place());
    }
}

fn check<W: Workflow>(graph: &Graph<W>) {
    let states = graph.states.iter().map(label).collect();
    let commands = graph.steps.iter().map(|step| label(&step.command)).collect();
    let notices =
        graph.steps.iter().flat_map(|step| step.transition.notices.iter().map(label)).collect();
    let outcomes = graph.table.values().flatten();
    let refusals = outcomes
        .filter_map(|outcome| outcome.split_once("✗ "))
        .map(|(_, refusal)| refusal.to_owned())
        .collect();
    for texts in languages() {
        texts.agree(&["state", W::NAME], &states);
        texts.agree(&["command", W::NAME], &commands);
        texts.agree(&["refusal", W::NAME], &refusals);
        texts.agree(&["notice", W::NAME], &notices);
    }
}

#[test]
fn every_state_command_refusal_and_notice_has_its_texts() {
    check(world::self_service_walk());
    check(world::delegated_walk());
    check(world::paper_walk());
    check(world::submission_walk());
    check(world::clerical_walk());
    check(world::task_walk());
    check(world::enrolment_walk());
    check(world::expiry_walk());
    check(world::proposal_walk());
    check(world::account_walk());
    check(world::mask_walk());
}

/// Nothing is declared in vain: every variant of a workflow's own enums occurs in its walk.
fn complete<W: Workflow>(graph: &Graph<W>, file: &str) {
    enumerated(file, "State", &graph.states.iter().map(outer).collect());
    enumerated(file, "Command", &graph.steps.iter().map(|step| outer(&step.command)).collect());
}

/// As [`complete`], where effects, notices and refusals are the workflow's own too.
fn complete_alone<W: Workflow>(graph: &Graph<W>, file: &str) {
    complete_silent(graph, file);
    let transitions = graph.steps.iter().map(|step| &step.transition);
    let notices = transitions.flat_map(|to| to.notices.iter().map(label)).collect();
    enumerated(file, "Notice", &notices);
}

/// The same of a workflow that tells nobody.
fn complete_silent<W: Workflow>(graph: &Graph<W>, file: &str) {
    complete(graph, file);
    let transitions = graph.steps.iter().map(|step| &step.transition);
    let effects = transitions.flat_map(|to| to.effects.iter().map(label)).collect();
    let outcomes = graph.table.values().flatten();
    let refusals = outcomes
        .filter_map(|outcome| outcome.split_once("✗ "))
        .map(|(_, refusal)| refusal.to_owned())
        .collect();
    enumerated(file, "Effect", &effects);
    enumerated(file, "Refusal", &refusals);
}

fn outer(value: &impl std::fmt::Debug) -> String {
    label(value).split('.').next().unwrap_or_default().to_owned()
}

#[test]
fn nothing_is_declared_in_vain() {
    complete(world::self_service_walk(), "src/self_service.rs");
    complete(world::delegated_walk(), "src/delegated.rs");
    complete(world::paper_walk(), "src/paper.rs");
    complete(world::tail_walk(), "src/tail.rs");
    complete_alone(world::submission_walk(), "src/submission.rs");
    complete_alone(world::clerical_walk(), "src/clerical.rs");
    complete_alone(world::task_walk(), "src/task.rs");
    complete_alone(world::credential_walk(), "src/credential.rs");
    complete_alone(world::enrolment_walk(), "src/enrolment.rs");
    complete_alone(world::expiry_walk(), "src/expiry.rs");
    complete_silent(world::proposal_walk(), "src/proposal.rs");
    complete_silent(world::account_walk(), "src/account.rs");
    complete_silent(world::mask_walk(), "src/mask.rs");
}

#[test]
fn a_credential_has_its_texts() {
    check(world::credential_walk());
}

#[test]
fn every_shared_word_has_its_texts() {
    let reason = |value: &Reason| {
        serde_json::to_value(value).expect("a name").as_str().expect("a string").to_owned()
    };
    let task = |value: &TaskKind| {
        serde_json::to_value(value).expect("a name").as_str().expect("a string").to_owned()
    };
    for texts in languages() {
        let defects = DefectCode::ALL.iter().map(|code| code.code().to_owned()).collect();
        texts.agree(&["defect"], &defects);
        texts.agree(&["reason"], &Reason::ALL.iter().map(reason).collect());
        texts.agree(&["role"], &Role::ALL.iter().map(|role| role.name().to_owned()).collect());
        texts.agree(&["router"], &Advice::ALL.iter().map(|a| a.code().to_owned()).collect());
        texts.agree(&["task"], &TaskKind::ALL.iter().map(task).collect());
    }
}

#[test]
fn a_subject_line_bears_no_secret_and_no_haste() {
    for texts in languages() {
        let notices = texts.table.get("notice").and_then(toml::Value::as_table).expect("notices");
        for (_, subjects) in notices {
            for (key, subject) in subjects.as_table().expect("subjects") {
                let subject = subject.as_str().expect("a text");
                let short = subject.chars().count() <= 78;
                let hasty = ["至急", "緊急", "urgent", "immediately"]
                    .iter()
                    .any(|word| subject.to_lowercase().contains(word));
                let digits = subject.chars().filter(char::is_ascii_digit).count();
                assert!(short && !hasty && digits < 4, "{} {key}: {subject}", texts.file);
            }
        }
    }
}
