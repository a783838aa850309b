//! A sheet of paper to draw on: millimetres from the top left, text centred on its line.

use std::collections::{BTreeMap, BTreeSet};

use printpdf::{
    Color, FontId, Line, LinePoint, Mm, Op, PaintMode, PdfFontHandle, Point, Polygon, PolygonRing,
    Pt, Rect, Rgb, TextItem, WindingOrder,
};

use crate::fault::PrintFault;
use crate::fonts::{Role, Run, Typesetter};
use crate::form3::{BoxMm, PAGE_MM};
use crate::picture::PagePicture;

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const BLACK: Ink = Ink(20, 24, 31);
pub(crate) const GREY: Ink = Ink(92, 102, 116);
pub(crate) const WHITE: Ink = Ink(255, 255, 255);

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) role: Role,
    pub(crate) points: f32,
    pub(crate) ink: Ink,
    pub(crate) align: Align,
}

impl Style {
    pub(crate) const fn label(points: f32) -> Self {
        Self { role: Role::Label, points, ink: BLACK, align: Align::Left }
    }

    pub(crate) const fn bold(points: f32) -> Self {
        Self { role: Role::Bold, points, ink: BLACK, align: Align::Left }
    }

    pub(crate) const fn value(points: f32) -> Self {
        Self { role: Role::Value, points, ink: BLACK, align: Align::Left }
    }

    pub(crate) const fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    pub(crate) const fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }
}

/// The characters in use, by face.
pub(crate) type Used = BTreeMap<usize, BTreeSet<char>>;

/// How far a curve's control points lie out for a quarter of a circle of radius one.
const BOW: f32 = 0.552_285;

/// Millimetres of one point.
pub(crate) const MM_PER_POINT: f32 = 25.4 / 72.0;

/// The middle of a line of text lies so many ems above its baseline.
const MIDDLE_EM: f32 = 0.365;

/// One page being drawn.
pub(crate) struct Sheet<'a> {
    setter: &'a Typesetter<'a>,
    pub(crate) ops: Vec<Op>,
    pub(crate) used: Used,
    /// Operators that follow those of the library.
    pub(crate) appended: String,
    /// Pictures that lie under everything else.
    pub(crate) pictures: Vec<(BoxMm, PagePicture)>,
    height: f32,
    /// What was printed where, so that tests can hold it against the boxes.
    #[cfg(test)]
    pub(crate) extents: Vec<(BoxMm, String)>,
}

/// The resource name of a face.
pub(crate) fn font_id(face: usize) -> FontId {
    FontId(format!("F{face}"))
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(setter: &'a Typesetter<'a>) -> Self {
        Self::of_height(setter, PAGE_MM[1])
    }

    /// A sheet of another height, as for the appearance of a field.
    pub(crate) fn of_height(setter: &'a Typesetter<'a>, height: f32) -> Self {
        Self {
            setter,
            ops: Vec::new(),
            used: Used::new(),
            appended: String::new(),
            pictures: Vec::new(),
            height,
            #[cfg(test)]
            extents: Vec::new(),
        }
    }

    fn point(&self, x: f32, y: f32) -> Point {
        Point::new(Mm(x), Mm(self.height - y))
    }

    #[cfg(test)]
    fn note(&mut self, area: BoxMm, what: &str) {
        self.extents.push((area, what.to_owned()));
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only tests keep the extents")]
    fn note(&mut self, _area: BoxMm, _what: &str) {}

    fn rectangle(&self, area: BoxMm, mode: PaintMode) -> Op {
        let corner = self.point(area.x, area.bottom());
        let rectangle = Rect {
            x: corner.x,
            y: corner.y,
            width: Mm(area.w).into(),
            height: Mm(area.h).into(),
            mode: Some(mode),
            winding_order: None,
        };
        Op::DrawRectangle { rectangle }
    }

    pub(crate) fn fill(&mut self, area: BoxMm, ink: Ink) {
        self.ops.push(Op::SetFillColor { col: colour(ink) });
        self.ops.push(self.rectangle(area, PaintMode::Fill));
        self.note(area, "tint");
    }

    /// The frame of a box that is read: its line lies on the edge and it is no obstacle to itself.
    pub(crate) fn field_frame(&mut self, area: BoxMm, millimetres: f32, ink: Ink) {
        self.pen(millimetres, ink);
        self.ops.push(self.rectangle(area, PaintMode::Stroke));
    }

    pub(crate) fn frame(&mut self, area: BoxMm, millimetres: f32, ink: Ink) {
        for (x1, y1, x2, y2) in [
            (area.x, area.y, area.right(), area.y),
            (area.right(), area.y, area.right(), area.bottom()),
            (area.right(), area.bottom(), area.x, area.bottom()),
            (area.x, area.bottom(), area.x, area.y),
        ] {
            let (left, top) = (x1.min(x2), y1.min(y2));
            self.note(BoxMm::new(left, top, (x1 - x2).abs(), (y1 - y2).abs()), "frame");
        }
        self.field_frame(area, millimetres, ink);
    }

    pub(crate) fn line(&mut self, from: [f32; 2], to: [f32; 2], millimetres: f32, ink: Ink) {
        self.pen(millimetres, ink);
        self.stroke(&[from, to]);
        let (x, y) = (from[0].min(to[0]), from[1].min(to[1]));
        let area = BoxMm::new(x, y, (from[0] - to[0]).abs(), (from[1] - to[1]).abs());
        self.note(area, "line");
    }

    pub(crate) fn pen(&mut self, millimetres: f32, ink: Ink) {
        self.ops.push(Op::SetOutlineThickness { pt: Mm(millimetres).into() });
        self.ops.push(Op::SetOutlineColor { col: colour(ink) });
    }

    /// An open path with the current pen.
    pub(crate) fn stroke(&mut self, points: &[[f32; 2]]) {
        let points = points.iter().map(|[x, y]| LinePoint { p: self.point(*x, *y), bezier: false });
        let points = points.collect();
        self.ops.push(Op::DrawLine { line: Line { points, is_closed: false } });
    }

    /// Adds finished operators of a content stream, which must leave the graphics state as it was.
    pub(crate) fn append(&mut self, operators: &str) {
        self.appended.push_str(operators);
    }

    /// Lays a picture under everything that is drawn on the sheet.
    pub(crate) fn picture(&mut self, area: BoxMm, picture: &PagePicture) {
        self.pictures.push((area, picture.clone()));
    }

    /// A line around an area with round corners, light at its edges so that it shows on anything.
    pub(crate) fn ring(&mut self, area: BoxMm, millimetres: f32, ink: Ink) {
        let radius = (area.h.min(area.w) / 2.0).min(4.0);
        for (weight, ink) in [(millimetres * 2.0, WHITE), (millimetres, ink)] {
            self.pen(weight, ink);
            let points = rounded(area, radius);
            let points = points
                .into_iter()
                .map(|(x, y, bezier)| LinePoint { p: self.point(x, y), bezier })
                .collect();
            self.ops.push(Op::DrawLine { line: Line { points, is_closed: true } });
        }
        self.note(area, "ring");
    }

    /// Fills many rectangles as one path, without seams between them.
    pub(crate) fn fill_all(&mut self, areas: impl Iterator<Item = BoxMm>, ink: Ink) {
        let rings = areas
            .map(|a| {
                let corners =
                    [(a.x, a.y), (a.right(), a.y), (a.right(), a.bottom()), (a.x, a.bottom())];
                let points = corners
                    .into_iter()
                    .map(|(x, y)| LinePoint { p: self.point(x, y), bezier: false })
                    .collect();
                PolygonRing { points }
            })
            .collect();
        let polygon =
            Polygon { rings, mode: PaintMode::Fill, winding_order: WindingOrder::NonZero };
        self.ops.push(Op::SetFillColor { col: colour(ink) });
        self.ops.push(Op::DrawPolygon { polygon });
    }

    /// A filled circle, of four curves.
    pub(crate) fn disc(&mut self, [x, y]: [f32; 2], radius: f32, ink: Ink) {
        let (r, b) = (radius, radius * BOW);
        let curve = [
            (r, 0.0, false),
            (r, b, true),
            (b, r, true),
            (0.0, r, false),
            (-b, r, true),
            (-r, b, true),
            (-r, 0.0, false),
            (-r, -b, true),
            (-b, -r, true),
            (0.0, -r, false),
            (b, -r, true),
            (r, -b, true),
            (r, 0.0, false),
        ];
        let points = curve
            .into_iter()
            .map(|(dx, dy, bezier)| LinePoint { p: self.point(x + dx, y + dy), bezier })
            .collect();
        let rings = vec![PolygonRing { points }];
        let polygon =
            Polygon { rings, mode: PaintMode::Fill, winding_order: WindingOrder::NonZero };
        self.ops.push(Op::SetFillColor { col: colour(ink) });
        self.ops.push(Op::DrawPolygon { polygon });
        self.note(BoxMm::new(x - r, y - r, 2.0 * r, 2.0 * r), "disc");
    }

    /// One line of text; `y` is the middle of the line.
    pub(crate) fn text(
        &mut self,
        at: [f32; 2],
        style: Style,
        text: &str,
    ) -> Result<f32, PrintFault> {
        let runs = self.setter.runs(style.role, text)?;
        let em = style.points * MM_PER_POINT;
        let width = runs.iter().map(|run| run.width).sum::<f32>() * em;
        let left = match style.align {
            Align::Left => at[0],
            Align::Centre => at[0] - width / 2.0,
            Align::Right => at[0] - width,
        };
        self.show(left, at[1] + MIDDLE_EM * em, style, runs);
        self.note(BoxMm::new(left, at[1] - em / 2.0, width, em), text);
        Ok(width)
    }

    /// Lines below each other with the given leading in millimetres.
    pub(crate) fn lines(
        &mut self,
        at: [f32; 2],
        leading: f32,
        style: Style,
        lines: &[&str],
    ) -> Result<(), PrintFault> {
        let mut y = at[1];
        for line in lines {
            self.text([at[0], y], style, line)?;
            y += leading;
        }
        Ok(())
    }

    /// The width of a text in millimetres.
    pub(crate) fn width(&self, style: Style, text: &str) -> Result<f32, PrintFault> {
        let runs = self.setter.runs(style.role, text)?;
        Ok(runs.iter().map(|run| run.width).sum::<f32>() * style.points * MM_PER_POINT)
    }

    fn show(&mut self, left: f32, baseline: f32, style: Style, runs: Vec<Run>) {
        self.ops.push(Op::SetFillColor { col: colour(style.ink) });
        self.ops.push(Op::StartTextSection);
        self.ops.push(Op::SetTextCursor { pos: self.point(left, baseline) });
        for run in runs {
            self.used.entry(run.face).or_default().extend(run.text.chars());
            let font = PdfFontHandle::External(font_id(run.face));
            self.ops.push(Op::SetFont { font, size: Pt(style.points) });
            self.ops.push(Op::ShowText { items: vec![TextItem::Text(run.text)] });
        }
        self.ops.push(Op::EndTextSection);
    }
}

/// The corners of a rectangle as curves: places, and whether each is a control point.
fn rounded(area: BoxMm, radius: f32) -> Vec<(f32, f32, bool)> {
    let (left, top, right, bottom) = (area.x, area.y, area.right(), area.bottom());
    let bow = radius * (1.0 - BOW);
    vec![
        (left + radius, top, false),
        (right - radius, top, false),
        (right - bow, top, true),
        (right, top + bow, true),
        (right, top + radius, false),
        (right, bottom - radius, false),
        (right, bottom - bow, true),
        (right - bow, bottom, true),
        (right - radius, bottom, false),
        (left + radius, bottom, false),
        (left + bow, bottom, true),
        (left, bottom - bow, true),
        (left, bottom - radius, false),
        (left, top + radius, false),
        (left, top + bow, true),
        (left + bow, top, true),
        (left + radius, top, false),
    ]
}

fn colour(Ink(r, g, b): Ink) -> Color {
    let part = |value: u8| f32::from(value) / 255.0;
    Color::Rgb(Rgb { r: part(r), g: part(g), b: part(b), icc_profile: None })
}

/// Adds the characters of one sheet to those of a document.
pub(crate) fn merge(into: &mut Used, from: &Used) {
    for (face, characters) in from {
        into.entry(*face).or_default().extend(characters);
    }
}
