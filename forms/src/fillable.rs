//! The form as an AcroForm: fields over the printed page, their appearances, and reading them back.
//!
//! Digits are set in an embedded face of ASCII characters under a simple encoding, so that every
//! viewer can write with it and the paper looks the same wherever it was filled in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary, text_string};

use crate::data::FieldValues;
use crate::document::{Draft, failed};
use crate::fault::PrintFault;
use crate::fonts::Typesetter;
use crate::form3::{BoxMm, Layout, PAGE_MM};
use crate::json::PrintedPage;
use crate::print::{TICK_MM, tick};

mod face;
mod read;

pub(crate) use read::{FilledForm, read_fields};

const POINTS: f32 = 72.0 / 25.4;
/// The size of digits in their cells, in points.
const DIGITS_POINTS: f32 = 16.0;
/// The resource name of the face for digits.
const FACE: &str = "Digits";
/// The name of the state of a ticked box.
const ON: &str = "Yes";
/// Fields that carry the text of a page's code, so that a filled file names its case.
const CODE_PREFIX: &str = "code_page_";

/// ISO 32000-1, tables 165 and 221 to 228.
const ANNOTATION_HIDDEN: i64 = 1 << 1;
const ANNOTATION_PRINT: i64 = 1 << 2;
const FIELD_READ_ONLY: i64 = 1;
const FIELD_DO_NOT_SCROLL: i64 = 1 << 23;
const FIELD_COMB: i64 = 1 << 24;

/// Lays the fields over the pages of a draft.
pub(crate) fn add_fields(
    draft: &mut Draft,
    layout: &Layout,
    printed: &[PrintedPage],
) -> Result<(), PrintFault> {
    let font = face::embed(&mut draft.pdf)?;
    let resources = dictionary! { "Font" => dictionary! { FACE => font } };
    let mut form = Form { pdf: &mut draft.pdf, fields: BTreeMap::new() };
    let mut annotations: Vec<(ObjectId, Vec<Object>)> = Vec::new();
    for ((page, id), code) in layout.pages.iter().zip(&draft.pages).zip(printed) {
        let mut widgets = vec![form.code_field(*id, page.page, &code.payload)];
        for field in &page.digits {
            widgets.push(form.digits(*id, &field.id, field.area(), field.cells.len()));
        }
        for field in &page.checkboxes {
            widgets.push(form.checkbox(*id, &field.id, field.area));
        }
        annotations.push((*id, widgets.into_iter().map(Object::Reference).collect()));
    }
    let fields = form.roots();
    for (page, widgets) in annotations {
        let page = draft.pdf.get_dictionary_mut(page).map_err(failed("opening a page"))?;
        page.set("Annots", widgets);
    }
    let root = draft.pdf.add_object(dictionary! {
        "Fields" => fields,
        "DR" => resources,
        "DA" => appearance_default(),
    });
    let catalog = draft.pdf.catalog_mut().map_err(failed("opening the catalogue"))?;
    catalog.set("AcroForm", root);
    Ok(())
}

fn appearance_default() -> Object {
    Object::string_literal(format!("/{FACE} {DIGITS_POINTS} Tf 0 g"))
}

/// The fields being made: by name, with the widgets of each.
struct Form<'d> {
    pdf: &'d mut Document,
    fields: BTreeMap<String, Vec<ObjectId>>,
}

impl Form<'_> {
    fn widget(
        &mut self,
        page: ObjectId,
        name: &str,
        area: BoxMm,
        entries: &Dictionary,
    ) -> ObjectId {
        let mut widget = dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "F" => ANNOTATION_PRINT,
            "Rect" => rectangle(area), "P" => page, "T" => text_string(name),
        };
        widget.extend(entries);
        let id = self.pdf.add_object(widget);
        self.fields.entry(name.to_owned()).or_default().push(id);
        id
    }

    fn digits(&mut self, page: ObjectId, name: &str, area: BoxMm, cells: usize) -> ObjectId {
        let entries = dictionary! {
            "FT" => "Tx", "Ff" => FIELD_COMB | FIELD_DO_NOT_SCROLL,
            "MaxLen" => i64::try_from(cells).unwrap_or(i64::MAX), "DA" => appearance_default(),
        };
        self.widget(page, name, area, &entries)
    }

    fn checkbox(&mut self, page: ObjectId, name: &str, area: BoxMm) -> ObjectId {
        let (on, off) = (self.appearance(area, &tick_path(area)), self.appearance(area, ""));
        let entries = dictionary! {
            "FT" => "Btn", "V" => "Off", "AS" => "Off",
            "MK" => dictionary! { "CA" => Object::string_literal("4") },
            "DA" => Object::string_literal("/ZaDb 0 Tf 0 g"),
            "AP" => dictionary! { "N" => dictionary! { ON => on, "Off" => off } },
        };
        self.widget(page, name, area, &entries)
    }

    fn code_field(&mut self, page: ObjectId, number: u8, payload: &str) -> ObjectId {
        let entries = dictionary! {
            "FT" => "Tx", "Ff" => FIELD_READ_ONLY, "F" => ANNOTATION_HIDDEN,
            "V" => text_string(payload), "DA" => appearance_default(),
        };
        let area = BoxMm::new(10.0, 290.0, 1.0, 1.0);
        self.widget(page, &format!("{CODE_PREFIX}{number}"), area, &entries)
    }

    fn appearance(&mut self, area: BoxMm, content: &str) -> ObjectId {
        let (w, h) = (area.w * POINTS, area.h * POINTS);
        let form = dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => numbers(&[0.0, 0.0, w, h]),
            "Resources" => Dictionary::new(),
        };
        self.pdf.add_object(Stream::new(form, content.as_bytes().to_vec()))
    }

    /// The roots of the field tree: a field on two pages becomes a parent of two widgets, so that
    /// what is typed on one page appears on the other.
    fn roots(mut self) -> Vec<Object> {
        let fields = std::mem::take(&mut self.fields);
        fields.into_iter().map(|(name, widgets)| self.root(&name, &widgets)).collect()
    }

    fn root(&mut self, name: &str, widgets: &[ObjectId]) -> Object {
        let [first, _, ..] = widgets else {
            return widgets.first().map_or(Object::Null, |id| Object::Reference(*id));
        };
        let mut parent = dictionary! { "T" => text_string(name) };
        for key in ["FT", "Ff", "MaxLen", "V", "DA"] {
            let value =
                self.pdf.get_dictionary(*first).ok().and_then(|d| d.get(key.as_bytes()).ok());
            if let Some(value) = value.cloned() {
                parent.set(key, value);
            }
        }
        let kids: Vec<Object> = widgets.iter().map(|id| Object::Reference(*id)).collect();
        parent.set("Kids", kids);
        let parent = self.pdf.add_object(parent);
        for id in widgets {
            if let Ok(widget) = self.pdf.get_dictionary_mut(*id) {
                for key in ["T", "FT", "Ff", "MaxLen", "V"] {
                    widget.remove(key.as_bytes());
                }
                widget.set("Parent", parent);
            }
        }
        Object::Reference(parent)
    }
}

fn numbers(values: &[f32]) -> Object {
    Object::Array(values.iter().map(|value| Object::Real(*value)).collect())
}

fn rectangle(area: BoxMm) -> Object {
    let top = PAGE_MM[1];
    let corners = [area.x, top - area.bottom(), area.right(), top - area.y];
    numbers(&corners.map(|value| value * POINTS))
}

/// The tick in the space of its appearance, origin at the bottom left.
fn tick_path(area: BoxMm) -> String {
    let home = BoxMm::new(0.0, 0.0, area.w, area.h);
    let points = tick(home).map(|[x, y]| [x * POINTS, (area.h - y) * POINTS]);
    let [[ax, ay], [bx, by], [cx, cy]] = points;
    let weight = TICK_MM * POINTS;
    format!("q 0 G {weight:.2} w 1 J 1 j {ax:.2} {ay:.2} m {bx:.2} {by:.2} l {cx:.2} {cy:.2} l S Q")
}

/// Gives fields their values and appearances.
pub(crate) fn set_values(
    pdf: &mut Document,
    setter: &Typesetter<'_>,
    values: &FieldValues,
) -> Result<(), PrintFault> {
    for (name, root) in roots_by_name(pdf) {
        let widgets = widgets_of(pdf, root);
        if let Some(digits) = values.digits.get(&name) {
            set(pdf, root, "V", text_string(digits))?;
            for widget in widgets {
                draw_digits(pdf, setter, widget, &name, digits)?;
            }
        } else if values.checks.contains(&name) {
            let state = || Object::Name(ON.as_bytes().to_vec());
            set(pdf, root, "V", state())?;
            for widget in widgets {
                set(pdf, widget, "AS", state())?;
            }
        }
    }
    Ok(())
}

/// Fills a form as a viewer would.
pub(crate) fn fill(
    bytes: &[u8],
    setter: &Typesetter<'_>,
    values: &FieldValues,
) -> Result<Vec<u8>, PrintFault> {
    let mut pdf = Document::load_mem(bytes).map_err(failed("opening the form"))?;
    if !roots_by_name(&pdf).iter().any(|(name, _)| name.starts_with(CODE_PREFIX)) {
        return Err(PrintFault::NotFillable);
    }
    set_values(&mut pdf, setter, values)?;
    Draft { pdf, pages: Vec::new() }.finish()
}

fn set(pdf: &mut Document, id: ObjectId, key: &str, value: Object) -> Result<(), PrintFault> {
    pdf.get_dictionary_mut(id).map_err(failed("opening a field"))?.set(key, value);
    Ok(())
}

fn roots_by_name(pdf: &Document) -> Vec<(String, ObjectId)> {
    let Some(fields) = read::root_fields(pdf) else { return Vec::new() };
    fields
        .into_iter()
        .filter_map(|id| {
            let name = pdf.get_dictionary(id).ok()?.get(b"T").ok()?;
            Some((lopdf::decode_text_string(name).ok()?, id))
        })
        .collect()
}

fn widgets_of(pdf: &Document, root: ObjectId) -> Vec<ObjectId> {
    let kids = pdf.get_dictionary(root).and_then(|d| d.get(b"Kids")).and_then(Object::as_array);
    kids.map_or_else(
        |_| vec![root],
        |kids| kids.iter().filter_map(|kid| kid.as_reference().ok()).collect(),
    )
}

/// One digit in the middle of each cell.
fn draw_digits(
    pdf: &mut Document,
    setter: &Typesetter<'_>,
    widget: ObjectId,
    name: &str,
    digits: &str,
) -> Result<(), PrintFault> {
    let dictionary = pdf.get_dictionary(widget).map_err(failed("opening a field"))?;
    let rect: Vec<f32> = dictionary
        .get(b"Rect")
        .and_then(Object::as_array)
        .map(|numbers| numbers.iter().filter_map(|n| n.as_float().ok()).collect())
        .map_err(failed("measuring a field"))?;
    let cells = inherited(pdf, widget, b"MaxLen").and_then(|o| o.as_i64().ok()).unwrap_or(1).max(1);
    let given = digits.chars().count();
    let cells = usize::try_from(cells).unwrap_or(1);
    if given > cells {
        return Err(PrintFault::TooManyDigits { field: name.to_owned(), given, cells });
    }
    let (w, h) = match rect.as_slice() {
        [x0, y0, x1, y1] => (x1 - x0, y1 - y0),
        _ => return Err(PrintFault::NotFillable),
    };
    let content = digits_content(setter, digits, cells, w, h)?;
    let font = read::form_resources(pdf).ok_or(PrintFault::NotFillable)?;
    let mut form = dictionary! {
        "Type" => "XObject", "Subtype" => "Form", "BBox" => numbers(&[0.0, 0.0, w, h]),
    };
    form.set("Resources", font);
    let form = pdf.add_object(Stream::new(form, content.into_bytes()));
    set(pdf, widget, "AP", dictionary! { "N" => form }.into())
}

fn inherited<'d>(pdf: &'d Document, id: ObjectId, key: &[u8]) -> Option<&'d Object> {
    let dictionary = pdf.get_dictionary(id).ok()?;
    dictionary.get(key).ok().or_else(|| {
        let parent = dictionary.get(b"Parent").ok()?.as_reference().ok()?;
        pdf.get_dictionary(parent).ok()?.get(key).ok()
    })
}

#[expect(clippy::cast_precision_loss, reason = "a field has at most eleven cells")]
fn digits_content(
    setter: &Typesetter<'_>,
    digits: &str,
    cells: usize,
    w: f32,
    h: f32,
) -> Result<String, PrintFault> {
    let mut content = format!("/Tx BMC\nq BT 0 g /{FACE} {DIGITS_POINTS} Tf\n");
    let pitch = w / cells as f32;
    let baseline = h / 2.0 - DIGITS_POINTS * 0.365;
    for (index, digit) in digits.chars().enumerate().filter(|(_, digit)| digit.is_ascii_digit()) {
        let run = setter.runs(crate::fonts::Role::Label, digit.encode_utf8(&mut [0; 4]))?;
        let width: f32 = run.iter().map(|run| run.width).sum::<f32>() * DIGITS_POINTS;
        let x = (index as f32 + 0.5) * pitch - width / 2.0;
        // Writing into a string cannot fail.
        let _ = writeln!(content, "1 0 0 1 {x:.3} {baseline:.3} Tm ({digit}) Tj");
    }
    content.push_str("ET Q\nEMC");
    Ok(content)
}
