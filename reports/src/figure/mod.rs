//! Charts as SVG. All of plotters is behind this module; nothing else names it.

mod canvas;
mod chart;
mod ink;
pub mod svg;
mod width;

pub use chart::{Axis, Chart, Layer, Shape, TOP_PX, label_room};
pub use ink::{ARM_INKS, Dash, HEAT_INKS, Ink, LINE_INKS, LOAD_INKS, Pen};
pub use width::text_width;
