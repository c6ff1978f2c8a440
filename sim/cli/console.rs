//! The two streams: the answer on stdout, talk on stderr.

use crate::args::{Global, ProgressKind, When};
use crate::exit::Exit;
use std::io::{IsTerminal, Write};

/// How to talk to whoever started the command.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Only errors on stderr.
    pub quiet: bool,
    /// More on stderr.
    pub verbose: bool,
    /// Whether stderr may be coloured.
    pub color_err: bool,
    /// Whether stdout may be coloured.
    pub color_out: bool,
    /// How progress is shown, `Auto` resolved.
    pub progress: ProgressKind,
}

impl Console {
    /// Resolves what was asked against what the streams are.
    #[must_use]
    pub fn new(global: &Global) -> Console {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && !no_color,
        };
        let err_terminal = std::io::stderr().is_terminal();
        let progress = match global.progress {
            _ if global.quiet => ProgressKind::None,
            ProgressKind::Auto if err_terminal => ProgressKind::Bar,
            ProgressKind::Auto => ProgressKind::Lines,
            asked => asked,
        };
        Console {
            quiet: global.quiet,
            verbose: global.verbose,
            color_err: color(err_terminal),
            color_out: color(std::io::stdout().is_terminal()),
            progress,
        }
    }

    /// Prints the answer. A reader that went away (closed pipe) is not an error.
    pub fn answer(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _closed = out
            .write_all(text.as_bytes())
            .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    }

    /// Talks, unless quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.err(text);
        }
    }

    /// Writes to stderr as it is.
    pub fn err(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _closed = writeln!(err, "{}", text.trim_end_matches('\n'));
    }

    /// An error: what, why, what to do.
    pub fn fail(&self, exit: Exit, what: &str, help: &str) -> Exit {
        let (bold, off) = if self.color_err { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        self.err(&format!("{bold}error{off}: {}", printable(what)));
        if !help.is_empty() {
            self.err(&format!("  help: {}", printable(help)));
        }
        exit
    }

    /// A warning: check this before you trust the result.
    pub fn warn(&self, code: &str, what: &str) {
        let (bold, off) = if self.color_err { ("\x1b[1;33m", "\x1b[0m") } else { ("", "") };
        self.say(&format!("{bold}warning[{code}]{off}: {}", printable(what)));
    }
}

/// Text without characters that could steer a terminal or turn the reading direction.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{fffd}',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        assert_eq!(printable("a\x1b[31mb\u{202e}c\n"), "a\u{fffd}[31mb\u{fffd}c\n");
    }
}
