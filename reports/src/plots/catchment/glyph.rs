//! Marks as path data: many of one kind make one path.

use crate::figure::Shape;
use std::fmt::Write as _;

/// Whether a shape is drawn with lines instead of a filling.
#[must_use]
pub fn is_line(shape: Shape) -> bool {
    matches!(shape, Shape::Ring | Shape::Cross)
}

/// Appends a mark around a place; `r` is its radius in pixels.
pub fn push(out: &mut String, shape: Shape, (x, y): (f64, f64), r: f64) {
    let points: &[(f64, f64)] = match shape {
        Shape::Square => &[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
        Shape::Diamond => &[(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)],
        Shape::Up => &[(0.0, -1.1), (1.1, 0.85), (-1.1, 0.85)],
        Shape::Down => &[(0.0, 1.1), (1.1, -0.85), (-1.1, -0.85)],
        Shape::Left => &[(-1.1, 0.0), (0.85, -1.1), (0.85, 1.1)],
        Shape::Right => &[(1.1, 0.0), (-0.85, -1.1), (-0.85, 1.1)],
        Shape::Cross => {
            let (r, back) = (0.9 * r, short(-1.8 * r));
            let size = short(1.8 * r);
            let (left, top) = (short(x - r), short(y - r));
            let _ = write!(out, "M{left} {top}l{size} {size}m0 {back}l{back} {size}");
            return;
        }
        Shape::Dot | Shape::Ring => {
            // Rounded before it is doubled, so that both halves meet.
            let r = (r * 10.0).round() / 10.0;
            let (radius, size) = (short(r), short(2.0 * r));
            let (left, y) = (short(x - r), short(y));
            let arc = format!("a{radius} {radius} 0 0 0");
            let _ = write!(out, "M{left} {y}{arc} {size} 0{arc}-{size} 0");
            return;
        }
    };
    for (index, (dx, dy)) in points.iter().enumerate() {
        let lead = if index == 0 { 'M' } else { 'L' };
        let _ = write!(out, "{lead}{} {}", short(x + dx * r), short(y + dy * r));
    }
    out.push('z');
}

/// A coordinate with one decimal where it is needed.
#[must_use]
pub fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_closed_or_lines() {
        let all = [Shape::Dot, Shape::Square, Shape::Diamond, Shape::Up, Shape::Down, Shape::Cross];
        for shape in all {
            let mut out = String::new();
            push(&mut out, shape, (10.0, 20.0), 3.0);
            assert!(out.starts_with('M') && out.len() < 60, "{out}");
            assert_eq!(out.ends_with('z') || shape == Shape::Dot, !is_line(shape), "{out}");
        }
    }
}
