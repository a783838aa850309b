//! Plots drawn on the server: SVG whose colours are the style sheet's, with words beside the lines.

use std::fmt::Write;

use minijinja::value::Value;

const LEFT: f64 = 48.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 200.0;
/// A line of words.
const WORD: f64 = 16.0;

/// Text as it may stand in SVG.
fn safe(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn drawn(inner: &str, height: f64, spoken: &str) -> Value {
    Value::from_safe_string(format!(
        "<svg class=\"chart\" viewBox=\"0 0 760 {height}\" role=\"img\" aria-label=\"{}\">{inner}</svg>",
        safe(spoken)
    ))
}

/// A round number at or above the greatest value, so that lines of the grid are round as well.
fn ceiling(greatest: f64) -> f64 {
    let steps = [4.0, 8.0, 12.0, 20.0, 40.0, 60.0, 80.0, 100.0, 200.0, 400.0, 800.0, 2000.0];
    steps.into_iter().find(|step| *step >= greatest).unwrap_or(greatest * 1.1)
}

fn grid(top: f64, unit: &str) -> String {
    let mut out = String::new();
    for part in 0..=4_u8 {
        let share = f64::from(part) / 4.0;
        let y = BOTTOM - share * (BOTTOM - TOP);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{}{unit}</text>",
            LEFT - 8.0,
            y + 4.0,
            top * share
        );
    }
    out
}

/// A word under the plot.
fn under(out: &mut String, x: f64, label: &str) {
    let (y, label) = (BOTTOM + 20.0, safe(label));
    // Writing into a string cannot fail.
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y}\" class=\"middle\">{label}</text>");
}

fn height(value: f64, top: f64) -> f64 {
    (BOTTOM - TOP) * (value / top.max(1e-9)).min(1.0)
}

/// Two counts a day: bars, and a line over them, each with its word at the end.
pub(super) fn days(
    labels: &[String],
    bars: &[f64],
    line: &[f64],
    names: [&str; 2],
    spoken: &str,
) -> Value {
    let top = ceiling(bars.iter().chain(line).copied().fold(1.0, f64::max));
    let step = (RIGHT - LEFT) / f64::from(u32::try_from(labels.len().max(1)).unwrap_or(1));
    let mut out = grid(top, "");
    let mut points = String::new();
    let mut x = LEFT + step / 2.0;
    for (at, label) in labels.iter().enumerate() {
        let (bar, dot) =
            (bars.get(at).copied().unwrap_or(0.0), line.get(at).copied().unwrap_or(0.0));
        let tall = height(bar, top);
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" rx=\"2\"/>",
            x - step * 0.34,
            BOTTOM - tall,
            step * 0.68
        );
        let _ = write!(points, "{x:.1},{:.1} ", BOTTOM - height(dot, top));
        // The last day has its word; one just before would lie under it.
        if at + 1 == labels.len() || (at % 7 == 0 && at + 3 < labels.len()) {
            under(&mut out, x, label);
        }
        x += step;
    }
    let _ = write!(out, "<polyline class=\"line\" points=\"{}\"/>", points.trim_end());
    let end = |value: Option<&f64>| BOTTOM - height(value.copied().unwrap_or(0.0), top);
    let (first, second) = apart(end(bars.last()), end(line.last()));
    let _ = write!(
        out,
        "<text class=\"word bars\" x=\"{0}\" y=\"{1:.1}\">{2}</text><text class=\"word lines\" x=\"{0}\" y=\"{3:.1}\">{4}</text>",
        RIGHT + 10.0,
        first + 4.0,
        safe(names[0]),
        second + 4.0,
        safe(names[1])
    );
    drawn(&out, 228.0, spoken)
}

/// A row of counts a line, one part after the other, and their sum at the end.
pub(super) fn stacks(rows: &[(String, [usize; 4])], parts: [&str; 4], spoken: &str) -> Value {
    let sum = |counts: &[usize; 4]| counts.iter().sum::<usize>();
    let most = rows.iter().map(|(_, counts)| sum(counts)).max().unwrap_or(1).max(1);
    let width = |count: usize| (RIGHT - 150.0) * number(count) / number(most);
    let mut out = String::new();
    let mut x = 150.0;
    for (at, part) in parts.iter().enumerate() {
        let _ = write!(
            out,
            "<rect class=\"part{at}\" x=\"{x}\" y=\"2\" width=\"12\" height=\"12\" rx=\"3\"/><text x=\"{}\" y=\"13\">{}</text>",
            x + 18.0,
            safe(part)
        );
        x += 110.0;
    }
    let mut y = 30.0;
    for (name, counts) in rows {
        let _ = write!(
            out,
            "<text class=\"word end\" x=\"140\" y=\"{}\">{}</text>",
            y + 20.0,
            safe(name)
        );
        let mut x = 150.0;
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let wide = width(*count);
            let _ = write!(
                out,
                "<rect class=\"part{at}\" x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"30\" rx=\"3\"/>",
                (wide - 1.5).max(1.0)
            );
            if wide > 22.0 {
                let _ = write!(
                    out,
                    "<text class=\"on{at} middle\" x=\"{:.1}\" y=\"{}\">{count}</text>",
                    x + wide / 2.0,
                    y + 20.0
                );
            }
            x += wide;
        }
        let _ = write!(
            out,
            "<text class=\"word\" x=\"{:.1}\" y=\"{}\">{}</text>",
            x + 8.0,
            y + 20.0,
            sum(counts)
        );
        y += 42.0;
    }
    drawn(&out, y, spoken)
}

/// Bars beside their names, the longest first.
pub(super) fn ranks(rows: &[(String, usize)], unit: &str, spoken: &str) -> Value {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let mut out = String::new();
    let mut y = 8.0;
    for (name, count) in rows {
        let wide = (RIGHT - 330.0) * number(*count) / number(most);
        let _ = write!(
            out,
            "<text class=\"end strong\" x=\"320\" y=\"{0}\">{1}</text><rect class=\"rank\" x=\"330\" y=\"{y}\" width=\"{wide:.1}\" height=\"22\" rx=\"4\"/><text class=\"word\" x=\"{2:.1}\" y=\"{0}\">{count}{unit}</text>",
            y + 16.0,
            safe(name),
            338.0 + wide
        );
        y += 34.0;
    }
    drawn(&out, y + 4.0, spoken)
}

/// Two lines a week: half of all, and nine of ten; a dotted one for the target.
pub(super) fn weeks(
    labels: &[String],
    halves: &[f64],
    nines: &[f64],
    target: f64,
    words: [&str; 3],
    spoken: &str,
) -> Value {
    let top = ceiling(halves.iter().chain(nines).copied().fold(target, f64::max));
    let step = (RIGHT - LEFT) / number(labels.len().saturating_sub(1).max(1));
    let mut out = grid(top, words[2]);
    let place = |values: &[f64]| {
        let mut x = LEFT;
        let mut points = String::new();
        for value in values {
            let _ = write!(points, "{x:.1},{:.1} ", BOTTOM - height(*value, top));
            x += step;
        }
        points.trim_end().to_owned()
    };
    let y = BOTTOM - height(target, top);
    let _ = write!(
        out,
        "<line class=\"target\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
    );
    let _ = write!(out, "<polyline class=\"line nine\" points=\"{}\"/>", place(nines));
    let _ = write!(out, "<polyline class=\"line half\" points=\"{}\"/>", place(halves));
    let mut x = LEFT;
    for label in labels {
        under(&mut out, x, label);
        x += step;
    }
    let end = |values: &[f64]| BOTTOM - height(values.last().copied().unwrap_or(0.0), top);
    let (half, nine) = apart(end(halves), end(nines));
    for (y, word) in [(nine, words[1]), (half, words[0])] {
        let _ = write!(
            out,
            "<text class=\"word\" x=\"{}\" y=\"{:.1}\">{}</text>",
            RIGHT + 10.0,
            y + 4.0,
            safe(word)
        );
    }
    drawn(&out, 228.0, spoken)
}

/// Where the words of two lines stand: beside their ends, but never on each other, nor on what stands
/// below the axis.
fn apart(one: f64, other: f64) -> (f64, f64) {
    let lower = one.max(other).max(one.min(other) + WORD).min(BOTTOM - 4.0);
    let upper = one.min(other).min(lower - WORD);
    if one < other { (upper, lower) } else { (lower, upper) }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_into_a_drawing() {
        let drawn = ranks(&[("<script>\"&".to_owned(), 3)], "", "<b>").to_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("\"<b>\""), "{drawn}");
        assert!(drawn.contains("&lt;script&gt;&quot;&amp;"));
    }

    #[test]
    fn words_stand_apart_and_above_the_axis() {
        for (one, other) in [(BOTTOM, BOTTOM), (20.0, 24.0), (24.0, 20.0), (BOTTOM, 20.0)] {
            let (first, second) = apart(one, other);
            assert!((first - second).abs() >= WORD, "{one} and {other}");
            assert!(first.max(second) <= BOTTOM - 4.0, "{one} and {other}");
        }
        assert_eq!(apart(20.0, 80.0), (20.0, 80.0));
    }

    #[test]
    fn nothing_to_show_is_drawn_all_the_same() {
        for chart in [
            days(&[], &[], &[], ["a", "b"], ""),
            stacks(&[], ["a", "b", "c", "d"], ""),
            ranks(&[], "", ""),
            weeks(&[], &[], &[], 1.0, ["a", "b", ""], ""),
        ] {
            let text = chart.to_string();
            assert!(
                text.starts_with("<svg") && !text.contains("NaN") && !text.contains("inf"),
                "{text}"
            );
        }
    }
}
