//! Recorded updates that a file names: reads them, and says what is wrong at the place of the name.

use crate::diagnostic::{Diagnostic, Sink};
use crate::files::{self, Root};
use crate::import::routes::{BgpUpdates, ObservedPath, PathSegment};
use crate::limits;
use crate::load::refused_file;
use crate::source::SourceMap;
use crate::typed::Value;

/// Most findings in a recording that are told.
const TOLD_MAX: usize = 20;

/// The updates of the file that `value` names; everything wrong with it has been reported where
/// there are none.
pub(crate) fn updates(value: &Value, root: &Root, sink: &mut Sink) -> Option<BgpUpdates> {
    let name = value.text()?;
    let bytes = match root.resolve(name).and_then(|path| files::read(&path, limits::DATA_BYTES_MAX))
    {
        Ok(bytes) => bytes,
        Err(refused) => {
            sink.push(refused_file(&refused, name, value.span));
            return None;
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        let what = format!("{name} is not UTF-8 text");
        let help = "make it with `steerlab import bgplay` or `mrt` and `--updates`";
        sink.push(Diagnostic::new("E0504", value.span, what).help(help));
        return None;
    };
    let (mut inner, mut sources) = (Sink::default(), SourceMap::default());
    let file = sources.add(name, String::new());
    let found = BgpUpdates::parse(&text, file, &mut inner);
    let (problems, _) = inner.finish(&sources);
    for problem in problems.iter().take(TOLD_MAX) {
        let line = problem.span.map_or(0, |span| span.line);
        let what = format!("{name}, line {line}: {}", problem.message);
        sink.push(Diagnostic::new("E0504", value.span, what).help(&problem.help));
    }
    found
}

/// The AS number of a path's last AS; none for no path, and for one that ends with a set, as then
/// nobody can say who the origin is (RFC 6811, section 2).
pub(crate) fn origin(path: &ObservedPath) -> Option<u32> {
    match path.0.last()? {
        PathSegment::Sequence(asns) => asns.last().copied(),
        PathSegment::Set(_) | PathSegment::ConfedSequence(_) | PathSegment::ConfedSet(_) => None,
    }
}
