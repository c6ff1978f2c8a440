use super::*;

#[test]
fn bandwidths_are_exact() {
    assert_eq!(bandwidth("100Gbps"), Ok(100_000_000_000));
    assert_eq!(bandwidth("2.5Gbps"), Ok(2_500_000_000));
    assert_eq!(bandwidth("800 kbps"), Ok(800_000));
    assert_eq!(bandwidth("1000Pbps"), Ok(1_000_000_000_000_000_000));
    assert_eq!(bandwidth("0bps"), Ok(0));
    assert_eq!(bandwidth("0.1bps").unwrap_err().code, "E0201");
    assert_eq!(bandwidth("100").unwrap_err().code, "E0205");
    assert_eq!(bandwidth("100gbps").unwrap_err().suggestion.as_deref(), Some("100Gbps"));
    assert!(bandwidth("10GBps").unwrap_err().help.contains("multiply bytes by 8"));
    assert_eq!(bandwidth("-5Gbps").unwrap_err().what, "is negative");
    assert_eq!(bandwidth("99999999999Pbps").unwrap_err().code, "E0202");
    assert_eq!(bandwidth("1e3bps").unwrap_err().code, "E0205");
}

#[test]
fn bytes_know_both_kilos() {
    assert_eq!(bytes("50kB"), Ok(50_000));
    assert_eq!(bytes("1.5MB"), Ok(1_500_000));
    assert_eq!(bytes("4KiB"), Ok(4_096));
    assert_eq!(bytes("4KB").unwrap_err().suggestion.as_deref(), Some("4kB"));
    assert_eq!(bytes("1.0001B").unwrap_err().code, "E0201");
}

#[test]
fn spans_add_up_largest_unit_first() {
    let seconds = SimSpan::from_seconds;
    assert_eq!(span("5ms"), Ok(SimSpan::from_millis(5)));
    assert_eq!(span("1h30m"), Ok(seconds(5_400)));
    assert_eq!(span("1h 30m"), Ok(seconds(5_400)));
    assert_eq!(span("1min"), Ok(seconds(60)));
    assert_eq!(span("7d"), Ok(seconds(604_800)));
    assert_eq!(span("1.5ms"), Ok(SimSpan(1_500_000)));
    assert_eq!(span("2µs"), Ok(SimSpan(2_000)));
    assert!(span("5M").unwrap_err().help.contains("months"));
    assert_eq!(span("30m1h").unwrap_err().code, "E0201");
    assert_eq!(span("1m1min").unwrap_err().code, "E0201");
    assert_eq!(span("20").unwrap_err().code, "E0205");
    assert_eq!(span("0.1ns").unwrap_err().code, "E0201");
    assert_eq!(span("").unwrap_err().what, "is empty");
    assert_eq!(span("999999999999d").unwrap_err().code, "E0202");
}

#[test]
fn requests_and_ratios() {
    assert_eq!(request_rate("120krps"), Ok(120_000.0));
    assert_eq!(request_rate("0.5rps"), Ok(0.5));
    assert_eq!(request_rate("500").unwrap_err().code, "E0205");
    assert_eq!(ratio("90%"), Ok(0.9));
    assert_eq!(ratio("0.9"), Ok(0.9));
    assert_eq!(ratio("0.1 %"), Ok(0.001));
    assert_eq!(ratio("%").unwrap_err().code, "E0201");
}

#[test]
fn numbers_that_are_not_numbers_are_refused() {
    for text in [".nan", "NaN", ".inf", "-.inf", "inf", "1_000", "0o17", "010", "1:30", "0x1f", ""]
    {
        assert_eq!(number(text).unwrap_err().code, "E0201", "{text}");
        assert!(count(text).is_err(), "{text}");
    }
    assert_eq!(number("1e400").unwrap_err().code, "E0202");
    assert_eq!(number("1e-3"), Ok(0.001));
    assert_eq!(number("-3.5"), Ok(-3.5));
    assert_eq!(count("-0").unwrap_err().what, "is negative");
    assert_eq!(count("0"), Ok(0));
    assert_eq!(count("5.0").unwrap_err().code, "E0201");
    assert_eq!(count("18446744073709551616").unwrap_err().code, "E0202");
}
