//! Reading the fields of a filled form, from whatever program saved it.

use std::collections::{BTreeMap, BTreeSet};

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::CODE_PREFIX;

/// No form of ours comes near these; a file beyond them is not looked at further.
const MOST_FIELDS: usize = 2000;
const DEEPEST: usize = 8;
const LONGEST_VALUE: usize = 256;

/// What the fields of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilledForm {
    /// The text of the code of each page, by page number.
    pub(crate) codes: BTreeMap<u8, String>,
    /// Fields of text, by name.
    pub(crate) texts: BTreeMap<String, String>,
    /// Tick boxes that are on.
    pub(crate) ticked: BTreeSet<String>,
}

/// The fields of a document, when it is a fillable form of ours.
pub(crate) fn read_fields(pdf: &Document) -> Option<FilledForm> {
    let mut walk = Walk { pdf, seen: BTreeSet::new(), form: FilledForm::default() };
    for id in root_fields(pdf)? {
        walk.field(id, "", None, 0);
    }
    (!walk.form.codes.is_empty()).then_some(walk.form)
}

pub(super) fn root_fields(pdf: &Document) -> Option<Vec<ObjectId>> {
    let fields = acro_form(pdf)?.get(b"Fields").ok()?;
    let (_, fields) = pdf.dereference(fields).ok()?;
    let fields = fields.as_array().ok()?;
    Some(fields.iter().take(MOST_FIELDS).filter_map(|id| id.as_reference().ok()).collect())
}

/// The resources that appearances of fields may use.
pub(super) fn form_resources(pdf: &Document) -> Option<Object> {
    acro_form(pdf)?.get(b"DR").ok().cloned()
}

fn acro_form(pdf: &Document) -> Option<&Dictionary> {
    let form = pdf.catalog().ok()?.get(b"AcroForm").ok()?;
    let (_, form) = pdf.dereference(form).ok()?;
    form.as_dict().ok()
}

struct Walk<'d> {
    pdf: &'d Document,
    seen: BTreeSet<ObjectId>,
    form: FilledForm,
}

/// What a field takes over from its parent.
#[derive(Clone, Copy)]
struct Heritage<'d> {
    kind: Option<&'d [u8]>,
    value: Option<&'d Object>,
}

impl<'d> Walk<'d> {
    fn field(&mut self, id: ObjectId, prefix: &str, heritage: Option<Heritage<'d>>, depth: usize) {
        if depth > DEEPEST || self.seen.len() > MOST_FIELDS || !self.seen.insert(id) {
            return;
        }
        let Ok(field) = self.pdf.get_dictionary(id) else { return };
        let name = match self.text(field, b"T") {
            Some(own) if prefix.is_empty() => own,
            Some(own) => format!("{prefix}.{own}"),
            None => prefix.to_owned(),
        };
        let above = heritage.unwrap_or(Heritage { kind: None, value: None });
        let kind = self.get(field, b"FT").and_then(|kind| kind.as_name().ok()).or(above.kind);
        let value = self.get(field, b"V").or(above.value);
        if let Some(kids) = self.get(field, b"Kids").and_then(|kids| kids.as_array().ok()) {
            for kid in kids.iter().take(MOST_FIELDS).filter_map(|kid| kid.as_reference().ok()) {
                self.field(kid, &name, Some(Heritage { kind, value }), depth + 1);
            }
            return;
        }
        self.keep(name, kind, value);
    }

    fn keep(&mut self, name: String, kind: Option<&[u8]>, value: Option<&Object>) {
        let Some(value) = value else { return };
        match kind {
            Some(b"Btn") if value.as_name().is_ok_and(|state| state != b"Off") => {
                self.form.ticked.insert(name);
            }
            Some(b"Tx") => {
                let Some(text) = bounded(value) else { return };
                let page = name.strip_prefix(CODE_PREFIX).and_then(|page| page.parse().ok());
                match page {
                    Some(page) => self.form.codes.insert(page, text).map(|_| ()),
                    None => self.form.texts.insert(name, text).map(|_| ()),
                };
            }
            _ => {}
        }
    }

    fn get(&self, dictionary: &'d Dictionary, key: &[u8]) -> Option<&'d Object> {
        let (_, object) = self.pdf.dereference(dictionary.get(key).ok()?).ok()?;
        Some(object)
    }

    fn text(&self, dictionary: &'d Dictionary, key: &[u8]) -> Option<String> {
        bounded(self.get(dictionary, key)?)
    }
}

/// A text string in any of its encodings (UTF-16, UTF-8, `PDFDocEncoding`), unless it is too long.
fn bounded(object: &Object) -> Option<String> {
    let short = object.as_str().is_ok_and(|bytes| bytes.len() <= LONGEST_VALUE);
    if short { lopdf::decode_text_string(object).ok() } else { None }
}
