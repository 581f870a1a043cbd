use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use http_types::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::entries::Entry;
use super::order::{By, Order};
use crate::folder::asked::Asked;
use crate::folder::place;
use crate::page::{Page, escape};

/// The entries as a page. Links sort it, without a script.
pub(super) fn answer(asked: &Asked, entries: &[Entry], order: Order) -> Response {
    let path = percent_decode_str(&asked.path).decode_utf8_lossy();
    let title = format!("Index of {path}");
    let mut body =
        format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escape(&title), count(entries));
    body.push_str("<table class=\"list\">\n<thead><tr>");
    for by in By::ALL {
        heading(&mut body, by, order);
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    if asked.path != "/" {
        body.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    }
    for entry in entries {
        row(&mut body, entry);
    }
    body.push_str("</tbody>\n</table>");
    Page::new(title, body).response(StatusCode::Ok)
}

fn count(entries: &[Entry]) -> String {
    let folders = entries.iter().filter(|entry| entry.is_folder).count();
    let several = |n, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", several(folders, "folder"), several(entries.len() - folders, "file"))
}

/// A heading with a link that sorts by its column, or reverses the order.
fn heading(out: &mut String, by: By, order: Order) {
    let (label, class) = match by {
        By::Name => ("Name", ""),
        By::Size => ("Size", " class=\"number\""),
        By::Date => ("Modified (UTC)", " class=\"number\""),
    };
    let current = by == order.by;
    let link = Order { by, descending: current && !order.descending }.query().replace('&', "&amp;");
    let (sorted, arrow) = match (current, order.descending) {
        (false, _) => ("", ""),
        (true, false) => (" aria-sort=\"ascending\"", " \u{2191}"),
        (true, true) => (" aria-sort=\"descending\"", " \u{2193}"),
    };
    // Writing to a `String` does not fail.
    _ = write!(out, "<th scope=\"col\"{class}{sorted}><a href=\"{link}\">{label}</a>{arrow}</th>");
}

fn row(out: &mut String, entry: &Entry) {
    let slash = if entry.is_folder { "/" } else { "" };
    // Without the dot, a name with a colon would be a scheme.
    let link = format!("./{}{slash}", place::encode(&entry.name));
    let name = escape(&entry.name.to_string_lossy());
    let size = entry.size.map(size).unwrap_or_default();
    let (precise, short) = (date(entry.modified), minute(entry.modified));
    _ = writeln!(
        out,
        "<tr><td><a href=\"{link}\">{name}{slash}</a></td><td class=\"number\">{size}</td>\
         <td class=\"number\"><time datetime=\"{precise}\">{short}</time></td></tr>"
    );
}

/// A size for people: bytes, or a unit in powers of 1024.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_240 {
        tenths /= 1024;
        unit = units.next();
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, unit.unwrap_or(&""))
}

/// RFC 3339, in UTC, to the second; empty for a time that it cannot express.
pub(super) fn date(time: SystemTime) -> String {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()),
        Err(before) => i64::try_from(before.duration().as_secs()).map(i64::saturating_neg),
    };
    let time = seconds.ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// To the minute, for people.
fn minute(time: SystemTime) -> String {
    let date = date(time);
    date.get(..16).unwrap_or(&date).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates() {
        let second = Duration::from_secs(1);
        assert_eq!(date(UNIX_EPOCH + second), "1970-01-01T00:00:01Z");
        assert_eq!(date(UNIX_EPOCH - second), "1969-12-31T23:59:59Z");
        // Some file systems have dates out of range.
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(300_000_000_000)), "");
    }

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
