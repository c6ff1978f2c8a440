//! Who lands where: shares of the users by landing site, over time and on maps.

mod gather;
mod glyph;
mod maps;
mod shares;

pub use gather::Catchment;
pub use maps::maps;
pub use shares::over_time;
