//! The report of the demo, as a reader's browser sees it.

use crate::page::{self, Page, Scheme};
use crate::{Outcome, png, shell};
use std::path::Path;

/// Largest report, in bytes.
const REPORT_BYTES_MAX: u64 = 8_000_000;
/// Most sheets of paper a report may print on.
const SHEETS_MAX: usize = 12;
/// Least number of colours of a page that shows something.
const COLOURS_MIN: usize = 12;

fn demo() -> Result<std::path::PathBuf, String> {
    let out = shell::scratch("demo")?;
    std::fs::remove_dir_all(&out).map_err(|error| format!("cannot empty the demo: {error}"))?;
    let arguments = ["run", "--locked", "--release", "--quiet", "--", "demo", "--out"];
    shell::run(shell::cargo().args(arguments).arg(&out))?;
    let report = out.join("latest/report.html");
    // The link is resolved, so that the address in the browser is the real file.
    report.canonicalize().map_err(|error| format!("the demo left no {}: {error}", report.display()))
}

/// Runs the demo and looks at its report.
pub fn run() -> Result<Outcome, String> {
    let report = demo()?;
    let browser = match page::browser() {
        Ok(browser) => browser,
        Err(reason) => return Ok(Outcome::skip(format!("no Chromium: {reason}"))),
    };
    examine(&Page::new(browser, &report, &shell::scratch("browser")?)?, "screens")
}

/// Everything that must hold of a report; pictures of it are kept under `target/xtask`.
fn examine(page: &Page, screens: &str) -> Result<Outcome, String> {
    let folder = shell::scratch(screens)?;
    let mut outcome = Outcome::default();
    outcome.check("the report is not too large", size(page.file()));
    match page.open() {
        Ok(opened) => {
            outcome.check("the report has a title, text and charts", content(&opened.dom));
            outcome.check("the console stays silent", none(&opened.console));
            outcome.check("nothing outside is asked for", none(&opened.requests));
        }
        Err(problem) => outcome.check("the report opens", Err(problem)),
    }
    let plain = page.without_scripts()?;
    let looks = [
        ("light.png", page, 1280, Scheme::Light),
        ("dark.png", page, 1280, Scheme::Dark),
        ("narrow.png", page, 500, Scheme::Light),
        ("no-scripts.png", &plain, 1280, Scheme::Light),
    ];
    for (name, page, width, scheme) in looks {
        let looked = page.screenshot(&folder.join(name), (width, 1600), scheme);
        let looked = looked.and_then(|bytes| looks_right(&bytes, scheme));
        outcome.check(&format!("target/xtask/{screens}/{name} shows something"), looked);
    }
    let sheets = page.sheets(&folder.join("report.pdf")).and_then(|sheets| match sheets {
        1..=SHEETS_MAX => Ok(()),
        _ => Err(format!("{sheets} sheets; 1 to {SHEETS_MAX} are right")),
    });
    outcome.check("the report prints on few sheets", sheets);
    Ok(outcome)
}

fn size(report: &Path) -> Result<(), String> {
    let bytes = std::fs::metadata(report).map_err(|error| error.to_string())?.len();
    if bytes <= REPORT_BYTES_MAX {
        return Ok(());
    }
    Err(format!("{bytes} bytes; at most {REPORT_BYTES_MAX} are right"))
}

fn content(dom: &str) -> Result<(), String> {
    let missing: Vec<&str> = ["<title", "lang=\"", "<h1", "<svg", "<table"]
        .into_iter()
        .filter(|part| !dom.contains(part))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("missing: {}", missing.join(" "))) }
}

fn none(lines: &[String]) -> Result<(), String> {
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

fn looks_right(file: &[u8], scheme: Scheme) -> Result<(), String> {
    let picture = png::decode(file)?;
    let colours = picture.colours(COLOURS_MIN);
    if colours < COLOURS_MIN {
        return Err(format!("blank: {colours} colours; {COLOURS_MIN} or more are right"));
    }
    let brightness = picture.background();
    if (brightness < 128) != (scheme == Scheme::Dark) {
        return Err(format!("background brightness {brightness} of 255 is not {scheme:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">
<title>Good</title><style>
body { background: #fff; color: #000; font-size: 40px }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }
</style></head><body><h1>Good</h1><table><tr><td>1</td></tr></table>
<svg width=\"400\" height=\"200\"><linearGradient id=\"g\"><stop stop-color=\"red\"/>
<stop offset=\"1\" stop-color=\"blue\"/></linearGradient>
<rect width=\"400\" height=\"200\" fill=\"url(#g)\"/></svg></body></html>";

    /// What is wrong with a page of this text; `None` without a browser.
    fn failures(name: &str, text: &str) -> Option<Vec<String>> {
        let Some(browser) = page::installed_browser() else {
            println!("SKIPPED: no Chromium, so the browser checks are not checked themselves");
            return None;
        };
        let folder = shell::scratch(&format!("self-test/{name}")).unwrap();
        let file = folder.join("page.html");
        std::fs::write(&file, text).unwrap();
        let page = Page::new(browser, &file, &folder).unwrap();
        Some(examine(&page, &format!("self-test/{name}")).unwrap().failures)
    }

    #[test]
    fn a_good_page_passes() {
        if let Some(failures) = failures("good", GOOD) {
            assert_eq!(failures, Vec::<String>::new());
        }
    }

    #[test]
    fn a_bad_page_fails_for_each_of_its_faults() {
        let bad = GOOD
            .replace("<title>Good</title>", "")
            .replace("#111", "#fff")
            .replace("<h1>", "<script>missing()</script><img src=\"http://outside.test/x\"><h1>")
            .replace("</body>", &"<p style=\"break-after: page\">1</p>".repeat(20));
        let Some(failures) = failures("bad", &bad) else { return };
        let found = |words: &str| failures.iter().any(|failure| failure.contains(words));
        assert!(found("missing: <title"), "{failures:?}");
        assert!(found("missing is not defined"), "{failures:?}");
        assert!(found("http://outside.test/x"), "{failures:?}");
        assert!(
            found("dark.png shows something: background brightness 255 of 255"),
            "{failures:?}"
        );
        assert!(found("sheets"), "{failures:?}");
        assert_eq!(failures.len(), 5, "{failures:?}");
    }
}
