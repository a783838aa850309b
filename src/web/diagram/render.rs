//! From a sketch to SVG and Mermaid.

use std::fmt::Write;

use super::layout::{Link, Place, Placed, lay_out};
use super::sketch::{Line, Sketch, Standing, State};
use super::text::{count, widest, width};
use super::{Graph, Scope, Trail, Words};

/// Free space around the drawing.
const MARGIN: f64 = 14.0;
const NAME_SIZE: f64 = 15.0;
const NAME_STEP: f64 = 20.0;
const SMALL_SIZE: f64 = 12.0;
const SMALL_STEP: f64 = 15.0;
/// The lines in the box of states that are reached from nearly everywhere.
const LIST_SIZE: f64 = 13.0;

/// A box's width and height.
fn measure(state: &State<'_>) -> (f64, f64) {
    let note = state.note.as_deref().map_or(0.0, |note| width(note, SMALL_SIZE));
    let note_step = if state.note.is_some() { 18.0 } else { 0.0 };
    match state.standing {
        Standing::Start => (22.0, 22.0),
        Standing::Anytime => {
            let wide = widest(&state.lines, LIST_SIZE).max(note) + 32.0;
            (wide, count(&state.lines).mul_add(NAME_STEP, note_step + 20.0))
        }
        _ => {
            let wide = widest(&state.lines, NAME_SIZE).max(note) + 28.0;
            let high = count(&state.lines).mul_add(NAME_STEP, note_step + 14.0);
            (wide.max(96.0), high.max(44.0))
        }
    }
}

fn label_size(line: &Line<'_>) -> Place {
    if line.label.is_empty() {
        return Place { along: 24.0, across: 4.0 };
    }
    Place {
        along: widest(&line.label, SMALL_SIZE) + 10.0,
        across: count(&line.label).mul_add(SMALL_STEP, 4.0),
    }
}

pub(super) fn svg(
    graph: &Graph,
    trail: &Trail,
    words: &dyn Words,
    scope: Scope,
    longest: f64,
) -> String {
    let sketch = Sketch::new(graph, trail, words, scope);
    let size = |state| {
        let (along, across) = measure(state);
        Place { along, across }
    };
    let boxes: Vec<Place> = sketch.states.iter().map(size).collect();
    let link = |line: &Line<'_>| {
        let (from, to) = (sketch.place(line.from)?, sketch.place(line.to)?);
        Some(Link { from, to, label: label_size(line), is_main: line.is_taken })
    };
    let links: Vec<Link> = sketch.lines.iter().filter_map(link).collect();
    let mut placed = lay_out(&boxes, &links);
    // Of the whole graph too many arrows would have to go round a row's end.
    if scope == Scope::Way {
        placed.fold(&boxes, longest - 2.0 * MARGIN);
    }
    Pen { sketch: &sketch, placed: &placed }.draw(&words.title(), &words.description(trail))
}

struct Pen<'a> {
    sketch: &'a Sketch<'a>,
    placed: &'a Placed,
}

impl Pen<'_> {
    fn draw(&self, title: &str, description: &str) -> String {
        let (wide, high) = point(self.placed.size);
        let (wide, high) = (wide + MARGIN, high + MARGIN);
        let mut out = format!(
            "<svg class=\"sd\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" \
             height=\"{high:.0}\" role=\"img\" aria-labelledby=\"sd-t sd-d\">\
             <title id=\"sd-t\">{}</title><desc id=\"sd-d\">{}</desc><defs>",
            escaped(title),
            escaped(description)
        );
        for kind in ["ahead", "taken"] {
            let _ = write!(
                out,
                "<marker id=\"sd-{kind}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
                 markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" \
                 orient=\"auto\"><path class=\"tip {kind}\" d=\"M0 .6 10 5 0 9.4z\"/></marker>"
            );
        }
        out.push_str("</defs>");
        let mut order: Vec<usize> = (0..self.sketch.lines.len()).collect();
        order.sort_by_key(|index| self.sketch.lines.get(*index).map(|line| line.is_taken));
        for index in order {
            self.path(&mut out, index);
            self.label(&mut out, index);
        }
        for index in 0..self.sketch.states.len() {
            self.state(&mut out, index);
        }
        out.push_str("</svg>");
        out
    }

    /// The arrow makes way for its label, so that nothing strikes the text through.
    fn path(&self, out: &mut String, index: usize) {
        let (Some(line), Some(led)) = (self.sketch.lines.get(index), self.placed.links.get(index))
        else {
            return;
        };
        let kind = if line.is_taken { "taken" } else { "ahead" };
        let _ = write!(out, "<path class=\"arrow {kind}\" d=\"");
        let half = label_size(line).along / 2.0;
        let mut previous: Option<Place> = None;
        for place in &led.points {
            let (x, y) = point(*place);
            match previous {
                None => {
                    let _ = write!(out, "M{x:.1} {y:.1}");
                }
                Some(before) if is_labelled(line, led.label, before, *place) => {
                    let sign = (place.along - before.along).signum();
                    let (middle, _) = point(led.label);
                    let (ends, begins) = (middle - sign * half, middle + sign * half);
                    let _ = write!(out, "L{ends:.1} {y:.1}M{begins:.1} {y:.1}L{x:.1} {y:.1}");
                }
                Some(before)
                    if (before.across - place.across).abs() < 0.5
                        || (before.along - place.along).abs() < 0.5 =>
                {
                    let _ = write!(out, "L{x:.1} {y:.1}");
                }
                Some(before) => {
                    let (middle, before_y) = point(Place {
                        along: f64::midpoint(before.along, place.along),
                        across: before.across,
                    });
                    let _ =
                        write!(out, "C{middle:.1} {before_y:.1} {middle:.1} {y:.1} {x:.1} {y:.1}");
                }
            }
            previous = Some(*place);
        }
        let _ = write!(out, "\" marker-end=\"url(#sd-{kind})\"/>");
    }

    fn label(&self, out: &mut String, index: usize) {
        let (Some(line), Some(led)) = (self.sketch.lines.get(index), self.placed.links.get(index))
        else {
            return;
        };
        let (x, y) = point(led.label);
        let taken = if line.is_taken { " taken" } else { "" };
        let first = (count(&line.label) - 1.0).mul_add(-SMALL_STEP / 2.0, y + 4.3);
        for (at, text) in line.label.iter().enumerate() {
            let y = f64::from(u32::try_from(at).unwrap_or_default()).mul_add(SMALL_STEP, first);
            let _ = write!(
                out,
                "<text class=\"by{taken}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                escaped(text)
            );
        }
    }

    fn state(&self, out: &mut String, index: usize) {
        let (Some(state), Some(place)) =
            (self.sketch.states.get(index), self.placed.boxes.get(index))
        else {
            return;
        };
        let (x, y) = point(*place);
        let class = state.standing.class();
        if state.standing == Standing::Start {
            let _ = write!(out, "<circle class=\"start\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>");
            return;
        }
        let (wide, high) = measure(state);
        let (left, top) = (x - wide / 2.0, y - high / 2.0);
        let end = if state.is_end { " end" } else { "" };
        let _ = write!(
            out,
            "<g class=\"state {class}{end}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" \
             width=\"{wide:.1}\" height=\"{high:.1}\" rx=\"10\"/>"
        );
        if state.is_end {
            let _ = write!(
                out,
                "<rect class=\"inner\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\" rx=\"7\"/>",
                left + 3.5,
                top + 3.5,
                wide - 7.0,
                high - 7.0
            );
        }
        names(out, state, (x, y), top);
        if state.visits > 0 {
            let (cx, cy) = (left + wide - 1.0, top + 1.0);
            let _ = write!(
                out,
                "<circle class=\"count\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"10\"/>\
                 <text class=\"count\" x=\"{cx:.1}\" y=\"{:.1}\">{}</text>",
                cy + 4.3,
                state.visits
            );
        }
        out.push_str("</g>");
    }
}

/// The name over the note; in the box of many states the note is the heading.
fn names(out: &mut String, state: &State<'_>, (x, y): (f64, f64), top: f64) {
    let is_list = state.standing == Standing::Anytime;
    let rows =
        count(&state.lines).mul_add(NAME_STEP, if state.note.is_some() { 18.0 } else { 0.0 });
    let mut at = if is_list { top + 43.0 } else { y - rows / 2.0 + 15.5 };
    for text in &state.lines {
        let text = escaped(text);
        let _ = write!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{at:.1}\">{text}</text>");
        at += NAME_STEP;
    }
    if let Some(note) = &state.note {
        let at = if is_list { top + 22.0 } else { at - 2.0 };
        let note = escaped(note);
        let _ = write!(out, "<text class=\"note\" x=\"{x:.1}\" y=\"{at:.1}\">{note}</text>");
    }
}

/// The piece of an arrow on which its label lies.
fn is_labelled(line: &Line<'_>, label: Place, one: Place, two: Place) -> bool {
    let (first, last) = (one.along.min(two.along), one.along.max(two.along));
    !line.label.is_empty()
        && (one.across - two.across).abs() < 0.5
        && (one.across - label.across).abs() < 0.5
        && (first..=last).contains(&label.along)
}

fn point(place: Place) -> (f64, f64) {
    (place.along + MARGIN, place.across + MARGIN)
}

pub(super) fn mermaid(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    let sketch = Sketch::new(graph, trail, words, scope);
    let id = |name: &str| name.replace('.', "_").replace('*', "Anytime");
    let mut out = String::from("stateDiagram-v2\n");
    for state in &sketch.states {
        let between = if state.standing == Standing::Anytime { ", " } else { "" };
        let mut shown = state.lines.join(between);
        if let Some(note) = &state.note {
            let _ = write!(shown, " / {note}");
        }
        if state.standing == Standing::Start {
            let _ = writeln!(out, "    [*] --> {}", id(state.name));
        } else {
            let _ = writeln!(out, "    {} : {shown}", id(state.name));
            let _ = writeln!(out, "    class {} {}", id(state.name), state.standing.class());
        }
    }
    for line in &sketch.lines {
        let label = line.label.join(" / ");
        let _ = writeln!(out, "    {} --> {} : {label}", id(line.from), id(line.to));
    }
    for state in sketch.states.iter().filter(|state| state.is_end) {
        let _ = writeln!(out, "    {} --> [*]", id(state.name));
    }
    out.push_str("    classDef passed fill:#e6f5ec,stroke:#197a4b,color:#16181d\n");
    out.push_str("    classDef now fill:#0017c1,stroke:#0017c1,color:#fff\n");
    out.push_str("    classDef ahead fill:#fff,stroke:#6b7280,color:#16181d\n");
    out
}

/// For text and attributes alike.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}
