use std::fmt;
use std::str::FromStr;

use crate::Certificate;
use crate::glob::{Glob, MARKS, Stars};

/// Rules that decide which clients are accepted, beside their CA. Without rules, all are.
///
/// One matching rule of any kind is enough. A certificate with several common names matches no rule for common names:
/// programs differ in which of them they use.
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

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.common_names.is_empty() && self.alternative_names.is_empty()
    }

    /// Whether `certificate` is accepted.
    #[must_use]
    pub fn allow(&self, certificate: &Certificate) -> bool {
        let common_name = certificate.sole_common_name();
        let names = certificate.subject_alt_names();
        self.is_empty()
            || common_name.is_some_and(|name| self.common_names.iter().any(|r| r.matches(name)))
            || identities(names).any(|name| self.alternative_names.iter().any(|r| r.matches(name)))
    }
}

/// The names that identify a client. A SPIFFE ID does only if the certificate has no second URI (SPIFFE X.509-SVID §2
/// and §5.2): validators reject such a certificate, and apps may read either name.
fn identities(names: &[String]) -> impl Iterator<Item = &String> {
    let uri = |name: &str| SanKind::Uri.strip(name).map(str::to_ascii_lowercase);
    let uris = names.iter().filter(|name| uri(name).is_some()).count();
    names
        .iter()
        .filter(move |name| uris == 1 || uri(name).is_none_or(|uri| !uri.starts_with("spiffe:")))
}

impl fmt::Display for AllowRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.common_names {
            writeln!(f, "CN:{}", rule.0)?;
        }
        for rule in &self.alternative_names {
            writeln!(f, "{}:{}", rule.kind.prefix(), rule.glob)?;
        }
        Ok(())
    }
}

/// A glob for the common name, compared exactly. `*` matches one character or more, except `/ ? # \ @` and control
/// characters; `**` matches these too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonNameRule(Glob);

impl CommonNameRule {
    fn matches(&self, name: &str) -> bool {
        self.0.matches(name, &Stars { one: MARKS, two: "" })
    }
}

impl FromStr for CommonNameRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse()?))
    }
}

/// A glob for one kind of alternative name: `DNS:*.example.test`, `email:*@example.test`,
/// `URI:spiffe://example.test/ns/*/sa/web`, `IP:10.0.0.7`. Without a prefix the kind is guessed: a name with `://` is
/// a URI, one with `@` is an email address, an IP address is one, and all others are DNS names.
///
/// `*` matches one character or more within one part of a name, `**` one character or more. The parts of a DNS name
/// are separated by dots, those of a URI by slashes, those of an email address by the `@`. Neither matches what
/// changes how the name is read:
///
/// - `*` never matches `/ ? # \ @`, in names of any kind. `**` never matches `? # \ @` in a URI, nor a
///   slash in a URI's host, unless the rule ends there.
/// - A URI with a segment `.` or `..`, with an empty segment before the last, or with one of these
///   characters percent-encoded matches only a rule without a star.
/// - A DNS name with an empty label or a wildcard (`*.example.test`) matches no rule: a wildcard
///   does not identify one host.
/// - A SPIFFE ID matches only if it is the certificate's only URI.
///
/// DNS names and email addresses are compared without regard to case, URIs exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SanRule {
    kind: SanKind,
    glob: Glob,
}

impl SanRule {
    /// `name` has the form of [`Certificate::subject_alt_names`].
    fn matches(&self, name: &str) -> bool {
        let Some(name) = self.kind.strip(name) else { return false };
        let lower = || name.to_ascii_lowercase();
        match self.kind {
            SanKind::Dns => {
                let host = lower();
                let is_host = !host.contains('*') && host.split('.').all(|label| !label.is_empty());
                is_host && self.glob.matches(&host, &Stars { one: "./?#\\@", two: "/?#\\@" })
            }
            SanKind::Email => self.glob.matches(&lower(), &Stars { one: MARKS, two: "" }),
            SanKind::Uri => self.glob.matches_uri(name),
            SanKind::Ip => self.glob.matches(name, &Stars { one: MARKS, two: "" }),
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
    /// Splits the text of a rule into the kind and the name. A prefix `DNS:`, `email:`, `URI:` or `IP:`, in any case,
    /// states the kind. Without one the form of the name decides, see [`SanRule`].
    #[must_use]
    pub fn split(text: &str) -> (Self, &str) {
        let named = text.split_once(':').and_then(|(prefix, rest)| {
            let kinds = [Self::Dns, Self::Email, Self::Uri, Self::Ip];
            let kind = kinds.into_iter().find(|k| k.prefix().eq_ignore_ascii_case(prefix))?;
            Some((kind, rest))
        });
        named.unwrap_or_else(|| (Self::guess(text), text))
    }

    /// The name without its prefix, in the form of [`Certificate::subject_alt_names`], if it is of this kind.
    fn strip(self, name: &str) -> Option<&str> {
        name.strip_prefix(self.prefix())?.strip_prefix(':')
    }

    /// The prefix in [`Certificate::subject_alt_names`].
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
        assert!(cn("a**", "ab"));
    }

    #[test]
    fn a_star_stands_for_one_character_or_more() {
        for rule in ["a*", "a**", "*a", "**a"] {
            assert!(!cn(rule, "a"), "{rule}");
        }
        assert!(!san("web-*.example.test", "DNS:web-.example.test"));
        assert!(!san("*@example.test", "email:@example.test"));
        assert!(!san("spiffe://example.test/**", "URI:spiffe://example.test/"));
        assert!(!san("spiffe://example.test/ns/*/sa", "URI:spiffe://example.test/ns//sa"));
    }

    #[test]
    fn a_star_in_a_common_name_stands_for_no_mark() {
        for mark in ['/', '?', '#', '\\', '@', '\0', '\n'] {
            let name = format!("web-a{mark}b");
            assert!(!cn("web-*", &name), "{name:?}");
            assert!(cn("web-**", &name), "{name:?}");
        }
        assert!(cn("*@*.test", "a@example.test"));
    }

    #[test]
    fn a_dns_name_has_full_labels_and_no_wildcard() {
        for name in ["*.example.test", "w*.example.test", ".example.test", "a..example.test"] {
            for rule in ["*.example.test", "**.example.test", "**", name] {
                assert!(!san(&format!("DNS:{rule}"), &format!("DNS:{name}")), "{rule} {name}");
            }
        }
        for mark in MARKS.chars() {
            let name = format!("DNS:a{mark}b.example.test");
            assert!(!san("*.example.test", &name) && !san("**.example.test", &name), "{name}");
        }
    }

    #[test]
    fn a_star_in_a_uri_ends_with_the_part_that_it_stands_in() {
        for mark in MARKS.chars() {
            let name = format!("URI:https://evil.test{mark}.example.test/x");
            assert!(!san("https://*.example.test/x", &name), "{name}");
            assert!(!san("https://**.example.test/x", &name), "{name}");
            assert!(!san("https://**.example.test", name.trim_end_matches("/x")), "{name}");
            let name = format!("URI:spiffe://example.test/ns/a{mark}/sa/web");
            assert!(!san("spiffe://example.test/ns/*/sa/web", &name), "{name}");
        }
        assert!(!san("**://example.test/x", "URI:https://evil.test/a://example.test/x"));
        // A rule that ends in two stars accepts any rest.
        assert!(san("spiffe://**", "URI:spiffe://example.test/ns/prod"));
        assert!(san("URI:**", "URI:https://example.test/a/b"));
        assert!(san("https://**.example.test/**", "URI:https://a.b.example.test/c/d"));
    }

    #[test]
    fn a_uri_that_is_read_in_two_ways_is_matched_only_as_it_stands() {
        let rule = "https://example.test/ns/**";
        for end in [
            "..", "../x", "./x", "a/..", "a//b", "%2e%2e/x", "a/.%2E", "a%2fb", "a%5C..", "a%00",
            "%", "%4",
        ] {
            let name = format!("https://example.test/ns/{end}");
            let told = format!("URI:{name}");
            assert!(!san(rule, &told), "{name}");
            assert!(san(&told, &told), "{name}");
        }
        for end in ["a", "a.b/..c", "J%C3%B6rg", "a/b/", "a%20b"] {
            assert!(san(rule, &format!("URI:https://example.test/ns/{end}")), "{end}");
        }
    }

    #[test]
    fn of_two_uris_no_spiffe_id_identifies() {
        let (id, other) = ("URI:spiffe://example.test/a", "URI:https://example.test/a");
        for (names, count) in [
            (&[id][..], 1),
            (&[id, "DNS:a.example.test"], 2),
            (&[id, "URI:spiffe://evil.test/a"], 0),
            (&[id, id], 0),
            (&["URI:SPIFFE://example.test/a", other], 1),
            (&[id, other, "DNS:a.example.test"], 2),
            (&[other, other], 2),
        ] {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(identities(&names).count(), count, "{names:?}");
        }
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
