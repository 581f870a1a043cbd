use std::cmp::Ordering;

use super::entries::Entry;

/// The order of a list; folders always come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) by: By,
    pub(super) descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Name,
    Size,
    Date,
}

impl By {
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Size, Self::Date];

    /// Its name in the query.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Date => "date",
        }
    }
}

impl Order {
    /// The order in a query, with its question mark: `?sort=size&order=desc`. The default is by name,
    /// ascending.
    pub(super) fn of(query: &str) -> Self {
        let mut order = Self { by: By::Name, descending: false };
        for pair in query.trim_start_matches('?').split('&') {
            match pair.split_once('=') {
                Some(("sort", by)) => {
                    order.by = By::ALL.into_iter().find(|b| b.name() == by).unwrap_or(order.by);
                }
                Some(("order", order_word)) => order.descending = order_word == "desc",
                _ => {}
            }
        }
        order
    }

    pub(super) fn query(self) -> String {
        format!("?sort={}&order={}", self.by.name(), if self.descending { "desc" } else { "asc" })
    }

    pub(super) fn sort(self, entries: &mut [Entry]) {
        let by_name = |a: &Entry, b: &Entry| {
            let folded = |entry: &Entry| entry.name.to_string_lossy().to_lowercase();
            folded(a).cmp(&folded(b)).then_with(|| a.name.cmp(&b.name))
        };
        let compare = |a: &Entry, b: &Entry| {
            let by = match self.by {
                By::Name => Ordering::Equal,
                By::Size => a.size.cmp(&b.size),
                By::Date => a.modified.cmp(&b.modified),
            };
            let by = by.then_with(|| by_name(a, b));
            b.is_folder.cmp(&a.is_folder).then(if self.descending { by.reverse() } else { by })
        };
        entries.sort_unstable_by(compare);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn orders() {
        let entry = |name: &str, size: Option<u64>, seconds| Entry {
            name: name.into(),
            is_folder: size.is_none(),
            size,
            modified: UNIX_EPOCH + Duration::from_secs(seconds),
        };
        let all = [
            entry("b", Some(1), 3),
            entry("A", Some(3), 1),
            entry("c", Some(2), 2),
            entry("z", None, 9),
            entry("y", None, 8),
        ];
        for (query, names) in [
            ("", "y z A b c"),
            ("?sort=name&order=asc", "y z A b c"),
            ("?order=desc", "z y c b A"),
            ("?sort=size", "y z b c A"),
            ("?sort=size&order=desc", "z y A c b"),
            ("?sort=date", "y z A c b"),
            ("?sort=date&order=desc", "z y b c A"),
            ("?sort=colour&order=down&x", "y z A b c"),
        ] {
            let mut entries = all.to_vec();
            Order::of(query).sort(&mut entries);
            let sorted: Vec<_> = entries.iter().filter_map(|e| e.name.to_str()).collect();
            assert_eq!(sorted.join(" "), names, "{query}");
        }
    }
}
