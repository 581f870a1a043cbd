use super::{Opt, of_serving};

/// A group of related options of serving.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) heading: &'static str,
    pub(crate) options: Vec<Opt>,
}

/// The first option of each group, and its heading.
const HEADINGS: [(&str, &str); 11] = [
    ("--mode", "Mode and address"),
    ("--cert", "Who the server is"),
    ("--client-ca", "Which clients are let in"),
    ("--tls-min", "TLS"),
    ("--redirect-from", "From http to https"),
    ("--health", "Health"),
    ("--handshake-timeout", "Limits"),
    ("--dir", "A folder"),
    ("--proxy", "In front of an app"),
    ("--trust-proxy", "Behind a proxy"),
    ("--log-format", "Logs and metrics"),
];

/// All options of serving, in groups.
pub(crate) fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for option in of_serving() {
        let heading = HEADINGS.iter().find(|(first, _)| *first == option.name);
        match (heading, groups.last_mut()) {
            (None, Some(group)) => group.options.push(option),
            (heading, _) => groups.push(Group {
                heading: heading.map_or("Options", |(_, heading)| heading),
                options: vec![option],
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_stands_above_options() {
        let headings: Vec<_> = groups().iter().map(|group| group.heading).collect();
        assert_eq!(headings, HEADINGS.map(|(_, heading)| heading));
        assert_eq!(groups().iter().flat_map(|g| &g.options).count(), of_serving().count());
    }
}
