//! Token buckets: a rate, and a burst that may exceed it.

/// A bucket that fills at a rate up to a burst. What comes in takes tokens; without tokens it is
/// turned away. The unit is the caller's: requests, bits, bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    rate_per_s: f64,
    burst: f64,
    tokens: f64,
    at_s: f64,
}

/// What a bucket did with rates over a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passed {
    /// Amount that passed.
    pub passed: f64,
    /// Amount that was turned away.
    pub throttled: f64,
}

impl TokenBucket {
    /// A full bucket at an instant. Rate and burst are 0 or more and finite.
    #[must_use]
    pub fn new(rate_per_s: f64, burst: f64, at_s: f64) -> TokenBucket {
        assert!(rate_per_s >= 0.0 && rate_per_s.is_finite(), "rates are not negative");
        assert!(burst >= 0.0 && burst.is_finite(), "bursts are not negative");
        TokenBucket { rate_per_s, burst, tokens: burst, at_s }
    }

    /// Tokens now.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        self.tokens
    }

    /// One request at an instant: whether it passes. It takes `cost` tokens or none.
    pub fn decide(&mut self, now_s: f64, cost: f64) -> bool {
        assert!(now_s >= self.at_s, "time does not go back");
        self.tokens = (self.tokens + self.rate_per_s * (now_s - self.at_s)).min(self.burst);
        self.at_s = now_s;
        let passes = self.tokens >= cost;
        if passes {
            self.tokens -= cost;
        }
        passes
    }

    /// A constant offered rate for a span, exactly: all of it passes while there are tokens, the
    /// bucket's rate after that.
    pub fn admit(&mut self, offered_per_s: f64, span_s: f64) -> Passed {
        let until_empty_s = self.empty_in_s(offered_per_s).unwrap_or(f64::INFINITY);
        let free_s = until_empty_s.min(span_s);
        let passed = offered_per_s * free_s
            + self.passing_per_s_when_empty(offered_per_s) * (span_s - free_s);
        let tokens = self.tokens + (self.rate_per_s - offered_per_s) * span_s;
        self.tokens = if until_empty_s < span_s { 0.0 } else { tokens.clamp(0.0, self.burst) };
        self.at_s += span_s;
        Passed { passed, throttled: offered_per_s * span_s - passed }
    }

    /// Rate that passes now under an offered rate.
    #[must_use]
    pub fn passing_per_s(&self, offered_per_s: f64) -> f64 {
        if self.tokens > 0.0 { offered_per_s } else { self.passing_per_s_when_empty(offered_per_s) }
    }

    /// Seconds until the bucket is empty under an offered rate; none if it never is.
    #[must_use]
    pub fn empty_in_s(&self, offered_per_s: f64) -> Option<f64> {
        let excess_per_s = offered_per_s - self.rate_per_s;
        (excess_per_s > 0.0).then(|| self.tokens / excess_per_s)
    }

    fn passing_per_s_when_empty(&self, offered_per_s: f64) -> f64 {
        offered_per_s.min(self.rate_per_s)
    }
}
