//! What the importers share: text and positions, exact numbers, names, the network on its way to
//! YAML.

pub(crate) mod archive;
pub(crate) mod compose;
pub(crate) mod draft;
pub(crate) mod names;
pub(crate) mod problem;
pub(crate) mod stamp;
pub(crate) mod text;
pub(crate) mod units;
pub(crate) mod xml;
pub(crate) mod yaml;
