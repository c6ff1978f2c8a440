//! Colours by their role. Which colour a role has is the style sheet's business, in light and dark.

use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle};

/// Number of arm colours; further arms start over and differ by dash and name.
pub const ARM_INKS: usize = 6;

/// Number of colours for entities inside one chart.
pub const LINE_INKS: usize = 5;

/// Number of steps of load.
pub const LOAD_INKS: usize = 4;

/// Number of steps of a heat map: five up to capacity, and one above.
pub const HEAT_INKS: usize = 6;

/// What a drawn thing stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Titles and values.
    Text,
    /// Axis labels.
    Muted,
    /// Grid lines.
    Grid,
    /// Axes and zero lines.
    Axis,
    /// The page itself: halos and hollow markers.
    Paper,
    /// Lost traffic.
    Lost,
    /// Something that happened.
    Event,
    /// A shaded zone.
    Zone,
    /// Confirmed better.
    Better,
    /// Confirmed worse.
    Worse,
    /// An arm, by its position.
    Arm(usize),
    /// One of a few entities of a chart.
    Line(usize),
    /// How loaded something is: 0 (low) to 3 (above capacity).
    Load(usize),
    /// The same in a heat map, in steps of a fifth of the capacity: 0 to 4, and 5 above capacity.
    Heat(usize),
}

impl Ink {
    /// Class in the style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        const ARMS: [&str; ARM_INKS] = ["a0", "a1", "a2", "a3", "a4", "a5"];
        const LINES: [&str; LINE_INKS] = ["s0", "s1", "s2", "s3", "s4"];
        const LOADS: [&str; LOAD_INKS] = ["u0", "u1", "u2", "u3"];
        const HEATS: [&str; HEAT_INKS] = ["q0", "q1", "q2", "q3", "q4", "q5"];
        match self {
            Ink::Text => "tx",
            Ink::Muted => "mu",
            Ink::Grid => "gr",
            Ink::Axis => "ax",
            Ink::Paper => "pa",
            Ink::Lost => "lo",
            Ink::Event => "ev",
            Ink::Zone => "zo",
            Ink::Better => "be",
            Ink::Worse => "wo",
            Ink::Arm(index) => ARMS[index % ARM_INKS],
            Ink::Line(index) => LINES[index % LINE_INKS],
            Ink::Load(index) => LOADS[index.min(LOAD_INKS - 1)],
            Ink::Heat(index) => HEATS[index.min(HEAT_INKS - 1)],
        }
    }

    const PLAIN: [Ink; 10] = [
        Ink::Text,
        Ink::Muted,
        Ink::Grid,
        Ink::Axis,
        Ink::Paper,
        Ink::Lost,
        Ink::Event,
        Ink::Zone,
        Ink::Better,
        Ink::Worse,
    ];

    /// The role as the colour that travels through plotters: blue names it.
    fn code(self) -> u8 {
        match self {
            Ink::Arm(index) => 0x40 + (index % ARM_INKS) as u8,
            Ink::Line(index) => 0x80 + (index % LINE_INKS) as u8,
            Ink::Load(index) => 0xc0 + index.min(LOAD_INKS - 1) as u8,
            Ink::Heat(index) => 0xe0 + index.min(HEAT_INKS - 1) as u8,
            plain => Ink::PLAIN.iter().position(|ink| *ink == plain).unwrap_or(0) as u8,
        }
    }

    /// The role that a colour stands for.
    pub(super) fn from_code(code: u8) -> Ink {
        match code {
            0xe0.. => Ink::Heat(usize::from(code - 0xe0)),
            0xc0.. => Ink::Load(usize::from(code - 0xc0)),
            0x80.. => Ink::Line(usize::from(code - 0x80)),
            0x40.. => Ink::Arm(usize::from(code - 0x40)),
            plain => Ink::PLAIN.get(usize::from(plain)).copied().unwrap_or(Ink::Text),
        }
    }

    /// The colour to hand to plotters.
    #[must_use]
    pub(super) fn color(self) -> RGBColor {
        RGBColor(0, 0, self.code())
    }
}

/// How a line is broken, so that no line is told by its colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    #[default]
    Solid,
    /// Long dashes.
    Long,
    /// Short dashes.
    Short,
    /// Dots.
    Dots,
    /// Dash and dot.
    Mixed,
}

impl Dash {
    /// In the order in which a chart gives them out.
    pub const ALL: [Dash; 5] = [Dash::Solid, Dash::Long, Dash::Short, Dash::Mixed, Dash::Dots];

    /// The dash of the n-th line of a chart.
    #[must_use]
    pub fn of(index: usize) -> Dash {
        Dash::ALL[index % Dash::ALL.len()]
    }

    /// Class in the style sheet; empty when unbroken.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Dash::Solid => "",
            Dash::Long => "d1",
            Dash::Short => "d2",
            Dash::Mixed => "d3",
            Dash::Dots => "d4",
        }
    }

    fn code(self) -> u8 {
        Dash::ALL.iter().position(|dash| *dash == self).unwrap_or(0) as u8
    }

    pub(super) fn from_code(code: u8) -> Dash {
        Dash::of(usize::from(code))
    }
}

/// Ink, dash, width and opacity of a drawn thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    /// Role.
    pub ink: Ink,
    /// Broken how.
    pub dash: Dash,
    /// Width in tenths of a pixel.
    pub width: u32,
    /// 0 to 1.
    pub opacity: f64,
}

impl Pen {
    /// A solid line of 1.6 pixels.
    #[must_use]
    pub fn line(ink: Ink) -> Pen {
        Pen { ink, dash: Dash::Solid, width: 16, opacity: 1.0 }
    }

    /// The same with another dash.
    #[must_use]
    pub fn dashed(self, dash: Dash) -> Pen {
        Pen { dash, ..self }
    }

    /// The same with another width, in tenths of a pixel.
    #[must_use]
    pub fn width(self, width: u32) -> Pen {
        Pen { width, ..self }
    }

    /// The same with another opacity.
    #[must_use]
    pub fn opacity(self, opacity: f64) -> Pen {
        Pen { opacity, ..self }
    }

    /// For plotters: red carries the dash, blue the role.
    pub(super) fn style(self, filled: bool) -> ShapeStyle {
        let RGBColor(_, green, blue) = self.ink.color();
        let color: RGBAColor = RGBColor(self.dash.code(), green, blue).mix(self.opacity);
        ShapeStyle { color, filled, stroke_width: self.width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_the_way_through_plotters() {
        let mut inks = Ink::PLAIN.to_vec();
        inks.extend((0..ARM_INKS).map(Ink::Arm));
        inks.extend((0..LINE_INKS).map(Ink::Line));
        inks.extend((0..LOAD_INKS).map(Ink::Load));
        inks.extend((0..HEAT_INKS).map(Ink::Heat));
        for ink in inks {
            assert_eq!(Ink::from_code(ink.code()), ink);
        }
        for dash in Dash::ALL {
            assert_eq!(Dash::from_code(dash.code()), dash);
        }
    }
}
