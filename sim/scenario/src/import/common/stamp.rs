//! Calendar time stamps, to the second, in UTC.

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) i64);

/// Seconds in a day.
pub(crate) const DAY_S: i64 = 86_400;

/// Days before 1970-01-01 of 0000-01-01 (proleptic Gregorian calendar).
const DAYS_TO_1970: i64 = 719_528;

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_lengths(year: i64) -> [i64; 12] {
    [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Days from 0000-01-01 to the first day of a year (from 1).
fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    366 + past * 365 + past / 4 - past / 100 + past / 400
}

impl Stamp {
    /// A date and time; none if the calendar has no such thing. Years 1 to 9999.
    fn new(year: i64, month: i64, day: i64, time: [i64; 3]) -> Option<Stamp> {
        let [hour, minute, second] = time;
        let lengths = month_lengths(year);
        let length = lengths.get(usize::try_from(month - 1).ok()?)?;
        let valid = (1..=9_999).contains(&year)
            && (1..=*length).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        let before: i64 = lengths.iter().take(month as usize - 1).sum();
        let days = days_before_year(year) + before + day - 1 - DAYS_TO_1970;
        valid.then_some(Stamp(days * DAY_S + hour * 3_600 + minute * 60 + second))
    }

    /// `20040301`, `20040301-0005`, `20040301-000500`, `2004-03-01`, `2004-03-01T00:05`,
    /// `2004-03-01T00:05:00Z`, `200403` (first of the month).
    pub(crate) fn parse(text: &str) -> Option<Stamp> {
        let text = text.trim();
        let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        let (date, time) = match text.find(['T', 't', ' ']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None if text.as_bytes().get(8) == Some(&b'-') => (&text[..8], text.get(9..)),
            None => (text, None),
        };
        let date = match date.as_bytes().get(4) {
            Some(b'-') => fields(date, '-', &[4, 2, 2])?,
            _ if date.len() == 6 => [slices(date, &[4, 2])?, vec![1]].concat(),
            _ => slices(date, &[4, 2, 2])?,
        };
        let mut time = match time {
            None => Vec::new(),
            Some(time) if time.len() == 5 => fields(time, ':', &[2, 2])?,
            Some(time) if time.contains(':') => fields(time, ':', &[2, 2, 2])?,
            Some(time) if time.len() == 4 => slices(time, &[2, 2])?,
            Some(time) => slices(time, &[2, 2, 2])?,
        };
        time.resize(3, 0);
        Stamp::new(date[0], date[1], date[2], [time[0], time[1], time[2]])
    }

    /// The stamp at the end of a file's name, before its ending.
    pub(crate) fn of_file_name(name: &str) -> Option<Stamp> {
        let stem = super::names::base_name(name);
        let stem = stem.split_once('.').map_or(stem, |(stem, _)| stem);
        let parts: Vec<&str> = stem.rsplitn(3, ['-', '_']).collect();
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        match parts.as_slice() {
            [time, date, ..] if digits(date, 8) && (digits(time, 4) || digits(time, 6)) => {
                Stamp::parse(&format!("{date}-{time}"))
            }
            [date, ..] if digits(date, 8) || digits(date, 6) => Stamp::parse(date),
            _ => None,
        }
    }

    /// As RFC 3339, such as `2004-03-01T00:05:00Z`.
    pub(crate) fn text(self) -> String {
        let mut days = self.0.div_euclid(DAY_S) + DAYS_TO_1970;
        let second = self.0.rem_euclid(DAY_S);
        let mut year = days * 400 / 146_097;
        while days_before_year(year + 1) <= days {
            year += 1;
        }
        while days_before_year(year) > days {
            year -= 1;
        }
        days -= days_before_year(year);
        let mut month = 1;
        for length in month_lengths(year) {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let day = days + 1;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Numbers of the given lengths with a separator between them.
fn fields(text: &str, separator: char, lengths: &[usize]) -> Option<Vec<i64>> {
    let parts: Vec<&str> = text.split(separator).collect();
    let fits = parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| part.len() == *length);
    fits.then_some(())?;
    parts.into_iter().map(number).collect()
}

/// Numbers of the given lengths, one behind the other, nothing left over.
fn slices(text: &str, lengths: &[usize]) -> Option<Vec<i64>> {
    (text.len() == lengths.iter().sum::<usize>()).then_some(())?;
    let mut rest = text;
    let mut out = Vec::new();
    for length in lengths {
        out.push(number(rest.get(..*length)?)?);
        rest = &rest[*length..];
    }
    Some(out)
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Seconds since 1970-01-01T00:00:00Z as `2008-02-24T18:45:00Z`.
pub(crate) fn stamp_text(unix_s: i64) -> String {
    Stamp(unix_s).text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_in_all_spellings() {
        let seconds = |text: &str| Stamp::parse(text).map(|stamp| stamp.0);
        assert_eq!(seconds("19700101"), Some(0));
        // date -u -d 2004-03-01T00:05Z +%s
        assert_eq!(seconds("20040301-0005"), Some(1_078_099_500));
        for same in ["2004-03-01T00:05:00Z", "2004-03-01T00:05", "20040301-000500"] {
            assert_eq!(seconds(same), Some(1_078_099_500), "{same}");
        }
        assert_eq!(seconds("200403"), seconds("2004-03-01"));
        for bad in
            ["2004", "20040230", "20041301", "20040301-2400", "2004-3-1", "x", "", "äöü45678"]
        {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_and_parse_agree() {
        for seconds in
            [-62_135_596_800, -1, 0, 951_782_399, 951_782_400, 1_709_164_800, 253_402_300_799]
        {
            assert_eq!(Stamp::parse(&Stamp(seconds).text()), Some(Stamp(seconds)));
        }
        assert_eq!(Stamp(1_709_164_800).text(), "2024-02-29T00:00:00Z");
    }

    #[test]
    fn file_names() {
        let name = "dir/demandMatrix-abilene-zhang-5min-20040301-0005.xml";
        assert_eq!(Stamp::of_file_name(name), Stamp::parse("20040301-0005"));
        assert_eq!(Stamp::of_file_name("m-germany50-1day-20050214.xml"), Stamp::parse("20050214"));
        assert_eq!(Stamp::of_file_name("readme.xml"), None);
    }
}
