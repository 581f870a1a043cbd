use std::fmt;
use std::str::FromStr;

use crate::Certificate;

/// Rules by which a client is let in, beside its CA; without any, all are.
///
/// One that matches is enough, of whichever kind. A certificate with several common names is let in
/// by none of them: which one says who it is, each program answers in another way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowRules {
    common_names: Vec<CommonNameRule>,
    alternative_names: Vec<SanRule>,
}

impl AllowRules {
    /// Rules for the common name and for the alternative names.
    #[must_use]
    pub fn new(common_names: Vec<CommonNameRule>, alternative_names: Vec<SanRule>) -> Self {
        Self { common_names, alternative_names }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.common_names.is_empty() && self.alternative_names.is_empty()
    }

    /// Whether `certificate` is let in.
    #[must_use]
    pub fn allow(&self, certificate: &Certificate) -> bool {
        let common_name = certificate.sole_common_name();
        let names = certificate.subject_alt_names();
        self.is_empty()
            || common_name.is_some_and(|name| self.common_names.iter().any(|r| r.matches(name)))
            || names.iter().any(|name| self.alternative_names.iter().any(|r| r.matches(name)))
    }
}

impl fmt::Display for AllowRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.common_names {
            writeln!(f, "CN:{}", rule.0.0)?;
        }
        for rule in &self.alternative_names {
            writeln!(f, "{}:{}", rule.kind.prefix(), rule.glob.0)?;
        }
        Ok(())
    }
}

/// A glob for the common name, compared exactly; `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonNameRule(Glob);

impl CommonNameRule {
    fn matches(&self, name: &str) -> bool {
        self.0.matches(name, None)
    }
}

impl FromStr for CommonNameRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse()?))
    }
}

/// A glob for one kind of alternative name: `DNS:*.example.test`, `email:*@example.test`,
/// `URI:spiffe://example.test/ns/*/sa/web`, `IP:10.0.0.7`. Without the kind it is guessed: what has
/// `://` in it is a URI, what has `@` an email address, what is an IP address is one, and the rest
/// are DNS names.
///
/// `*` stands for anything within one part of a name, `**` for anything: the parts of a DNS name end
/// with a dot, those of a URI with a slash, those of an email address with the `@`. DNS names and
/// email addresses are compared without regard to case, URIs exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SanRule {
    kind: SanKind,
    glob: Glob,
}

impl SanRule {
    /// `name` is written as [`Certificate::subject_alt_names`] does.
    fn matches(&self, name: &str) -> bool {
        let Some((kind, name)) = name.split_once(':') else { return false };
        kind == self.kind.prefix()
            && match self.kind {
                SanKind::Dns => self.glob.matches(&name.to_ascii_lowercase(), Some('.')),
                SanKind::Email => self.glob.matches(&name.to_ascii_lowercase(), Some('@')),
                SanKind::Uri => self.glob.matches(name, Some('/')),
                SanKind::Ip => self.glob.matches(name, None),
            }
    }
}

impl FromStr for SanRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, glob) = SanKind::split(text);
        let glob: Glob = match kind {
            SanKind::Dns | SanKind::Email => glob.to_ascii_lowercase().parse()?,
            SanKind::Ip => {
                let address: std::net::IpAddr =
                    glob.parse().map_err(|_| "expected an address behind IP:")?;
                address.to_string().parse()?
            }
            SanKind::Uri => glob.parse()?,
        };
        Ok(Self { kind, glob })
    }
}

/// A kind of alternative name (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SanKind {
    /// A DNS name.
    Dns,
    /// An email address.
    Email,
    /// A URI.
    Uri,
    /// An IP address.
    Ip,
}

impl SanKind {
    /// Splits what a person writes into the kind and the name. A prefix `DNS:`, `email:`, `URI:` or
    /// `IP:` says the kind, in any case. Without one the form of the name decides, see [`SanRule`].
    #[must_use]
    pub fn split(text: &str) -> (Self, &str) {
        let named = text.split_once(':').and_then(|(prefix, rest)| {
            let kinds = [Self::Dns, Self::Email, Self::Uri, Self::Ip];
            let kind = kinds.into_iter().find(|k| k.prefix().eq_ignore_ascii_case(prefix))?;
            Some((kind, rest))
        });
        named.unwrap_or_else(|| (Self::guess(text), text))
    }

    /// As [`Certificate::subject_alt_names`] writes it.
    fn prefix(self) -> &'static str {
        match self {
            Self::Dns => "DNS",
            Self::Email => "email",
            Self::Uri => "URI",
            Self::Ip => "IP",
        }
    }

    fn guess(name: &str) -> Self {
        if name.contains("://") {
            Self::Uri
        } else if name.contains('@') {
            Self::Email
        } else if name.parse::<std::net::IpAddr>().is_ok() {
            Self::Ip
        } else {
            Self::Dns
        }
    }
}

/// Text in which `*` and `**` stand for other text. Not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob(String);

impl FromStr for Glob {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err("expected a name, in which * stands for anything");
        }
        Ok(Self(text.to_owned()))
    }
}

impl Glob {
    /// Whether all of `text` is matched; a single star stands for nothing with `separator` in it.
    fn matches(&self, text: &str, separator: Option<char>) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        // Which ends of the text the pattern so far can reach: no backtracking, so that no pattern
        // takes more than the product of both lengths.
        let mut reached = vec![false; text.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        let mut rest = pattern;
        while let [byte, tail @ ..] = rest {
            let (step, next): (Step, &[u8]) = match (byte, tail) {
                (b'*', [b'*', tail @ ..]) => (Step::Anything, tail),
                (b'*', _) => (Step::Part, tail),
                (byte, _) => (Step::Byte(*byte), tail),
            };
            reached = step.advance(&reached, text, separator);
            rest = next;
        }
        reached.last().copied().unwrap_or(false)
    }
}

enum Step {
    Byte(u8),
    /// Anything without a separator.
    Part,
    Anything,
}

impl Step {
    fn advance(&self, reached: &[bool], text: &[u8], separator: Option<char>) -> Vec<bool> {
        let mut next = Vec::with_capacity(reached.len());
        next.push(match self {
            Self::Byte(_) => false,
            Self::Part | Self::Anything => reached.first().copied().unwrap_or(false),
        });
        for ((&byte, &before), &here) in text.iter().zip(reached).zip(reached.iter().skip(1)) {
            let along = next.last().copied().unwrap_or(false);
            next.push(match self {
                Self::Byte(wanted) => before && byte == *wanted,
                Self::Part if separator == Some(char::from(byte)) => here,
                Self::Part | Self::Anything => here || along,
            });
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn san(rule: &str, name: &str) -> bool {
        rule.parse::<SanRule>().unwrap().matches(name)
    }

    fn cn(rule: &str, name: &str) -> bool {
        rule.parse::<CommonNameRule>().unwrap().matches(name)
    }

    #[test]
    fn common_names_are_matched_whole_and_exactly() {
        assert!(cn("alice", "alice"));
        assert!(!cn("alice", "Alice"));
        assert!(!cn("alice", "alice2"));
        assert!(!cn("alice", "malice"));
        assert!(cn("a*e", "alice"));
        assert!(cn("*", "Zoë of the north"));
        assert!(cn("*.ops.*", "db.ops.example.test"));
        assert!(!cn("*x", "alice"));
        assert!(cn("a**", "a"));
    }

    #[test]
    fn a_star_stays_within_a_label() {
        assert!(san("*.example.test", "DNS:a.example.test"));
        assert!(san("DNS:*.Example.test", "DNS:A.example.TEST"));
        assert!(!san("*.example.test", "DNS:a.b.example.test"));
        assert!(!san("*.example.test", "DNS:example.test"));
        assert!(san("**.example.test", "DNS:a.b.example.test"));
        assert!(!san("*.example.test", "URI:a.example.test"));
        assert!(!san("*.example.test", "email:a.example.test"));
    }

    #[test]
    fn uris_are_matched_by_segment_and_exactly() {
        let rule = "spiffe://example.test/ns/*/sa/web";
        assert!(san(rule, "URI:spiffe://example.test/ns/prod/sa/web"));
        assert!(!san(rule, "URI:spiffe://example.test/ns/prod/x/sa/web"));
        assert!(!san(rule, "URI:spiffe://example.test/ns/prod/sa/Web"));
        assert!(!san(rule, "URI:spiffe://example.test.evil.test/ns/prod/sa/web"));
        assert!(san("spiffe://example.test/**", "URI:spiffe://example.test/ns/prod/sa/web"));
        assert!(!san("spiffe://*/x", "URI:spiffe://a/b/x"));
    }

    #[test]
    fn email_addresses_and_addresses() {
        assert!(san("*@example.test", "email:Alice@Example.test"));
        assert!(!san("*@example.test", "email:a@b@example.test"));
        assert!(san("10.0.0.7", "IP:10.0.0.7"));
        assert!(san("IP:2001:db8:0::1", "IP:2001:db8::1"));
        assert!(!san("10.0.0.7", "DNS:10.0.0.7"));
        assert!("IP:ten".parse::<SanRule>().is_err());
    }

    #[test]
    fn nothing_is_no_rule() {
        assert!("".parse::<SanRule>().is_err());
        assert!("DNS:".parse::<SanRule>().is_err());
        assert!("".parse::<CommonNameRule>().is_err());
    }
}
